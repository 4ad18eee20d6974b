"""The narrow way past a condition that blocks: one question to compliance, for one run, with a reason and an end.

Only conditions that are declared waivable can be asked about, and only when nothing else blocks. A waiver changes no
gate: whoever must not be written to is still not written to.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import Connection

from reactivation.approvals import signing_code
from reactivation.approvals.brief import report_path, waiver_body, waiver_subject
from reactivation.approvals.coded import AskedCoded
from reactivation.approvals.lists import users_behind
from reactivation.approvals.waivers import OPTIONS, fields, judge_waiver, waived_until
from reactivation.contract.digests import digest
from reactivation.evidence import EvidenceError
from reactivation.ledger import audit, questions, runs, waivers
from reactivation.ledger.questions import QuestionRow
from reactivation.ledger.runs import Run, StepError
from reactivation.playbooks.declared import DeclarationError
from reactivation.steps.coded import Kind, Shown, bound, keep, signers_in, write_answer
from reactivation.steps.settings import ConfigurationError

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

KIND = "waive"
_ROLE = "compliance"
_ANSWER_WITHIN = timedelta(days=1)
_STEP, _REPORT = "readiness", "readiness.json"


def ask_to_waive(
    workspace: Workspace, conn: Connection, run: Run, conditions: Collection[str], now: datetime
) -> str | None:
    """Open the question whether these conditions may pass in this run; its id, or ``None`` where nobody may answer."""
    signers = sorted(signers_in(workspace, _ROLE) - _authors(workspace, run))
    question_id = str(uuid4()) if signers else None
    if question_id is not None:
        questions.insert_question(
            conn, question_id=question_id, kind=KIND, subject=run.run_id, opened_at=now,
            expires_at=now + _ANSWER_WITHIN,
        )  # fmt: skip
    audit.write(
        conn, at=now, actor=run.playbook, subject=run.run_id,
        action="waiver_asked" if question_id else "waiver_not_asked",
        details={"question_id": question_id, "conditions": sorted(conditions), "signers": signers},
    )  # fmt: skip
    return question_id


def waived_conditions(conn: Connection, run_id: str, now: datetime) -> frozenset[str]:
    """The conditions that may pass in this run at this moment."""
    return frozenset(one.condition for one in waivers.waivers_of(conn, run_id) if now < one.expires_at)


def waiver_code(workspace: Workspace, question: QuestionRow) -> str:
    """The signing code of a question: of it and of the very report it is about. Raises ``EvidenceError``."""
    report = workspace.run_folder(question.subject).files[_REPORT]
    return signing_code(digest([question.question_id, question.subject, report]))


def asked_waiver(workspace: Workspace, conn: Connection, question: QuestionRow) -> AskedCoded:
    """The question as its answers are judged, and as the report's page shows it."""
    run = runs.run_of(conn, question.subject)
    hindrance = _hindrance(workspace, conn, question.subject)
    return AskedCoded(
        state=question.state, expires_at=question.expires_at, hindrance=hindrance,
        signing_code="" if hindrance else waiver_code(workspace, question),
        signers=signers_in(workspace, _ROLE), authors=_authors(workspace, run),
    )  # fmt: skip


def _show(workspace: Workspace, conn: Connection, question: QuestionRow) -> Shown:
    asked = asked_waiver(workspace, conn, question)
    allowed = asked.signers - asked.authors
    if asked.hindrance or not allowed:
        return None, asked.hindrance or "no_signers"
    playbook = runs.run_of(conn, question.subject).playbook
    found = {one["id"]: one["observed"] for one in _blocking(workspace, question.subject)}
    shown = bound(
        workspace, question, page=report_path(question.subject),
        subject=waiver_subject(playbook, list(found)),
        body=waiver_body(question.subject, playbook, found, question.expires_at), options=OPTIONS,
        form=fields(), signers=allowed,
    )  # fmt: skip
    return shown, None


def _record(workspace: Workspace, conn: Connection, question: QuestionRow, event: object, now: datetime) -> str:
    judged = judge_waiver(asked_waiver(workspace, conn, question), event, now)
    until, reason = waived_until(judged, now), judged.codes["reason"]
    answer_id = keep(conn, question, judged, now)
    conditions = sorted({one["id"] for one in _blocking(workspace, question.subject)}) if until else []
    if until is not None:
        waivers.insert_waivers(
            conn, run_id=question.subject, conditions=conditions, reason=reason, answer_id=answer_id, signed_at=now,
            expires_at=until,
        )  # fmt: skip
    write_answer(
        conn, question, judged, answer_id, now,
        action="conditions_waived" if until else None,
        conditions=conditions, reason=reason or None, until=until,
    )  # fmt: skip
    if until is None:
        return f"run {question.subject} stays stopped" + (f" ({judged.refusal})" if judged.refusal else "")
    return f"run {question.subject} may go on until {until.isoformat()}: {', '.join(conditions)} waived"


#: The kind ``waive``.
WAIVING = Kind(_show, _record)


def _blocking(workspace: Workspace, run_id: str) -> list[dict[str, Any]]:
    report = workspace.run_folder(run_id).read_json(_REPORT)
    return [one for one in report["conditions"] if one["blocks"]]


def _hindrance(workspace: Workspace, conn: Connection, run_id: str) -> str | None:
    """Why nothing can be waived in a run any more."""
    step = runs.step_of(conn, run_id, _STEP)
    if step is None or step.state != "not_ready":
        return "run_not_stopped"
    try:
        workspace.playbook(runs.run_of(conn, run_id).playbook)
        unchanged = workspace.run_folder(run_id).manifest_digest == step.manifest_digest
        blocking = _blocking(workspace, run_id)
    except (DeclarationError, ConfigurationError, EvidenceError, StepError):
        return "report_unreadable"
    if not unchanged:
        return "report_changed"
    return None if all(one["waivable"] for one in blocking) else "not_waivable"


def _authors(workspace: Workspace, run: Run) -> frozenset[str]:
    """Who made what is asked about, and so cannot let it pass."""
    made = {workspace.playbook(run.playbook).playbook.authored_by, run.triggered_by}
    return frozenset(users_behind(made, workspace.owners))
