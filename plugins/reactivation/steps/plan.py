"""Plans a run: who begins today, every touch of theirs, and what enters the approval horizon.

``plan.parquet`` has all touches of the enrolments that begin, skipped ones too; the ledger gets a row for each planned
touch on the day it enters the horizon, those of earlier runs included. Every decision leaves one measurement event,
suppressions, holds and the holdout too. A dry run writes the plan and nothing else.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation.ledger import audit, enrolments, measurements, runs, seals, touches
from reactivation.ledger.runs import Run
from reactivation.playbooks.model import Playbook
from reactivation.policy.intake import Room, take_in
from reactivation.policy.sequence import candidates_for_sequence, plan_sequence
from reactivation.steps.begun import playbook_of, snapshot_of
from reactivation.steps.planning import (
    PLAN,
    decision_events,
    due,
    enrolment_rows,
    key_rows,
    plan_of,
    still_to_enter,
    touch_rows,
    with_items,
)

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

STEP, BEFORE = "plan", "readiness"

_SIGNS_FOR = {"customer": "marketing_owner", "account": "account_owner"}


@dataclass(frozen=True)
class _GoingOn:
    """Planned touches (``PLAN``) of earlier enrolments that have no row in the ledger: all, and those due for one."""

    waiting: pa.Table
    entering: pa.Table


def plan_run(workspace: Workspace, run_id: str, now: datetime) -> dict[str, int]:
    """Plan a run and enrol who begins; returns the counts. Raises ``StepError`` before ``readiness`` succeeded."""
    folder = workspace.run_folder(run_id)
    with workspace.ledger.begin() as conn:
        runs.require_step(conn, run_id, BEFORE, folder.manifest_digest)
        run = runs.run_of(conn, run_id)
    playbook, snapshot = playbook_of(workspace, run).playbook, snapshot_of(workspace, run)
    decisions, offers = folder.read("decisions"), snapshot.read("offers")
    allowed = pc.is_in(decisions["decision"], pa.array(["enrol", "review"]))
    candidates = decisions.filter(pc.and_(allowed, pc.invert(decisions["enrolled"])))
    places = candidates_for_sequence(candidates, snapshot.read("contacts"))
    sequence = plan_sequence(places, playbook, offers, workspace.rules.timing, now)
    horizon = now + timedelta(days=playbook.approval.horizon_days)
    with workspace.ledger.begin() as conn:
        occupied = pa.array(sorted(enrolments.active_keys(conn)), pa.string())
        going_on = _going_on(workspace, conn, playbook, horizon)
        room = _room(workspace, conn, playbook, run, going_on=going_on, now=now)
        intake = take_in(with_items(candidates, sequence, horizon), room, occupied)
        spent = Counter(touches.outstanding_offers(conn)) + _offers(going_on.waiting)
        plan, intake = plan_of(run_id, candidates, sequence, intake, offers=offers, spent=spent, horizon=horizon)
        digest = folder.add_file("plan", plan)
        counts = _counts(candidates, intake, plan, going_on)
        if not run.dry:
            _record(conn, run, candidates, plan, going_on.entering, now=now)
            measurements.insert_events(conn, decision_events(run, decisions, intake, now))
        runs.record_step(conn, run_id, STEP, state="succeeded", manifest_digest=digest, counts=counts, now=now)
    seals.seal(workspace.ledger, now)
    return counts


def _going_on(workspace: Workspace, conn: Connection, playbook: Playbook, horizon: datetime) -> _GoingOn:
    """What the active enrolments' own plans still bring."""
    active = enrolments.active_of(conn, playbook.playbook)
    ids, entered = {one.enrolment_id for one in active}, touches.numbers_of(conn, playbook.playbook)
    plans = [workspace.run_folder(run_id).read("plan") for run_id in sorted({one.run_id for one in active})]
    waiting = pa.concat_tables([PLAN.empty_table(), *(still_to_enter(plan, ids, entered) for plan in plans)])
    return _GoingOn(waiting, waiting.filter(due(waiting, horizon)))


def _room(
    workspace: Workspace, conn: Connection, playbook: Playbook, run: Run, *, going_on: _GoingOn, now: datetime
) -> Room:
    """What may begin today, in the tenant's day: places, and items per owner who may sign."""
    zone = ZoneInfo(workspace.tenant.timezone)
    midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
    asked = Counter(touches.planned_by_owner(conn, playbook.playbook))
    asked += Counter(going_on.entering["owner_id"].to_pylist())
    role, most = _SIGNS_FOR[playbook.subject], playbook.intake.review_capacity_per_owner
    signing = [one for one in workspace.owners.by_id if workspace.owners.signers_for(one, role)]
    return Room(
        enrolments=playbook.intake.per_day - enrolments.begun_since(conn, playbook.playbook, midnight),
        items_by_owner={one: most - asked[one] for one in signing},
        segment=run.segment,
        sample_size=run.sample_size,
    )


def _record(
    conn: Connection, run: Run, candidates: pa.Table, plan: pa.Table, entering: pa.Table, *, now: datetime
) -> None:
    """Enter enrolments, the address keys they occupy, and the touches of the horizon."""
    begun = enrolment_rows(run, candidates, plan, now)
    enrolments.insert_enrolments(conn, begun)
    enrolments.insert_keys(conn, key_rows(candidates, plan))
    touches.insert_touches(conn, touch_rows(run.playbook, plan.filter(plan["in_horizon"]), now))
    touches.insert_touches(conn, touch_rows(run.playbook, entering, now))
    audit.write_many(
        conn, at=now, actor=run.playbook, action="enrolment_begun",
        subjects=[(one["enrolment_id"], {"run_id": run.run_id, "customer_id": one["customer_id"],
                                         "decision": one["decision"]}) for one in begun],
    )  # fmt: skip


def _offers(rows: pa.Table) -> Counter[str]:
    return Counter(rows["offer_id"].drop_null().to_pylist())


def _counts(candidates: pa.Table, intake: pa.Table, plan: pa.Table, going_on: _GoingOn) -> dict[str, int]:
    """What happened, as codes and numbers."""
    outcomes, reasons = Counter(intake["outcome"].to_pylist()), Counter(intake["reason"].drop_null().to_pylist())
    states, skipped = Counter(plan["state"].to_pylist()), Counter(plan["reason"].drop_null().to_pylist())
    return {
        "candidates": candidates.num_rows,
        "begun": outcomes["begin"],
        "holdout": outcomes["holdout"],
        **{f"held:{reason}": count for reason, count in sorted(reasons.items()) if reason != "holdout"},
        "planned": states["planned"],
        **{f"skipped:{reason}": count for reason, count in sorted(skipped.items())},
        "entered": sum(plan["in_horizon"].to_pylist()),
        "continued": going_on.entering.num_rows,
    }
