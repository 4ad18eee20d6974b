"""Ending a stop: whoever looks after the campaigns is asked, and only his answer lets the messages go on.

Source: RULES.md, Timing (pause and ask the owner); ARCHITECTURE.md, the word *question*, invariant 12.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from reactivation.approvals import signing_code
from reactivation.approvals.brief import question_path, stop_body, stop_subject
from reactivation.approvals.coded import AskedCoded, judge_coded
from reactivation.approvals.form import HOLD_ALL, FormField
from reactivation.contract.digests import digest
from reactivation.ledger import pauses, stops
from reactivation.ledger.questions import QuestionRow
from reactivation.ledger.stops import Stop
from reactivation.playbooks.declared import DeclarationError
from reactivation.playbooks.owners import SIGNS_FOR
from reactivation.steps.coded import Kind, Shown, ask_again, bound, keep, signers_in, write_answer
from reactivation.steps.settings import ConfigurationError

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

KIND = "resume"
RESUME = "Resume"
OPTIONS = (RESUME, HOLD_ALL)
#: Why it may go on.
REASONS = ("cause_removed", "false_alarm", "checked", "other")

_ROLE = "marketing_owner"
#: Who held it is not asked the same again before so long.
_ASK_AGAIN = timedelta(days=1)
_CHOICES = {"reason": ("", *REASONS)}
_FORM = (
    FormField("signing_code", "Signing code", "At the end of the question's page; needed to resume."),
    FormField("reason", "Reason", "Why it may go on.", _CHOICES["reason"]),
)


def ask_to_resume(workspace: Workspace, conn: Connection, now: datetime) -> list[str]:
    """Open a question for each stop that stands and that nobody is asked about; the ids of those opened."""
    return [
        question_id for one in stops.standing(conn, now)
        for question_id in ask_again(
            conn, KIND, one.stop_id, signers=signers_of(workspace, conn, one.stop_id) - {one.actor}, word="resume",
            actor="ask_people", now=now, again_after=_ASK_AGAIN,
        )
    ]  # fmt: skip


def signers_of(workspace: Workspace, conn: Connection, stop_id: str) -> frozenset[str]:
    """Who may end a stop: of what the monitor paused, its owners; of anything else, every marketing owner."""
    pause = pauses.of_stop(conn, stop_id)
    if pause is None:
        return signers_in(workspace, _ROLE)
    return owners_of(workspace, pause.playbook, pause.segment)


def owners_of(workspace: Workspace, name: str, segment: str | None) -> frozenset[str]:
    """The users who may sign for a segment of a playbook, or for any; nobody for one that is gone or cannot be read."""
    try:
        playbook = workspace.playbook(name).playbook
    except (ConfigurationError, DeclarationError):
        return frozenset()
    owners = [owner for one, owner in playbook.owners.items() if segment in (None, one)]
    role = SIGNS_FOR[playbook.subject]
    return frozenset(one.user_id for owner in owners for one in workspace.owners.signers_for(owner, role))


def asked_stop(workspace: Workspace, conn: Connection, question: QuestionRow, now: datetime) -> AskedCoded:
    """The question as its answers are judged, and as its page shows it."""
    standing = standing_stop(conn, question, now)
    return AskedCoded(
        state=question.state, expires_at=question.expires_at, hindrance=None if standing else "stop_ended",
        signing_code=signing_code(digest([question.question_id, question.subject])),
        signers=signers_of(workspace, conn, question.subject),
        authors=frozenset() if standing is None else frozenset({standing.actor}),
    )  # fmt: skip


def standing_stop(conn: Connection, question: QuestionRow, now: datetime) -> Stop | None:
    """The stop a question is about, while it stands."""
    return next((one for one in stops.standing(conn, now) if one.stop_id == question.subject), None)


def _show(workspace: Workspace, conn: Connection, question: QuestionRow) -> Shown:
    now = workspace.now()
    asked, standing = asked_stop(workspace, conn, question, now), standing_stop(conn, question, now)
    allowed = asked.signers - asked.authors
    if standing is None or not allowed:
        return None, asked.hindrance or "no_signers"
    shown = bound(
        workspace, question, page=question_path(question.question_id),
        subject=stop_subject(standing.scope, standing.reason),
        body=stop_body(question.question_id, standing, question.expires_at), options=OPTIONS,
        form=_FORM, signers=allowed,
    )  # fmt: skip
    return shown, None


def _record(workspace: Workspace, conn: Connection, question: QuestionRow, event: object, now: datetime) -> str:
    judged = judge_coded(
        asked_stop(workspace, conn, question, now), event, now, options=OPTIONS, choices=_CHOICES
    )  # fmt: skip
    answer_id = keep(conn, question, judged, now)
    if judged.agreed and judged.responder is not None:
        stops.resume(conn, stop_id=question.subject, actor=judged.responder, answer_id=answer_id, now=now)
    write_answer(
        conn, question, judged, answer_id, now,
        reason=judged.codes["reason"] or None,
    )  # fmt: skip
    if judged.agreed:
        return f"stop {question.subject} has ended"
    return f"stop {question.subject} stands" + (f" ({judged.refusal})" if judged.refusal else "")


#: The kind ``resume``.
RESUMING = Kind(_show, _record)
