"""What was done about a run or a snapshot that stopped, a setting or a stop: who was told, who was asked, and what was
answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from reactivation.ledger import audit
from reactivation.ledger.audit import AuditRow

#: The actions of the trail a reader is told of, in his words.
_TOLD = {
    "compliance_told": "Compliance was told",
    "notification_failed": "Telling failed",
    "stop_announced": "The stop was announced",
}
_ANSWERED = {
    "waiver_asked": "A waiver was asked for",
    "waiver_not_asked": "No waiver could be asked for: nobody but its author may sign",
    "conditions_waived": "Conditions were waived",
    "answer_accepted": "Answered without a waiver",
    "answer_refused": "An answer did not count",
    "question_expired": "Nobody answered in time",
}
_SETTLED = {
    "setting_asked": "A signature was asked for",
    "setting_not_asked": "No signature could be asked for: nobody but its author may sign",
    "setting_signed": "The setting was signed",
    "stopped": "Stopped",
    "resumed": "Resumed",
    "resume_asked": "Asked whether it may go on",
    "resume_not_asked": "Nobody could be asked whether it may go on",
    "confirmation_asked": "Asked whether it was sent",
    "confirmation_not_asked": "Nobody could be asked whether it was sent",
    "reply_holds": "Nothing is sent to its writer from now on",
    "account_asked": "Its owner was asked",
    "account_read": "The brief was read",
    "account_decided": "Decided",
    "account_not_asked": "Nobody was there to be asked",
    "label_asked": "Asked what it says",
    "label_not_asked": "Nobody could be asked what it says",
    "reply_read": "Read",
    "reply_words_removed": "Its words were removed",
    "send_intended": "Intended",
    "send_unknown": "Called with an unknown outcome",
    "send_accepted": "Sent",
    "intent_taken_back": "Not sent, and free to go again",
    "answer_accepted": "Answered",
    "answer_refused": "An answer did not count",
    "question_expired": "Nobody answered in time",
}
FAILED = "notification_failed"


@dataclass(frozen=True)
class Happened:
    """One row of the audit trail. ``people`` are owner or user ids; ``about`` are codes."""

    at: datetime
    actor: str
    action: str
    what: str
    people: tuple[str, ...]
    about: str

    @property
    def failed(self) -> bool:
        return self.action == FAILED


def told(conn: Connection, subject_id: str) -> list[Happened]:
    """Who was told, and where telling failed."""
    return [_happened(row, _TOLD) for row in audit.about(conn, subject_id, _TOLD)]


def answered(conn: Connection, subject_id: str) -> list[Happened]:
    """What was asked of compliance, and what came of it."""
    return [_happened(row, _ANSWERED) for row in audit.about(conn, subject_id, _ANSWERED)]


def of_question(conn: Connection, subject: str) -> list[Happened]:
    """What was asked about a setting or a stop, and what came of it."""
    return [_happened(row, _SETTLED) for row in audit.about(conn, subject, _SETTLED)]


def _happened(row: AuditRow, named: Mapping[str, str]) -> Happened:
    details = row.details
    people = next((details[name] for name in ("people", "signers", "owners") if details.get(name)), ())
    about = [str(details[name]) for name in ("means", "problem", "chosen", "decision", "refusal") if details.get(name)]
    return Happened(row.at, row.actor, row.action, named[row.action], tuple(map(str, people)), ", ".join(about))
