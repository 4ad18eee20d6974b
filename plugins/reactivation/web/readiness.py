"""The readiness report: may the run go on, what stops it or holds rows back, who was told, and what vouches for it all.

Made from the evidence and the ledger, for a run or for a snapshot. Ids, codes and counts only, so whoever may read the
pages may see it; the signing code of a waiver is for those alone who may sign it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from reactivation.ledger import judged, questions, waivers
from reactivation.ledger.questions import RequestId
from reactivation.ledger.waivers import Waiver
from reactivation.playbooks.declared import DeclarationError
from reactivation.steps.readiness import DATA_DOCS, REPORT
from reactivation.steps.settings import ConfigurationError
from reactivation.steps.waiving import KIND, asked_waiver
from reactivation.steps.workspace import Workspace
from reactivation.web import happened
from reactivation.web.auth import Visitor
from reactivation.web.checks import ConditionShown, grouped, shown
from reactivation.web.concerned import concerned_counts, quarantined_counts
from reactivation.web.happened import Happened
from reactivation.web.proof import Proof, proof_of
from reactivation.web.subjects import Kind, Subject, find

#: A trend goes over so many runs, the one looked at included.
TREND_RUNS = 10

_NO_REPORT: Mapping[str, Any] = {"message": "", "conditions": []}

State = Literal["unjudged", "stopped", "cleared", "waived", "ready"]


@dataclass(frozen=True)
class WaiverAsked:
    """An open question whether what stops the run may pass. ``code`` is there only for whoever may sign it now;
    ``hindrance`` says why nobody can."""

    expires_at: datetime
    may_sign: bool
    hindrance: str | None
    code: str | None
    request: RequestId | None


@dataclass(frozen=True)
class ReadinessPage:
    """Everything the report's page shows. ``state``: what the ledger says of it; ``cleared`` is a run whose stop was
    waived but which has not gone on yet. ``groups`` are conditions by what came of them."""

    visitor: Visitor
    about: Subject
    state: State
    message: str
    groups: Mapping[str, Sequence[ConditionShown]]
    quarantine: Sequence[Mapping[str, Any]]
    told: Sequence[Happened]
    answered: Sequence[Happened]
    waivers: Sequence[Waiver]
    asked: WaiverAsked | None
    proof: Proof
    now: datetime

    @property
    def judged_at(self) -> datetime | None:
        """When the verdict was given, or the run was let on."""
        if self.about.run is None:
            return self.about.snapshot.taken_at
        return self.about.step.ended_at if self.about.step else None

    @property
    def stopping(self) -> Sequence[ConditionShown]:
        return self.groups.get("stops", ())

    @property
    def has_data_docs(self) -> bool:
        return self.about.folder.has(DATA_DOCS)

    def count(self, *groups: str) -> int:
        """How many conditions are in these groups."""
        return sum(len(self.groups.get(name, ())) for name in groups)


def readiness_page(workspace: Workspace, kind: Kind, subject_id: str, visitor: Visitor, now: datetime) -> ReadinessPage:
    """The report of a run or a snapshot for one visitor. Raises ``NoSuchReport``, and ``EvidenceError`` where the
    evidence is missing or not what its manifest says."""
    with workspace.ledger.begin() as conn:
        about = find(workspace, conn, kind, subject_id)
    report = about.folder.read_json(REPORT) if about.judged else _NO_REPORT
    rows, quarantine = concerned_counts(about.folder), quarantined_counts(about.snapshot_folder)
    proof = proof_of(about)
    with workspace.ledger.begin() as conn:
        signed = waivers.waivers_of(conn, subject_id) if about.run else []
        waived = _waived(about, signed, now)
        found = shown(report["conditions"], waived=waived, earlier=_earlier(conn, about), rows=rows)
        return ReadinessPage(
            visitor=visitor,
            about=about,
            state=_state(about, report, waived),
            message=report["message"],
            groups=grouped(found),
            quarantine=quarantine,
            told=happened.told(conn, subject_id),
            answered=happened.answered(conn, subject_id),
            waivers=signed,
            asked=_asked(workspace, conn, subject_id, visitor, now) if about.run else None,
            proof=proof,
            now=now,
        )


def _state(about: Subject, report: Mapping[str, Any], waived: Collection[str]) -> State:
    """What the ledger says: a report alone lets nothing go on."""
    said = about.snapshot.state if about.run is None else about.step.state if about.step else "unjudged"
    if said == "unjudged":
        return "unjudged"
    if said == "not_ready":
        stopping = {one["id"] for one in report["conditions"] if one["blocks"]}
        return "cleared" if stopping and stopping <= set(waived) else "stopped"
    return "waived" if waived else "ready"


def _waived(about: Subject, signed: Sequence[Waiver], now: datetime) -> Collection[str]:
    """The conditions that pass by a waiver: those the run went on by, or else those that may pass now."""
    if about.step is not None and about.step.state == "succeeded":
        return frozenset(about.step.counts.get("waived", ()))
    return frozenset(one.condition for one in signed if now < one.expires_at)


def _earlier(conn: Connection, about: Subject) -> list[Mapping[str, str]]:
    """The figures of earlier real runs of the playbook, the last run first."""
    if about.run is None:
        return []
    found = judged.earlier(conn, about.run.playbook, before=about.run.started_at, most=TREND_RUNS - 1, went_on=False)
    return [one.counts.get("figures", {}) for one in found]


def _asked(workspace: Workspace, conn: Connection, run_id: str, visitor: Visitor, now: datetime) -> WaiverAsked | None:
    """The open question about a run, as this visitor may see it."""
    question = questions.question_about(conn, KIND, run_id)
    if question is None or question.state != "open" or now >= question.expires_at:
        return None
    request = questions.request_of(conn, question.question_id)
    try:
        asked = asked_waiver(workspace, conn, question)
    except (DeclarationError, ConfigurationError):  # who wrote the playbook is not known, so nobody may sign
        return WaiverAsked(
            question.expires_at, may_sign=False, hindrance="playbook_unreadable", code=None, request=None
        )
    may_sign = visitor.user_id in asked.signers and not visitor.is_one_of(asked.authors)
    code = asked.signing_code if may_sign and asked.hindrance is None else None
    return WaiverAsked(question.expires_at, may_sign, asked.hindrance, code, request)
