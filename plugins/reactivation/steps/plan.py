"""Plans a run: who begins today, every touch of theirs, and what enters the approval horizon.

``plan.parquet`` has all touches of the enrolments that begin, skipped ones too; the ledger gets a row for each planned
touch on the day it enters the horizon, those of earlier runs included. What went out late moves what comes after it,
and a larger incentive whose smaller one can no longer be sent is cancelled. Every decision leaves one measurement
event, suppressions, holds and the holdout too. A dry run writes the plan and nothing else.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation.approvals import nobody_signs
from reactivation.evidence import RunFolder
from reactivation.ledger import audit, courses, enrolments, measurements, runs, seals, touches
from reactivation.ledger.bulk import Rows, Stored
from reactivation.ledger.mail import EMAIL
from reactivation.ledger.runs import Run
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.owners import SIGNS_FOR
from reactivation.policy.climbs import TRIED, hindered
from reactivation.policy.intake import INTAKE, Room, take_in
from reactivation.policy.pausing import paused_ids
from reactivation.policy.pilots import kept_out
from reactivation.policy.sequence import candidates_for_sequence
from reactivation.policy.timing import PLACE_COLUMNS
from reactivation.policy.touch_offers import NOT_TRIED
from reactivation.policy.variants import plan_variants
from reactivation.steps.begun import playbook_of, snapshot_of
from reactivation.steps.deciding import today_of
from reactivation.steps.deliverability import allowed_today
from reactivation.steps.going_on import GoingOn, going_on, not_entered, plans_of
from reactivation.steps.piloting import sample_of
from reactivation.steps.planning import (
    DECISION_COLUMNS,
    beginnings,
    decision_events,
    due,
    enrolment_rows,
    identified,
    key_rows,
    plan_of,
    touch_rows,
    with_items,
    without_held_back,
)
from reactivation.steps.quality import require_quality
from reactivation.steps.readiness import ROWS
from reactivation.steps.splitting import batch_of, paused_parts

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

STEP, BEFORE = "plan", "readiness"


def plan_run(workspace: Workspace, run_id: str, now: datetime) -> dict[str, int]:
    """Plan a run and enrol who begins; returns the counts. Raises ``StepError`` before ``readiness`` succeeded,
    and where a quality gate of the documents does not hold."""
    folder = workspace.run_folder(run_id)
    with workspace.ledger.begin() as conn:
        runs.require_step(conn, run_id, BEFORE, folder.manifest_digest)
        run = runs.run_of(conn, run_id)
        rests = now - timedelta(days=workspace.rules.incentives.equal_or_better_after_days)
        offered = courses.offers_sent(conn, rests)
    playbook, snapshot = playbook_of(workspace, run).playbook, snapshot_of(workspace, run)
    require_quality(folder, playbook)
    decisions = without_held_back(folder.read("decisions", DECISION_COLUMNS), folder.read(ROWS))
    offers = snapshot.read("offers")
    allowed = pc.is_in(decisions["decision"], pa.array(["enrol", "review"]))
    asked = pc.and_(allowed, pc.invert(decisions["enrolled"]))
    candidates = decisions.filter(asked)
    contacts = snapshot.read("contacts", ("customer_id", *PLACE_COLUMNS))
    horizon = now + timedelta(days=playbook.approval.horizon_days)
    # One row after another, the ledger takes longest: what it can have is given to it beside all other work.
    with ThreadPoolExecutor(max_workers=1) as beside, workspace.ledger.begin() as conn:
        planned = beside.submit(
            plan_variants, candidates_for_sequence(candidates, contacts, offered, workspace.rules.incentives),
            candidates["variant"], playbook, offers, workspace.rules.timing, now,
        )  # fmt: skip
        occupied = enrolments.active_keys(conn)
        course = going_on(workspace, conn, playbook, contacts)
        entering = course.waiting.filter(due(course.waiting, horizon))
        room = _room(workspace, conn, playbook, run, entering=entering, now=now)
        room = replace(room, kept_out=_kept_out(conn, playbook, candidates, now))
        if not run.dry:
            others = decisions.filter(pc.invert(asked))
            measurements.insert_events(conn, decision_events(run, others, INTAKE.empty_table(), now))
        sequence = planned.result()
        intake = take_in(with_items(candidates, sequence, horizon, occupied), room, occupied)
        spent = Counter(touches.outstanding_offers(conn)) + _promised(workspace, conn, playbook, course)
        plan, intake = plan_of(sequence, intake, playbook=playbook, offers=offers, spent=spent)
        del sequence, planned  # as large as the plan, and not needed beside the inserts
        begun, dialect = beginnings(run_id, candidates, plan), conn.dialect.name
        named = beside.submit(identified, plan, begun, horizon)
        filed = beside.submit(_filed, folder, named)
        counts = _counts(candidates, intake, plan, horizon)
        counts |= {"continued": entering.num_rows, "moved": len(course.windows), "not_climbed": 0}
        if not run.dry:
            keys = beside.submit(_keys, dialect, begun)
            entered = beside.submit(_touches, dialect, run.playbook, named, entering, now)
            events = beside.submit(_events, dialect, run, candidates, intake, now)
            courses.move(conn, course.windows, actor=run.playbook, now=now)
            enrolments.insert_enrolments(conn, enrolment_rows(run, begun, batch_of(conn, run, playbook, now), now))
            enrolments.insert_keys(conn, keys.result())
            touches.insert_touches(conn, entered.result())
            _told(conn, run, plan=filed.result()[1], enrolments=begun.num_rows, touches=len(entered.result()), now=now)
            counts["not_climbed"] = _without_climbs(conn, run, playbook, _tried(course.known, entering), now)
            measurements.insert_events(conn, events.result())
        digest, _ = filed.result()
        runs.record_step(conn, run_id, STEP, state="succeeded", manifest_digest=digest, counts=counts, now=now)
    seals.seal(workspace.ledger, now)
    return counts


def _kept_out(conn: Connection, playbook: Playbook, candidates: pa.Table, now: datetime) -> dict[str, str]:
    """By customer, why a pilot, or a pause of their variant, does not let them begin."""
    paused = paused_parts(conn, playbook.playbook)
    held = paused_ids(candidates["customer_id"], candidates["variant"], candidates["business_segment"], paused)
    return held | kept_out(candidates, sample_of(conn, playbook, now))


def _promised(workspace: Workspace, conn: Connection, playbook: Playbook, course: GoingOn) -> Counter[str]:
    """By offer, how many touches are planned, in any playbook, that have no row in the ledger yet."""
    active = enrolments.active_of(conn)
    others = active.filter(pc.not_equal(active["playbook"], playbook.playbook))
    elsewhere = (
        not_entered(plans_of(workspace, others), courses.of_active(conn))
        if others.num_rows
        else course.waiting.slice(0, 0)
    )
    return _tally(pa.concat_tables([course.waiting, elsewhere])["offer_id"].drop_null())


def _tried(known: pa.Table, entering: pa.Table) -> pa.Table:
    """The touches (``TRIED``) of the enrolments that go on; one that begins has nothing to climb from yet."""
    planned = entering.append_column("send_state", pa.nulls(entering.num_rows, pa.string()))
    return pa.concat_tables([some.select(TRIED.names).cast(TRIED) for some in (known, planned)])


def _without_climbs(conn: Connection, run: Run, playbook: Playbook, tried: pa.Table, now: datetime) -> int:
    """Cancel the larger steps whose smaller one was not sent and never will be; returns how many."""
    why = hindered(tried, playbook, courses.redeemed(conn))
    waiting = touches.touches_of(conn, [touch_id for touch_id, reason in why.items() if reason == NOT_TRIED])
    movable = [touch for touch in waiting if touch.state in courses.MOVABLE]
    return touches.set_state(conn, movable, "cancelled", reason=NOT_TRIED, actor=run.playbook, now=now)


def _room(
    workspace: Workspace, conn: Connection, playbook: Playbook, run: Run, *, entering: pa.Table, now: datetime
) -> Room:
    """What may begin today, in the tenant's day: places, and items per owner who may sign, as far as somebody is there
    to be asked for him.

    All playbooks together begin no more than the sending domain can carry; the rest would wait and expire.
    """
    zone = ZoneInfo(workspace.tenant.timezone)
    midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
    asked = Counter(touches.planned_by_owner(conn, playbook.playbook))
    asked += _tally(entering["owner_id"])
    role, most = SIGNS_FOR[playbook.subject], playbook.intake.review_capacity_per_owner
    signing = [one for one in workspace.owners.by_id if workspace.owners.signers_for(one, role)]
    places = playbook.intake.per_day - enrolments.begun_since(conn, midnight, playbook.playbook)
    if EMAIL in playbook.channels:
        places = min(places, allowed_today(conn, workspace, now) - enrolments.begun_since(conn, midnight))
    unsigned = nobody_signs(
        signing, owners=workspace.owners, authors={playbook.authored_by, run.triggered_by},
        today=today_of(workspace, now), of_accounts=playbook.subject == "account",
    )  # fmt: skip
    return Room(
        enrolments=places,
        items_by_owner={one: most - asked[one] for one in signing},
        segment=run.segment,
        sample_size=run.sample_size,
        nobody_signs=unsigned,
    )


def _told(conn: Connection, run: Run, *, plan: str, enrolments: int, touches: int, now: datetime) -> None:
    """Who they are is in the plan, whose digest stands beside the counts."""
    audit.write(
        conn, at=now, actor=run.playbook, action="enrolments_begun", subject=run.run_id,
        details={"plan": plan, "enrolments": enrolments, "touches": touches},
    )  # fmt: skip


# --- beside the ledger ----------------------------------------------------------------------------------------------
def _filed(folder: RunFolder, plan: Future[pa.Table]) -> tuple[str, str]:
    """Adds the plan to the run's folder: the digests of its manifest and of the file."""
    return folder.add_file("plan", plan.result()), folder.files["plan.parquet"]


def _keys(dialect: str, begun: pa.Table) -> Rows:
    return enrolments.stored_keys(dialect, key_rows(begun))


def _touches(dialect: str, playbook: str, plan: Future[pa.Table], entering: pa.Table, now: datetime) -> Rows:
    """The touches of the horizon: of the enrolments that begin, and of those that go on."""
    rows = [touch_rows(playbook, some, now) for some in (_in_horizon(plan.result()), entering)]
    return touches.stored_touches(dialect, pa.concat_tables(rows))


def _events(dialect: str, run: Run, candidates: pa.Table, intake: pa.Table, now: datetime) -> pa.Table | Stored:
    return measurements.stored_events(dialect, decision_events(run, candidates, intake, now))


def _in_horizon(plan: pa.Table) -> pa.Table:
    return plan.filter(plan["in_horizon"])


def _counts(candidates: pa.Table, intake: pa.Table, plan: pa.Table, horizon: datetime) -> dict[str, int]:
    """What happened, as codes and numbers."""
    outcomes, reasons = _tally(intake["outcome"]), _tally(intake["reason"].drop_null())
    states, skipped = _tally(plan["state"]), _tally(plan["reason"].drop_null())
    return {
        "candidates": candidates.num_rows,
        "begun": outcomes["begin"],
        "holdout": outcomes["holdout"],
        **{f"held:{reason}": count for reason, count in sorted(reasons.items()) if reason != "holdout"},
        "planned": states["planned"],
        **{f"skipped:{reason}": count for reason, count in sorted(skipped.items())},
        "entered": pc.sum(due(plan, horizon), min_count=0).as_py(),
    }


def _tally(words: pa.ChunkedArray) -> Counter[str]:
    return Counter({row["values"]: row["counts"] for row in pc.value_counts(words).to_pylist()})
