"""A reply nobody recognised: a person reads it and says what it is; until then nothing is sent to whoever wrote it.

Its words are shown on the question's page alone, to those who may answer. No label permits anything.

Source: RULES.md, Permission (inbound SMS); ARCHITECTURE.md, the word *question* (label a reply).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from reactivation.approvals import signing_code
from reactivation.approvals.brief import question_path, reply_body, reply_subject
from reactivation.approvals.coded import AskedCoded, judge_coded
from reactivation.approvals.form import HOLD_ALL, FormField
from reactivation.contract.digests import digest
from reactivation.ledger import enrolments, replies, suppressions
from reactivation.ledger.questions import QuestionRow
from reactivation.ledger.replies import Reply
from reactivation.steps.coded import Kind, Shown, ask_again, bound, keep, signers_in, write_answer
from reactivation.steps.noes import end_forbidden, of_their_accounts, person_of, playbook_or_none, suppressions_of

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

KIND = "label_reply"
LABEL = "Label"
OPTIONS = (LABEL, HOLD_ALL)
#: What a reply may be. Those that forbid, with the reason of the suppression; the others only end the hold.
FORBIDDING: Mapping[str, str] = {"opt_out": "opt_out", "complaint": "complaint"}
LABELS = (*FORBIDDING, "interest", "other")

_ROLE = "marketing_owner"
#: Who held it is not asked the same again before so long.
_ASK_AGAIN = timedelta(days=1)
_CHOICES = {"label": ("", *LABELS)}
_FORM = (
    FormField("signing_code", "Signing code", "At the end of the question's page; needed to label."),
    FormField("label", "What the reply is", "When in doubt, an opt-out.", _CHOICES["label"]),
)


def ask_to_label(workspace: Workspace, conn: Connection, now: datetime) -> list[str]:
    """Open a question for each reply that has no label and that nobody is asked about; the ids of those opened."""
    return [
        question_id for one in replies.unlabelled(conn)
        for question_id in ask_again(
            conn, KIND, one.reply_id, signers=signers_in(workspace, _ROLE), word="label", actor="ask_people",
            now=now, again_after=_ASK_AGAIN,
        )
    ]  # fmt: skip


def asked_reply(workspace: Workspace, conn: Connection, question: QuestionRow) -> AskedCoded:
    """The question as its answers are judged, and as its page shows it."""
    return AskedCoded(
        state=question.state, expires_at=question.expires_at, authors=frozenset(),
        signers=signers_in(workspace, _ROLE),
        signing_code=signing_code(digest([question.question_id, question.subject])),
        hindrance=None if open_reply(conn, question) else "labelled_already",
    )  # fmt: skip


def open_reply(conn: Connection, question: QuestionRow) -> Reply | None:
    """The reply a question is about, while it has no label."""
    found = replies.reply_of(conn, question.subject)
    return None if found is None or found.label is not None else found


def _show(workspace: Workspace, conn: Connection, question: QuestionRow) -> Shown:
    asked, reply = asked_reply(workspace, conn, question), open_reply(conn, question)
    if reply is None or not asked.signers:
        return None, asked.hindrance or "no_signers"
    shown = bound(
        workspace, question, page=question_path(question.question_id), subject=reply_subject(reply),
        body=reply_body(question.question_id, reply, question.expires_at), options=OPTIONS,
        form=_FORM, signers=asked.signers,
    )  # fmt: skip
    return shown, None


def _record(workspace: Workspace, conn: Connection, question: QuestionRow, event: object, now: datetime) -> str:
    judged = judge_coded(asked_reply(workspace, conn, question), event, now, options=OPTIONS, choices=_CHOICES)
    reply = open_reply(conn, question)
    answer_id = keep(conn, question, judged, now)
    label = judged.codes["label"] if judged.agreed else None
    if reply is not None and label is not None:
        _settle(workspace, conn, reply, label, actor=judged.responder or "nobody", now=now)
    write_answer(
        conn, question, judged, answer_id, now,
        label=label,
    )  # fmt: skip
    if label is not None:
        return f"reply {question.subject} is labelled {label}"
    return f"reply {question.subject} holds" + (f" ({judged.refusal})" if judged.refusal else "")


def _settle(
    workspace: Workspace, conn: Connection, reply: Reply, label: str, *, actor: str, now: datetime
) -> None:  # fmt: skip
    """What a label forbids is committed with it: there is no moment without hold and without suppression."""
    if label in FORBIDDING:
        known = enrolments.enrolments_of(conn, [reply.enrolment_id] if reply.enrolment_id else [])
        enrolment = known.get(reply.enrolment_id or "")
        person = person_of(conn, enrolment, reply.address_key)
        playbook = None if enrolment is None else playbook_or_none(workspace, enrolment.playbook)
        said_no = suppressions_of(
            person, playbook, reason=FORBIDDING[label], source=reply.provider, at=reply.occurred_at
        )  # fmt: skip
        suppressions.commit_within(conn, said_no, actor=actor, now=now)
        end_forbidden(workspace, conn, person.enrolments, actor=actor, now=now)
        for one, found in of_their_accounts(conn, person):
            enrolments.end_enrolment(
                conn, one.enrolment_id, reason=found.reason, because=found.because, actor=actor, now=now
            )
    replies.label(conn, reply.reply_id, label, now=now)


#: The kind ``label_reply``.
LABELLING = Kind(_show, _record)
