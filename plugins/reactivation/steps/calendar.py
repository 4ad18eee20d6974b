"""The schedule as it stands: who hears from us when, by which touch, channel and offer, and how far each has come.

One truth out of two: ``plan.parquet`` of the runs that began the enrolments, and the ledger, which knows what has
happened since. What is still to come stands where the touches really sent have moved it. Ids and codes only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation.contract.tables import TEXT, TIME, WHOLE
from reactivation.evidence import EvidenceError
from reactivation.ledger import courses, runs
from reactivation.ledger.runs import StepError
from reactivation.policy.timing import local_time
from reactivation.steps.going_on import going_on

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: Grain: one row per enrolment and touch, by customer and number. ``at``: when it was sent, else the earliest moment;
#: null where there never was one. ``state``: a touch's state in the ledger, ``sent`` for accepted, or ``skipped``.
SCHEDULE = pa.schema([
    ("customer_id", TEXT), ("number", WHOLE), ("pattern", TEXT), ("channel", TEXT), ("offer_id", TEXT),
    ("state", TEXT), ("reason", TEXT), ("at", TIME), ("until", TIME), ("zone", TEXT), ("local_time", TEXT),
    ("enrolment_id", TEXT),
])  # fmt: skip

#: States of touches that stand in nobody's calendar any more.
_GONE = ("skipped", "expired", "cancelled", "rejected", "refused")
_OVER = {"state": "cancelled", "reason": "enrolment_ended"}


def schedule(workspace: Workspace, playbook_name: str, run_id: str | None = None) -> pa.Table:
    """The schedule (``SCHEDULE``) of a playbook's active enrolments, or of the enrolments one run began, or would have.

    Raises ``StepError`` for a run of another playbook or without a plan.
    """
    playbook = workspace.playbook(playbook_name).playbook
    with workspace.ledger.begin() as conn:
        course = going_on(workspace, conn, playbook, _contacts(workspace, conn))
        if run_id is None:
            return _merged(course.plans, course.known, course.waiting)
        run, known = runs.run_of(conn, run_id), courses.of_run(conn, run_id)
    folder = workspace.run_folder(run_id)
    if run.playbook != playbook_name or not folder.has("plan"):
        raise StepError(f"run {run_id} has no plan of playbook {playbook_name}; see `reactivation plan {run.playbook}`")
    plan = folder.read("plan")
    return _merged(plan, known, plan if run.dry else course.waiting)


def calendar(rows: pa.Table) -> list[dict[str, int | str]]:
    """Day by day on the recipients' calendars, how many of each touch go or went out: day, then ``touch <number>``."""
    standing = rows.filter(
        pc.and_(pc.invert(pc.is_in(rows["state"], pa.array(_GONE))), pc.is_valid(rows["local_time"]))
    )
    days = pa.table({"day": pc.utf8_slice_codeunits(standing["local_time"], 0, 10), "number": standing["number"]})
    counted = days.group_by(["day", "number"]).aggregate([([], "count_all")]).to_pylist()
    numbers = sorted(set(rows["number"].to_pylist()))
    found: dict[str, dict[str, int | str]] = {}
    for row in sorted(counted, key=lambda one: (one["day"], one["number"])):
        day = found.setdefault(row["day"], {"day": row["day"], **{f"touch {number}": 0 for number in numbers}})
        day[f"touch {row['number']}"] = row["count_all"]
    return list(found.values())


def _contacts(workspace: Workspace, conn: Connection) -> pa.Table | None:
    """Where people are, as the newest snapshot says; none when its files are gone."""
    newest = runs.latest_ready_snapshot(conn)
    try:
        return None if newest is None else workspace.snapshot_folder(newest.snapshot_id).read("contacts")
    except EvidenceError:
        return None


def _merged(plan: pa.Table, known: pa.Table, waiting: pa.Table) -> pa.Table:
    """Every row of ``plan`` as it stands now: as the ledger has it, else as it waits, else as it was left out."""
    plan = plan.combine_chunks()
    in_ledger = pc.index_in(plan["touch_id"], known["touch_id"].combine_chunks())
    to_come = pc.index_in(plan["touch_id"], waiting["touch_id"].combine_chunks())

    def told(name: str) -> pa.ChunkedArray:
        return known[name].take(in_ledger)

    lost = pc.and_(pc.and_(pc.is_null(in_ledger), pc.is_null(to_come)), pc.not_equal(plan["state"], "skipped"))
    of_plan = {name: pc.if_else(lost, pa.scalar(code), plan[name]) for name, code in _OVER.items()}
    state = pc.coalesce(told("state"), of_plan["state"])
    at = pc.coalesce(told("sent_at"), told("not_before"), waiting["not_before"].take(to_come), plan["not_before"]).cast(
        TIME
    )
    rows = {
        **{name: plan[name] for name in ("customer_id", "number", "pattern", "channel", "offer_id", "zone")},
        "enrolment_id": plan["enrolment_id"],
        "state": pc.if_else(pc.equal(state, "accepted"), "sent", state),
        "reason": pc.if_else(pc.is_valid(in_ledger), told("reason"), of_plan["reason"]),
        "at": at,
        "until": pc.coalesce(told("not_after"), waiting["not_after"].take(to_come), plan["not_after"]),
        "local_time": local_time(_flat(at), _flat(plan["zone"])),
    }
    table = pa.table({name: rows[name] for name in SCHEDULE.names}).cast(SCHEDULE)
    return table.sort_by([("customer_id", "ascending"), ("enrolment_id", "ascending"), ("number", "ascending")])


def _flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
