"""Drafts the touches in the approval horizon: bytes into ``drafts.parquet``, digests and offer codes into the ledger.

Every touch that is neither listed, signed nor rejected is drafted afresh, so that what is asked next is true today. A
touch that cannot be drafted whole is held with the reason. A dry run renders and judges the same, and writes evidence
only.

However many there are, only so many drafts are in memory as are written at once; of the others, what the ledger knows
of their touches, and digests and codes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation.evidence import RunFolder
from reactivation.ledger import audit, codes, courses, enrolments, runs, seals, touches
from reactivation.ledger.runs import Run
from reactivation.ledger.touches import DUE, Touch
from reactivation.messages.codes import assign
from reactivation.messages.drafts import DRAFTS, Drafter
from reactivation.messages.fields import MessageError, Offer
from reactivation.playbooks.model import Playbook
from reactivation.policy.climbs import TRIED, hindered
from reactivation.policy.pausing import paused_ids
from reactivation.policy.touch_offers import steps_below
from reactivation.steps import quality
from reactivation.steps.begun import playbook_of, snapshot_of
from reactivation.steps.drafting import decided, drafter_of, due_touch, with_customers
from reactivation.steps.quality import REPORT, quality_report
from reactivation.steps.splitting import paused_parts

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

STEP, BEFORE = "draft", "plan"

#: Drafts in memory at once: one row group of the file. A draft has ten to fifty kilobytes.
_ROWS_AT_ONCE = 1_000
#: Touches whose customers are looked up at once, and rows the ledger is given at once; each has less than a kilobyte.
_LOOKED_UP_AT_ONCE, _ENTERED_AT_ONCE = 50_000, 10_000
_ENTERED = ("touch_id", "digest", "offer_id", "code")
_USED_UP = "offer_used_up"


def draft_run(workspace: Workspace, run_id: str, now: datetime) -> dict[str, int]:
    """Draft what is due; returns counts: due, drafted, held, codes, and held by reason. Raises ``StepError``,
    also where a quality gate of the documents does not hold of the run."""
    folder = workspace.run_folder(run_id)
    with workspace.ledger.begin() as conn:
        runs.require_step(conn, run_id, BEFORE, folder.manifest_digest)
        run = runs.run_of(conn, run_id)
        snapshot = snapshot_of(workspace, run)
        drafter = drafter_of(workspace, playbook_of(workspace, run), snapshot)
        due = _due(conn, run, folder, now)
        why = _climbs(conn, run, folder, drafter.playbook, due) | _paused(conn, run, due)
        held = {touch_id: why[touch_id] for touch_id in due["touch_id"].to_pylist() if touch_id in why}
        code_of = _codes(conn, run.playbook, due, drafter.offers, held)
    asked = (
        with_customers(
            some, snapshot, decided(folder, some), playbook=drafter.playbook, rules=workspace.rules.timing, now=now
        )
        for some in _parts(due, _LOOKED_UP_AT_ONCE)
    )
    rendered = pa.RecordBatchReader.from_batches(DRAFTS, _batches(drafter, asked, code_of, held))
    with workspace.ledger.begin() as conn:
        report = quality_report(conn, folder, run, drafter.playbook)
    manifest_digest = folder.add({"drafts": rendered, REPORT: report}, rows_per_group=_ROWS_AT_ONCE)
    drafted = folder.read("drafts", _ENTERED)
    with_code = drafted.num_rows - drafted["code"].null_count
    counts = {"due": due.num_rows, "drafted": drafted.num_rows, "held": len(held), "codes": with_code}
    counts |= {f"held:{reason}": count for reason, count in sorted(Counter(held.values()).items())}
    told = counts | quality.counts(report)
    with workspace.ledger.begin() as conn:
        if not run.dry:
            _record(conn, run, drafted, offers=drafter.offers, held=held, now=now)
        runs.record_step(conn, run_id, STEP, state="succeeded", manifest_digest=manifest_digest, counts=told, now=now)
    seals.seal(workspace.ledger, now)
    return counts


def _due(conn: Connection, run: Run, folder: RunFolder, now: datetime) -> pa.Table:
    """The touches to draft, as ``DUE``, by id: the ledger's, and in a dry run also those its plan would have
    entered."""
    due = touches.due(conn, run.playbook, now)
    if run.dry:
        plan = folder.read("plan", [*DUE.names, "in_horizon"])
        due = pa.concat_tables([due, plan.filter(plan["in_horizon"]).select(DUE.names).cast(DUE)])
    return due.sort_by("touch_id")


def _climbs(conn: Connection, run: Run, folder: RunFolder, playbook: Playbook, due: pa.Table) -> dict[str, str]:
    """The steps of the incentive ladder that may not be taken yet, with the reason; none where no such step is due."""
    if not any(steps_below(playbook, number) for number in due["number"].unique().to_pylist()):
        return {}
    known = courses.of_active(conn, run.playbook).select(TRIED.names)
    if run.dry:
        plan = folder.read("plan", ["touch_id", "enrolment_id", "number", "in_horizon"])
        entering = plan.filter(plan["in_horizon"]).drop_columns(["in_horizon"])
        nothing = {"state": pa.repeat("planned", entering.num_rows), "send_state": pa.nulls(entering.num_rows)}
        entering = pa.table({name: entering[name] for name in entering.column_names} | nothing)
        known = pa.concat_tables([known, entering.cast(TRIED)])
    return hindered(known, playbook, courses.redeemed(conn))


def _paused(conn: Connection, run: Run, due: pa.Table) -> dict[str, str]:
    """The touches of enrolments whose variant is paused, with the reason. Nobody begins while it is, in a dry run
    either."""
    paused = paused_parts(conn, run.playbook)
    if not paused:
        return {}
    active = enrolments.active_of(conn, run.playbook)
    why = paused_ids(active["enrolment_id"], active["variant"], active["segment"], paused)
    mine = due.filter(pc.is_in(due["enrolment_id"], pa.array(list(why), pa.string())))
    ids = zip(mine["touch_id"].to_pylist(), mine["enrolment_id"].to_pylist(), strict=True)
    return {touch_id: why[enrolment_id] for touch_id, enrolment_id in ids}


def _codes(
    conn: Connection, playbook: str, due: pa.Table, offers: Mapping[str, Offer], held: dict[str, str]
) -> dict[str, str]:
    """The code of each touch that needs one, its own or a free one, first come first; who gets none joins ``held``."""
    had, used = codes.codes_of(conn, playbook), Counter(codes.in_use(conn))
    kept: dict[str, str] = {}
    wanting: dict[str, str] = {}
    may_have_one = pc.or_(pc.is_valid(due["offer_id"]), pc.is_in(due["touch_id"], pa.array(had, pa.string())))
    earliest_first = due.filter(may_have_one).sort_by([("not_before", "ascending"), ("touch_id", "ascending")])
    for row in earliest_first.select(["touch_id", "offer_id"]).to_pylist():
        touch_id, offer = row["touch_id"], offers.get(row["offer_id"])
        if touch_id in had:
            kept[touch_id] = had[touch_id]
        elif offer is not None and offer.codes is not None and touch_id not in held:
            if used[offer.offer_id] < offer.codes:
                used[offer.offer_id] += 1
                wanting[touch_id] = offer.offer_id
            else:
                held[touch_id] = _USED_UP
    return kept | assign(wanting, lambda some: codes.taken(conn, some))


def _parts(rows: pa.Table, size: int) -> Iterator[pa.Table]:
    return (rows.slice(begin, size) for begin in range(0, rows.num_rows, size))


def _batches(
    drafter: Drafter, asked: Iterable[pa.Table], code_of: Mapping[str, str], held: dict[str, str]
) -> Iterator[pa.RecordBatch]:
    """The drafts, some rows at a time; a touch that is refused goes into ``held`` with the reason."""
    for batch in (batch for part in asked for batch in part.to_batches(max_chunksize=_ROWS_AT_ONCE)):
        rows = []
        for row in batch.to_pylist():
            touch_id = row["touch_id"]
            if touch_id in held:
                continue
            try:
                rows.append(drafter.draft(due_touch(row, code_of.get(touch_id))))
            except MessageError as refused:
                held[touch_id] = refused.code
        yield pa.RecordBatch.from_pylist(rows, DRAFTS)


def _record(
    conn: Connection, run: Run, drafted: pa.Table, *, offers: Mapping[str, Offer], held: dict[str, str], now: datetime
) -> None:
    """Enter drafts (``_ENTERED``), codes and holds for the touches that may still be drafted: somebody may have ended
    an enrolment, and another run may have given a code of ours, or the last ones, to somebody else meanwhile."""
    codes.alone(conn)
    waiting = touches.draftable_ids(conn, run.playbook)
    reserved = _reserved(conn, run, drafted, waiting, offers=offers, held=held)
    codes.reserve(conn, reserved, now)
    for part in _parts(drafted, _ENTERED_AT_ONCE):
        digests = zip(part["touch_id"].to_pylist(), part["digest"].to_pylist(), strict=True)
        mine = {touch_id: digest for touch_id, digest in digests if touch_id in waiting and touch_id not in held}
        touches.set_drafted(conn, mine, run_id=run.run_id, now=now)
    newly: dict[str, list[Touch]] = defaultdict(list)
    for touch in touches.touches_of(conn, held.keys() & waiting):
        reason = held[touch.touch_id]
        if (touch.state, touch.reason) != ("held", reason):
            newly[reason].append(touch)
    for reason, some in sorted(newly.items()):
        touches.set_state(conn, some, "held", reason=reason, actor=run.playbook, now=now)
    if reserved:
        by_offer = Counter(offer_id for _, offer_id in reserved.values())
        audit.write(conn, at=now, actor=run.playbook, action="codes_reserved", subject=run.run_id, details=by_offer)


def _reserved(
    conn: Connection, run: Run, drafted: pa.Table, waiting: Collection[str], *, offers: Mapping[str, Offer],
    held: dict[str, str],
) -> dict[str, tuple[str, str]]:  # fmt: skip
    """The new codes in the drafts, with their offers, by touch id; who cannot have his any more joins ``held``."""
    coded = [row for row in drafted.filter(pc.is_valid(drafted["code"])).to_pylist() if row["touch_id"] in waiting]
    had, used = codes.codes_of(conn, run.playbook), Counter(codes.in_use(conn))
    gone = codes.taken(conn, [row["code"] for row in coded if row["touch_id"] not in had])
    reserved: dict[str, tuple[str, str]] = {}
    for row in coded:
        touch_id, code, offer = row["touch_id"], row["code"], offers.get(row["offer_id"])
        if had.get(touch_id) == code:
            continue
        if (
            offer is None
            or offer.codes is None
            or touch_id in had
            or code in gone
            or used[offer.offer_id] >= offer.codes
        ):
            held[touch_id] = _USED_UP
        else:
            used[offer.offer_id] += 1
            reserved[touch_id] = (code, offer.offer_id)
    return reserved
