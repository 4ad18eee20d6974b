"""Who is in the segments of a playbook: for an export, and for the systems they are written back to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TEXT, TIME
from reactivation.ledger import runs
from reactivation.ledger.runs import StepError
from reactivation.playbooks.declared import near_miss
from reactivation.policy.activity_segments import NAMES
from reactivation.sources import MEMBERS
from reactivation.steps.decide import SEGMENTS_FILE

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

COLUMNS = ("customer_id", "segment", "as_of")


def segment_members(
    workspace: Workspace, playbook: str, segment: str, run_id: str | None = None
) -> list[dict[str, Any]]:
    """Rows of ``COLUMNS``, by customer: who is in a segment by the run named, or by the last that decided.

    Raises ``StepError`` for a segment there is not, and for a run that knows no segments.
    """
    if segment not in NAMES:
        raise StepError(f"there is no segment {segment}{near_miss(segment, NAMES)}; there are {', '.join(NAMES)}")
    workspace.playbook(playbook)
    with workspace.ledger.begin() as conn:
        run = runs.latest_run(conn, playbook, step="decide") if run_id is None else runs.run_of(conn, run_id)
    if run is None:
        raise StepError(f"playbook {playbook} has decided nothing yet; say: reactivation run {playbook}")
    folder = workspace.run_folder(run.run_id)
    if not folder.has(SEGMENTS_FILE):
        raise StepError(
            f"run {run.run_id} of {run.playbook} has no segments: only a playbook with population.only_segments has"
        )
    rows = folder.read(SEGMENTS_FILE, ("customer_id", segment))
    inside = rows.filter(rows[segment])["customer_id"].to_pylist()
    return [{"customer_id": one, "segment": segment, "as_of": run.as_of} for one in sorted(inside)]


def members_now(workspace: Workspace) -> tuple[pa.Table, list[str]]:
    """Everybody in a segment by the last real run of each playbook that readiness let on (``MEMBERS``), and the
    playbooks that have one. What a dry run or data that was not ready says is told to nobody."""
    tables, playbooks = [MEMBERS.empty_table()], []
    for loaded in workspace.all_playbooks():
        name = loaded.playbook.playbook
        with workspace.ledger.begin() as conn:
            run = runs.latest_run(conn, name, step="readiness", real=True)
        if run is None or not workspace.run_folder(run.run_id).has(SEGMENTS_FILE):
            continue
        rows = workspace.run_folder(run.run_id).read(SEGMENTS_FILE)
        playbooks.append(name)
        tables += _members(rows, name, pa.scalar(run.as_of, TIME))
    return pa.concat_tables(tables), playbooks


def _members(rows: pa.Table, playbook: str, since: pa.Scalar) -> Iterator[pa.Table]:
    for segment in NAMES:
        inside = rows["customer_id"].filter(pc.fill_null(rows[segment], False))
        same = [pa.repeat(pa.scalar(value, TEXT), len(inside)) for value in (playbook, segment)]
        yield pa.table([inside, *same, pa.repeat(since, len(inside))], schema=MEMBERS)
