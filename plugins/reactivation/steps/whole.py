"""A whole run in one call, as the command line does it: the same steps, in the same order, as the DAGs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from reactivation.readiness import judge
from reactivation.steps.begin import begin_run
from reactivation.steps.decide import decide_run
from reactivation.steps.draft import draft_run
from reactivation.steps.lists import open_lists
from reactivation.steps.plan import plan_run
from reactivation.steps.readiness import REPORT, ROWS, NotReady, check_readiness
from reactivation.steps.snapshot import take_snapshot
from reactivation.steps.workspace import Workspace

#: What follows the beginning of a run. Each step starts by finding the one before it succeeded in the ledger.
STEPS: tuple[tuple[str, Callable[[Workspace, str, datetime], Any]], ...] = (
    ("decide", decide_run),
    ("readiness", check_readiness),
    ("plan", plan_run),
    ("draft", draft_run),
    ("open lists", open_lists),
)


@dataclass(frozen=True)
class RunRequest:
    """What somebody asked for: the trigger form's fields, and who filled it in."""

    playbook: str
    dry: bool = False
    segment: str | None = None
    sample_size: int | None = None
    triggered_by: str = "operator"


def run_playbook(
    workspace: Workspace, request: RunRequest, *, now: datetime, as_of: datetime | None, say: Callable[[str], None]
) -> str:
    """Snapshot, decide, judge, plan, draft and open lists; returns the run's id.

    ``say`` hears each step as it begins. Raises ``NotReady`` where the data is not, and whatever a step raises.
    """
    say("taking a snapshot")
    snapshot_id = take_snapshot(workspace, now=now, as_of=as_of)
    run_id = begin_run(
        workspace, request.playbook, now=now, dry=request.dry, segment=request.segment,
        sample_size=request.sample_size, triggered_by=request.triggered_by, snapshot_id=snapshot_id,
    )  # fmt: skip
    for name, step in STEPS:
        say(name)
        step(workspace, run_id, now)
    return run_id


def readiness_only(
    workspace: Workspace, playbook: str, *, now: datetime, as_of: datetime | None
) -> tuple[dict[str, Any], pa.Table]:
    """The readiness report of a dry run that goes no further (ready, message and conditions), and the rows concerned.

    Where not even the tables are fit to decide on, it says so of every table the playbook needs.
    """
    loaded = workspace.playbook(playbook)
    try:
        snapshot_id = take_snapshot(workspace, now=now, as_of=as_of)
    except NotReady as stopped:
        snapshot = workspace.snapshot_folder(stopped.subject_id)
        verdict = judge(snapshot, loaded.playbook, workspace.owners, None, snapshot.as_of)
        return verdict.as_report(), verdict.rows
    run_id = begin_run(workspace, playbook, now=now, dry=True, triggered_by="readiness", snapshot_id=snapshot_id)
    decide_run(workspace, run_id, now)
    with suppress(NotReady):  # the report says so too
        check_readiness(workspace, run_id, now)
    folder = workspace.run_folder(run_id)
    return folder.read_json(REPORT), folder.read(ROWS)
