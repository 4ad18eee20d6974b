"""A call whose outcome nobody knows: what no look-up has settled is asked of a person, and nothing is sent again
without his word.

Source: ARCHITECTURE.md, A day, 4; invariant 5; the word *question* (confirm sent or not sent).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from reactivation.approvals import signing_code
from reactivation.approvals.brief import question_path, send_body, send_subject
from reactivation.approvals.coded import AskedCoded, judge_coded
from reactivation.approvals.form import HOLD_ALL, FormField
from reactivation.contract.digests import digest
from reactivation.ledger import sends
from reactivation.ledger.questions import QuestionRow
from reactivation.ledger.sends import Outcome, Send
from reactivation.steps.coded import Kind, Shown, ask_again, bound, keep, signers_in, write_answer

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

KIND = "confirm_send"
CONFIRM = "Confirm"
OPTIONS = (CONFIRM, HOLD_ALL)
SENT, NOT_SENT = "sent", "not_sent"
#: What is recorded of a send that a person has settled.
BY_PERSON = "confirmed_by_person"

_ROLE = "marketing_owner"
#: Who held it is not asked the same again before so long.
_ASK_AGAIN = timedelta(days=1)
_CHOICES = {"outcome": ("", SENT, NOT_SENT)}
_FORM = (
    FormField("signing_code", "Signing code", "At the end of the question's page; needed to confirm."),
    FormField("outcome", "What the provider says", "Whether it has the message.", _CHOICES["outcome"]),
)


def ask_to_confirm(workspace: Workspace, conn: Connection, now: datetime) -> list[str]:
    """Open a question for each send of unknown outcome that no look-up can settle any more and that nobody is asked
    about; the ids of those opened."""
    providers = {one.name: one for one in workspace.providers.values()}
    opened: list[str] = []
    for send in sends.unfinished(conn, ("unknown",)):
        provider, called_at = providers.get(send.provider), send.called_at or send.intended_at
        if provider is None or now >= called_at + provider.look_up_for:
            opened += ask_again(
                conn, KIND, send.send_id, signers=signers_in(workspace, _ROLE), word="confirmation", actor="ask_people",
                now=now, again_after=_ASK_AGAIN,
            )  # fmt: skip
    return opened


def asked_send(workspace: Workspace, conn: Connection, question: QuestionRow) -> AskedCoded:
    """The question as its answers are judged, and as its page shows it."""
    return AskedCoded(
        state=question.state, expires_at=question.expires_at, authors=frozenset(),
        signers=signers_in(workspace, _ROLE),
        signing_code=signing_code(digest([question.question_id, question.subject])),
        hindrance=None if unknown_send(conn, question) else "settled_already",
    )  # fmt: skip


def unknown_send(conn: Connection, question: QuestionRow) -> Send | None:
    """The send a question is about, while its outcome is unknown."""
    return next((one for one in sends.unfinished(conn, ("unknown",)) if one.send_id == question.subject), None)


def _show(workspace: Workspace, conn: Connection, question: QuestionRow) -> Shown:
    asked, send = asked_send(workspace, conn, question), unknown_send(conn, question)
    if send is None or not asked.signers:
        return None, asked.hindrance or "no_signers"
    shown = bound(
        workspace, question, page=question_path(question.question_id), subject=send_subject(send),
        body=send_body(question.question_id, send, question.expires_at), options=OPTIONS,
        form=_FORM, signers=asked.signers,
    )  # fmt: skip
    return shown, None


def _record(workspace: Workspace, conn: Connection, question: QuestionRow, event: object, now: datetime) -> str:
    judged = judge_coded(asked_send(workspace, conn, question), event, now, options=OPTIONS, choices=_CHOICES)
    send = unknown_send(conn, question)
    answer_id = keep(conn, question, judged, now)
    outcome = judged.codes["outcome"] if judged.agreed else None
    if send is not None and outcome == SENT:
        sends.finish(conn, [Outcome(send.send_id, "accepted", reason=BY_PERSON)], now=now)
    elif send is not None and outcome == NOT_SENT:
        sends.take_back_calls(conn, [send], reason=BY_PERSON, now=now)
    write_answer(
        conn, question, judged, answer_id, now,
        outcome=outcome,
    )  # fmt: skip
    if outcome is not None:
        return f"send {question.subject} is confirmed as {outcome}"
    return f"send {question.subject} stays unknown" + (f" ({judged.refusal})" if judged.refusal else "")


#: The kind ``confirm_send``.
CONFIRMING = Kind(_show, _record)
