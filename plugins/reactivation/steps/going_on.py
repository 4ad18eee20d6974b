"""What the active enrolments' plans still bring, moved by what really went out late.

``plan.parquet`` says what was planned when an enrolment began, and never changes; the ledger has the touches that have
entered the approval horizon. Both together, and what was sent, say when the rest is due.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation.contract.tables import TEXT, TEXTS, TIME
from reactivation.ledger import courses, enrolments
from reactivation.ledger.enrolments import OPEN
from reactivation.playbooks.model import Playbook
from reactivation.policy.timing import PLACE_COLUMNS, local_time
from reactivation.policy.waits import COURSE, moved
from reactivation.steps.planning import PLAN, planned_only

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: Nobody's place.
_NOWHERE = pa.schema([
    ("enrolment_id", TEXT), ("zones", TEXTS), ("zone_sources", TEXTS), ("country", TEXT), ("region", TEXT),
    ("phone_country", TEXT),
]).empty_table()  # fmt: skip

#: States of a touch that may still go out, or may be going out this moment.
_COMING = (*OPEN, "claimed")


@dataclass(frozen=True)
class GoingOn:
    """One playbook's active enrolments: their plans as they began (``PLAN``, skipped rows too), their touches in the
    ledger (``courses.COURSES``), and the planned touches without a row there, with the windows they have by now.

    ``windows``: the new windows of those touches in the ledger that move, by touch id.
    """

    plans: pa.Table
    known: pa.Table
    waiting: pa.Table
    windows: dict[str, tuple[datetime, datetime]]


def going_on(workspace: Workspace, conn: Connection, playbook: Playbook, contacts: pa.Table | None) -> GoingOn:
    """Where the active enrolments of a playbook stand. ``contacts`` (customer_id and ``PLACE_COLUMNS``) say which hours
    are legal; without them a touch moves to the day its wait is over."""
    active = enrolments.active_of(conn, playbook.playbook)
    known = courses.of_active(conn, playbook.playbook)
    plans = plans_of(workspace, active)
    waiting = not_entered(plans, known)
    coming = known.filter(pc.is_in(known["state"], pa.array(_COMING)))
    zones = plans["zone"].take(pc.index_in(coming["touch_id"], plans["touch_id"].combine_chunks()))
    fixed = pc.invert(pc.is_in(coming["state"], pa.array(courses.MOVABLE)))
    course = pa.concat_tables([
        waiting.append_column("fixed", pa.repeat(False, waiting.num_rows)).select(COURSE.names),
        coming.append_column("zone", zones).append_column("fixed", fixed).select(COURSE.names),
    ]).combine_chunks()  # fmt: skip
    days = {touch.number: touch.day for touch in playbook.touches}
    late = moved(course, courses.last_sent(known), _places(active, contacts), days, workspace.rules.timing)
    return GoingOn(
        plans=plans,
        known=known,
        waiting=_moved_plan(waiting, late.slice(0, waiting.num_rows)),
        windows=_windows(coming, late.slice(waiting.num_rows)),
    )


def plans_of(workspace: Workspace, active: pa.Table) -> pa.Table:
    """The plans (``PLAN``) of enrolments (``ACTIVE``), as each began."""
    plans = [workspace.run_folder(run_id).read("plan") for run_id in sorted(active["run_id"].unique().to_pylist())]
    # The plan of a run from before a column was there has nothing in it.
    whole = pa.concat_tables([PLAN.empty_table(), *plans], promote_options="default")
    return whole.filter(pc.is_in(whole["enrolment_id"], active["enrolment_id"].combine_chunks())).combine_chunks()


def not_entered(plans: pa.Table, known: pa.Table) -> pa.Table:
    """The planned touches of ``plans`` that have no row among those the ledger knows."""
    planned = planned_only(plans)
    return planned.filter(pc.invert(pc.is_in(planned["touch_id"], known["touch_id"].combine_chunks())))


def _places(active: pa.Table, contacts: pa.Table | None) -> pa.Table:
    ids = active["enrolment_id"]
    if contacts is None:
        return _NOWHERE
    found = pc.index_in(active["customer_id"], contacts["customer_id"].combine_chunks())
    return pa.table({"enrolment_id": ids, **{name: contacts[name].take(found) for name in PLACE_COLUMNS}})


def _moved_plan(waiting: pa.Table, late: pa.Table) -> pa.Table:
    renewed = {name: late[name].combine_chunks() for name in ("not_before", "not_after")}
    renewed["local_time"] = local_time(renewed["not_before"], waiting["zone"].combine_chunks())
    return pa.table({name: renewed.get(name, waiting[name]) for name in waiting.column_names}).cast(PLAN)


def _windows(coming: pa.Table, late: pa.Table) -> dict[str, tuple[datetime, datetime]]:
    differs = pc.or_(*(pc.not_equal(coming[name].cast(TIME), late[name]) for name in ("not_before", "not_after")))
    changed = late.append_column("touch_id", coming["touch_id"]).filter(differs)
    return {row["touch_id"]: (row["not_before"], row["not_after"]) for row in changed.to_pylist()}
