"""What a readiness report is about: a run or a snapshot that the ledger knows, with its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from reactivation.evidence import Folder, SnapshotFolder
from reactivation.ledger import runs
from reactivation.ledger.runs import Run, Snapshot, Step, StepError
from reactivation.steps.readiness import REPORT, ROWS, STEP
from reactivation.steps.workspace import Workspace

Kind = Literal["runs", "snapshots"]


class NoSuchReport(Exception):
    """The ledger knows no run or snapshot of that id, or it has no such file."""


@dataclass(frozen=True)
class Subject:
    """A run, or a snapshot when ``run`` is ``None``. ``folder`` has the report; ``steps`` are those that ended."""

    kind: Kind
    id: str
    folder: Folder
    snapshot: Snapshot
    snapshot_folder: SnapshotFolder
    run: Run | None = None
    steps: Sequence[Step] = ()

    @property
    def judged(self) -> bool:
        """Whether there is a report."""
        return self.folder.has(REPORT)

    @property
    def names_rows(self) -> bool:
        """Whether the rows concerned were kept; they were not before there was this page."""
        return self.folder.has(ROWS)

    @property
    def step(self) -> Step | None:
        """What the ledger says of the run's readiness."""
        return next((one for one in self.steps if one.step == STEP), None)


def find(workspace: Workspace, conn: Connection, kind: Kind, subject_id: str) -> Subject:
    """The run or snapshot of that id. Raises ``NoSuchReport``; nothing of an unknown id becomes a path."""
    try:
        run = runs.run_of(conn, subject_id) if kind == "runs" else None
        snapshot = runs.snapshot_of(conn, subject_id if run is None else run.snapshot_id)
    except StepError:
        raise NoSuchReport from None
    of_snapshot = workspace.snapshot_folder(snapshot.snapshot_id)
    if run is None:
        return Subject(kind, subject_id, of_snapshot, snapshot, of_snapshot)
    return Subject(
        kind, subject_id, workspace.run_folder(run.run_id), snapshot, of_snapshot, run, runs.steps_of(conn, run.run_id)
    )
