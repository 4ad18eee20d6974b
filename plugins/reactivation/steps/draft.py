"""Drafts the touches in the approval horizon: bytes into ``drafts.parquet``, digests and offer codes into the ledger.

Every touch that is neither listed, signed nor rejected is drafted afresh, so that what is asked next is true today. A
touch that cannot be drafted whole is held with the reason. A dry run renders and judges the same, and writes evidence
only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import Connection

from reactivation.evidence import RunFolder
from reactivation.ledger import audit, codes, courses, enrolments, runs, seals, touches
from reactivation.ledger.runs import Run
from reactivation.messages.codes import assign
from reactivation.messages.drafts import DRAFTS, Drafter
from reactivation.messages.fields import MessageError, Offer
from reactivation.playbooks.model import Playbook
from reactivation.policy.climbs import TRIED, hindered
from reactivation.steps.begun import playbook_of, snapshot_of
from reactivation.steps.drafting import DUE, drafter_of, due_touch, with_customers

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

STEP, BEFORE = "draft", "plan"

_ROWS_AT_ONCE = 1_000
_REDRAFTED = ("planned", "drafted", "held")
_USED_UP = "offer_used_up"


def draft_run(workspace: Workspace, run_id: str, now: datetime) -> dict[str, int]:
    """Draft what is due; returns counts: due, drafted, held, codes, and held by reason. Raises ``StepError``."""
    folder = workspace.run_folder(run_id)
    with workspace.ledger.begin() as conn:
        runs.require_step(conn, run_id, BEFORE, folder.manifest_digest)
        run = runs.run_of(conn, run_id)
        snapshot = snapshot_of(workspace, run)
        drafter = drafter_of(workspace, playbook_of(workspace, run), snapshot)
        due = _due(conn, run, folder, now)
        why = _climbs(conn, run, folder, drafter.playbook)
        held = {touch_id: why[touch_id] for touch_id in due["touch_id"].to_pylist() if touch_id in why}
        code_of = _codes(conn, run.playbook, due, drafter.offers, held)
    asked = with_customers(
        due, snapshot, folder.read("decisions"), playbook=drafter.playbook, rules=workspace.rules.timing, now=now
    )
    drafts = pa.Table.from_batches(_batches(drafter, asked, code_of, held), DRAFTS)
    manifest_digest = folder.add_file("drafts", drafts)
    with_code = drafts.num_rows - drafts["code"].null_count
    counts = {"due": due.num_rows, "drafted": drafts.num_rows, "held": len(held), "codes": with_code}
    counts |= {f"held:{reason}": count for reason, count in sorted(Counter(held.values()).items())}
    with workspace.ledger.begin() as conn:
        if not run.dry:
            rows = drafts.select(["touch_id", "digest", "offer_id", "code"]).to_pylist()
            _record(conn, run, rows, offers=drafter.offers, held=held, now=now)
        runs.record_step(conn, run_id, STEP, state="succeeded", manifest_digest=manifest_digest, counts=counts, now=now)
    seals.seal(workspace.ledger, now)
    return counts


def _due(conn: Connection, run: Run, folder: RunFolder, now: datetime) -> pa.Table:
    """The touches to draft, as ``DUE``: the ledger's, and in a dry run also those its plan would have entered."""
    owner_of = {one.enrolment_id: one.owner_id for one in enrolments.active_of(conn, run.playbook)}
    rows = [
        {**vars(touch), "owner_id": owner_of[touch.enrolment_id]}
        for touch in touches.draftable(conn, run.playbook, _REDRAFTED)
        if touch.not_after > now
    ]
    known = pa.Table.from_pylist(rows, DUE)
    if not run.dry:
        return known
    plan = folder.read("plan")
    return pa.concat_tables([known, plan.filter(plan["in_horizon"]).select(DUE.names).cast(DUE)])


def _climbs(conn: Connection, run: Run, folder: RunFolder, playbook: Playbook) -> dict[str, str]:
    """The steps of the incentive ladder that may not be taken yet, with the reason."""
    known = courses.of_active(conn, run.playbook).select(TRIED.names)
    if run.dry:
        plan = folder.read("plan")
        entering = plan.filter(plan["in_horizon"]).select(["touch_id", "enrolment_id", "number"])
        nothing = {"state": pa.repeat("planned", entering.num_rows), "send_state": pa.nulls(entering.num_rows)}
        entering = pa.table({name: entering[name] for name in entering.column_names} | nothing)
        known = pa.concat_tables([known, entering.cast(TRIED)])
    return hindered(known, playbook, courses.redeemed(conn))


def _codes(
    conn: Connection, playbook: str, due: pa.Table, offers: Mapping[str, Offer], held: dict[str, str]
) -> dict[str, str]:
    """The code of each touch that needs one, its own or a free one, first come first; who gets none joins ``held``."""
    had, used = codes.codes_of(conn, playbook), Counter(codes.in_use(conn))
    kept: dict[str, str] = {}
    wanting: dict[str, str] = {}
    for row in due.sort_by([("not_before", "ascending"), ("touch_id", "ascending")]).to_pylist():
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


def _batches(
    drafter: Drafter, asked: pa.Table, code_of: Mapping[str, str], held: dict[str, str]
) -> Iterator[pa.RecordBatch]:
    """The drafts, some rows at a time; a touch that is refused goes into ``held`` with the reason."""
    for batch in asked.to_batches(max_chunksize=_ROWS_AT_ONCE):
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
    conn: Connection, run: Run, drafted: Sequence[Mapping[str, Any]], *, offers: Mapping[str, Offer],
    held: dict[str, str], now: datetime,
) -> None:  # fmt: skip
    """Enter drafts, codes and holds for the touches that may still be drafted: somebody may have ended an enrolment,
    and another run may have given a code of ours, or the last ones, to somebody else meanwhile."""
    codes.alone(conn)
    waiting = {touch.touch_id: touch for touch in touches.draftable(conn, run.playbook, _REDRAFTED)}
    mine = [row for row in drafted if row["touch_id"] in waiting]
    had, used = codes.codes_of(conn, run.playbook), Counter(codes.in_use(conn))
    gone = codes.taken(conn, [row["code"] for row in mine if row["code"] is not None and row["touch_id"] not in had])
    reserved: dict[str, tuple[str, str]] = {}
    for row in mine:
        touch_id, code, offer = row["touch_id"], row["code"], offers.get(row["offer_id"])
        if code is None or had.get(touch_id) == code:
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
    codes.reserve(conn, reserved, now)
    digests = {row["touch_id"]: row["digest"] for row in mine if row["touch_id"] not in held}
    touches.set_drafted(conn, digests, run_id=run.run_id, now=now)
    for touch_id, reason in sorted(held.items()):
        touch = waiting.get(touch_id)
        if touch is not None and (touch.state, touch.reason) != ("held", reason):
            touches.set_state(conn, touch, "held", reason=reason, actor=run.playbook, now=now)
    if reserved:
        by_offer = Counter(offer_id for _, offer_id in reserved.values())
        audit.write(conn, at=now, actor=run.playbook, action="codes_reserved", subject=run.run_id, details=by_offer)
