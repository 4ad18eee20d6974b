"""May this run proceed? Judged after deciding, before anybody is enrolled, drafted for or asked.

The report (``readiness.json``) has conditions, codes and counts; beside it are the ids of the rows concerned and Great
Expectations' own pages. A run that is not ready is over: correct what it says, take a new snapshot and begin again; or,
where nothing blocks but what may be waived, compliance lets this one run go on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from reactivation.ledger import audit, judged, runs, seals
from reactivation.ledger.runs import Run
from reactivation.readiness import CANDIDATE_COLUMNS, Known, Verdict, judge
from reactivation.readiness.data_docs import data_docs
from reactivation.steps import deliverability
from reactivation.steps.begun import playbook_of, snapshot_of
from reactivation.steps.waiving import ask_to_waive, waived_conditions

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reactivation.evidence import RunFolder
    from reactivation.steps.workspace import Workspace

STEP, BEFORE = "readiness", "decide"
REPORT, ROWS, DATA_DOCS = "readiness.json", "readiness_rows", "data_docs.zip"

#: How many earlier runs say how large a table usually is, and how far back mail is counted.
_EARLIER = 7
_MAIL = timedelta(days=30)

#: The condition after which nothing that was signed before may go out by e-mail either.
_RISK = "deliverability_risk"


class NotReady(Exception):
    """The data does not allow what was asked: one paragraph with the conditions, the rows and the fix.

    ``kind`` is run or snapshot, ``subject_id`` its id.
    """

    def __init__(self, kind: str, subject_id: str, message: str, report: str, *, playbook: str = "") -> None:
        of = f" of {playbook}" if playbook else ""
        super().__init__(f"{kind} {subject_id}{of}: {message} The report: {report}")
        self.kind, self.subject_id, self.message = kind, subject_id, message


@dataclass(frozen=True)
class Passed:
    """A run that may go on: how many conditions were asked, what remains to look at, and what was waived."""

    conditions: int
    remarks: int
    waived: tuple[str, ...] = ()


def check_readiness(workspace: Workspace, run_id: str, now: datetime) -> Passed:
    """Judge a run and record it. Raises ``NotReady``, or ``StepError`` before ``decide``.

    A real run's sources must be fresh when it began, a dry run's at its as-of. A run is judged once: one that was let
    on stays so, and one that was stopped goes on when everything that blocks it is waived, else it says the same as
    before. Who was killed before the verdict was recorded comes to the same one.
    """
    folder = workspace.run_folder(run_id)
    with workspace.ledger.begin() as conn:
        run = runs.run_of(conn, run_id)
        earlier = runs.step_of(conn, run_id, STEP)
        if earlier is not None:
            runs.require_unchanged(earlier, folder.manifest_digest)
            return _let_on(conn, folder, run, earlier, now)
        runs.require_step(conn, run_id, BEFORE, folder.manifest_digest_without(REPORT, ROWS, DATA_DOCS))
        known = _known(workspace, conn, run)
    loaded, snapshot = playbook_of(workspace, run), snapshot_of(workspace, run)
    at = run.as_of if run.dry else run.started_at
    verdict = judge(
        snapshot, loaded.playbook, workspace.owners, folder.read("decisions", CANDIDATE_COLUMNS), at, known=known
    )
    digest = folder.add({
        REPORT: verdict.as_report(), ROWS: verdict.rows, DATA_DOCS: data_docs(verdict.said),
    })  # fmt: skip
    state = "succeeded" if verdict.ready else "not_ready"
    with workspace.ledger.begin() as conn:
        if not run.dry and any(one.id == _RISK and one.broken is None for one in verdict.blocking):
            deliverability.stop(conn, deliverability.SOURCES, actor=STEP, now=now)
        runs.record_step(
            conn, run_id, STEP, state=state, manifest_digest=digest, now=now,
            counts=_counts(verdict) | {"rows": _rows(snapshot.manifest)},
        )  # fmt: skip
        if verdict.waivable and not run.dry:
            ask_to_waive(workspace, conn, run, verdict.waivable, now)
    seals.seal(workspace.ledger, now)
    if not verdict.ready:
        raise _stopped(folder, run, verdict.message)
    return Passed(len(verdict.conditions), len(verdict.remarks))


def record_told(
    workspace: Workspace, subject_id: str, *, people: Collection[str], means: str, problem: str | None, now: datetime,
    who: str = "compliance",
) -> None:  # fmt: skip
    """Keep that compliance (or who else) was told of a stop, by which means, or why telling them failed."""
    with workspace.ledger.begin() as conn:
        audit.write(
            conn, at=now, actor="notifier", subject=subject_id,
            action=f"{who}_told" if problem is None else "notification_failed",
            details={"people": sorted(people), "means": means, "problem": problem},
        )  # fmt: skip
    seals.seal(workspace.ledger, now)


def _known(workspace: Workspace, conn: Connection, run: Run) -> Known:
    went_on = judged.earlier(conn, run.playbook, before=run.started_at, most=_EARLIER, went_on=True)
    sender = workspace.tenant.sender.address
    return Known(
        earlier=[one.counts["rows"] for one in went_on if "rows" in one.counts],
        sent=judged.mail_since(conn, run.started_at - _MAIL),
        domain=sender.rpartition("@")[2],
    )


def _let_on(conn: Connection, folder: RunFolder, run: Run, earlier: runs.Step, now: datetime) -> Passed:
    """A run that was judged before. Raises ``NotReady`` while anything that blocks it is not waived."""
    counts = dict(earlier.counts)
    if earlier.state == "succeeded":
        return Passed(counts["conditions"], counts["remarks"], tuple(counts.get("waived", ())))
    report = folder.read_json(REPORT)
    blocking = {one["id"] for one in report["conditions"] if one["blocks"]}
    if not blocking or blocking - waived_conditions(conn, run.run_id, now):
        raise _stopped(folder, run, report["message"])
    counts["waived"] = sorted(blocking)
    runs.record_step(
        conn, run.run_id, STEP, state="succeeded", manifest_digest=earlier.manifest_digest, counts=counts, now=now
    )  # fmt: skip
    return Passed(len(report["conditions"]), counts["remarks"], tuple(sorted(blocking)))


def _stopped(folder: RunFolder, run: Run, message: str) -> NotReady:
    return NotReady("run", run.run_id, message, str(folder.path / REPORT), playbook=run.playbook)


def _counts(verdict: Verdict) -> dict[str, Any]:
    """The verdict for the ledger and the audit trail: what blocks, and the figure of each question."""
    counts: dict[str, Any] = {"conditions": len(verdict.conditions), "remarks": len(verdict.remarks)}
    counts |= {f"blocking:{one.id}": one.affected for one in verdict.blocking}
    figures = {one.question: str(one.figure) for one in verdict.conditions if one.figure is not None}
    return counts | {"figures": figures}


def _rows(manifest: Mapping[str, Any]) -> dict[str, int]:
    """How many rows each table had that was there."""
    tables = [item for source in manifest["sources"] for item in source["tables"].items()]
    return {name: fact["rows"] for name, fact in sorted(tables) if fact["present"]}
