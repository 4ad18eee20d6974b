"""May this run proceed? Judged after deciding, before anybody is enrolled, drafted for or asked.

The report (``readiness.json``) has conditions, codes and counts; a run that is not ready is over: correct what it
says, take a new snapshot and begin again.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reactivation.ledger import runs, seals
from reactivation.readiness import CANDIDATE_COLUMNS, Verdict, judge
from reactivation.steps.begun import playbook_of, snapshot_of

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

STEP, BEFORE = "readiness", "decide"
REPORT = "readiness.json"


class NotReady(Exception):
    """The data does not allow what was asked: one paragraph with the conditions, the rows and the fix."""

    def __init__(self, subject: str, message: str, report: str) -> None:
        super().__init__(f"{subject}: {message} The report: {report}")


def check_readiness(workspace: Workspace, run_id: str, now: datetime) -> Verdict:
    """Judge a run and record it; returns the verdict. Raises ``NotReady``, or ``StepError`` before ``decide``.

    A real run's sources must be fresh when it began, a dry run's at its as-of.
    """
    folder = workspace.run_folder(run_id)
    with workspace.ledger.begin() as conn:
        run = runs.run_of(conn, run_id)
        earlier = runs.step_of(conn, run_id, STEP)
        if earlier is None or earlier.state != "not_ready":
            runs.require_step(conn, run_id, BEFORE, folder.manifest_digest)
    report = str(folder.path / REPORT)
    if earlier is not None and earlier.state == "not_ready":
        raise NotReady(f"run {run_id} of {run.playbook}", folder.read_json(REPORT)["message"], report)
    loaded, snapshot = playbook_of(workspace, run), snapshot_of(workspace, run)
    at = run.as_of if run.dry else run.started_at
    verdict = judge(snapshot, loaded.playbook, workspace.owners, folder.read("decisions", CANDIDATE_COLUMNS), at)
    digest = folder.add_file(REPORT, verdict.as_report())
    counts = {"conditions": len(verdict.conditions), "remarks": len(verdict.remarks)}
    counts |= {f"blocking:{one.id}": one.affected for one in verdict.blocking}
    state = "succeeded" if verdict.ready else "not_ready"
    with workspace.ledger.begin() as conn:
        runs.record_step(conn, run_id, STEP, state=state, manifest_digest=digest, counts=counts, now=now)
    seals.seal(workspace.ledger, now)
    if not verdict.ready:
        raise NotReady(f"run {run_id} of {run.playbook}", verdict.message, report)
    return verdict
