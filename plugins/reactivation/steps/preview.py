"""What one customer would read in one touch, or why nothing: the same decision, plan and drafter as a real run.

Decides the newest ready snapshot afresh against the ledger as it is now. Writes nothing and reserves no code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation.evidence import SnapshotFolder
from reactivation.ledger import codes, courses, enrolments, runs, touches
from reactivation.ledger.extract import ledger_extract
from reactivation.ledger.runs import StepError
from reactivation.ledger.touches import DUE
from reactivation.messages.codes import offer_code
from reactivation.messages.fields import MessageError
from reactivation.playbooks.loader import LoadedPlaybook
from reactivation.policy.channels import KEY_OF
from reactivation.policy.sequence import PLANNED, candidates_for_sequence
from reactivation.policy.variants import plan_variants
from reactivation.steps.accepting import rules_in_force
from reactivation.steps.decide import decide_snapshot, owners_said
from reactivation.steps.drafting import drafter_of, due_touch, with_customers
from reactivation.steps.settings import ConfigurationError

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace


@dataclass(frozen=True)
class Shown:
    """A draft as a row of ``drafts.parquet``, or the reason why there is none."""

    customer_id: str
    number: int
    draft: dict[str, Any] | None
    reason: str | None


def preview(workspace: Workspace, playbook_name: str, number: int, customer_id: str, now: datetime) -> Shown:
    """The draft of touch ``number`` for a customer, were it drafted now.

    Raises ``ConfigurationError`` for a customer or touch there is not, ``StepError`` without a ready snapshot.
    """
    loaded = workspace.playbook(playbook_name)
    playbook = loaded.playbook
    if number not in {touch.number for touch in playbook.touches}:
        raise ConfigurationError(f"playbook {playbook_name} has no touch {number}")
    with workspace.ledger.begin() as conn:
        newest = runs.latest_ready_snapshot(conn)
        if newest is None:
            raise StepError(f"there is no ready snapshot to preview; say: reactivation run {playbook_name} --dry-run")
        extract, rules = ledger_extract(conn, brand=playbook.brand, now=now), rules_in_force(workspace, conn)
        rests = now - timedelta(days=workspace.rules.incentives.equal_or_better_after_days)
        offered = courses.offers_sent(conn, rests)
        before = [one.playbook for one in workspace.before(playbook_name)]
        said = owners_said(conn, playbook, *before)
        entered, code = _entered(conn, playbook_name, customer_id, number)
    snapshot = workspace.snapshot_folder(newest.snapshot_id)
    if not pc.any(pc.equal(snapshot.read("contacts")["customer_id"], customer_id)).as_py():
        raise ConfigurationError(f"there is no customer {customer_id} in snapshot {newest.snapshot_id}; check the id")

    decided = decide_snapshot(
        snapshot, extract, playbook, rules, workspace.owners, at=newest.as_of,
        before=before, owners_said=said,
    )  # fmt: skip
    decision = decided.table.filter(pc.equal(decided.table["customer_id"], customer_id))
    reason = _not_permitted(decision)
    due = entered
    if reason is None and due is None:
        due, reason = _planned(workspace, loaded, snapshot, decision, offered, number=number, now=now)
    if due is None or reason is not None:
        return Shown(customer_id, number, None, reason)
    drafter = drafter_of(workspace, loaded, snapshot)
    [row] = with_customers(
        due, snapshot, decision, playbook=playbook, rules=workspace.rules.timing, now=now
    ).to_pylist()
    offer = drafter.offers.get(row["offer_id"])
    if code is None and offer is not None and offer.codes is not None:
        code = offer_code(offer.offer_id, row["touch_id"])
    try:
        return Shown(customer_id, number, drafter.draft(due_touch(row, code)), None)
    except MessageError as refused:
        return Shown(customer_id, number, None, f"{refused.code}: {refused}")


def _entered(conn: Connection, playbook: str, customer_id: str, number: int) -> tuple[pa.Table | None, str | None]:
    """The touch the ledger already has for the customer, as ``DUE``, with its code."""
    active = enrolments.active_of(conn, playbook)
    theirs = active.filter(pc.equal(active["customer_id"], customer_id)).to_pylist()
    known = {one["enrolment_id"]: {name: one[name] for name in ("owner_id", "variant")} for one in theirs}
    for touch in touches.draftable(conn, playbook):
        if touch.enrolment_id in known and touch.number == number:
            due = pa.Table.from_pylist([vars(touch) | known[touch.enrolment_id]], DUE)
            return due, codes.codes_of(conn, playbook).get(touch.touch_id)
    return None, None


def _not_permitted(decision: pa.Table) -> str | None:
    """Why the customer may not be written to at all."""
    if decision.num_rows == 0:
        return "not a candidate: not dormant by the window of the segment, or not in this playbook's population"
    [row] = decision.select(["decision", "reason_codes"]).to_pylist()
    if row["decision"] in ("enrol", "review"):
        return None
    return f"{row['decision']}: {', '.join(row['reason_codes'] or ())}"


def _planned(
    workspace: Workspace, loaded: LoadedPlaybook, snapshot: SnapshotFolder, decision: pa.Table, offered: pa.Table,
    *, number: int, now: datetime,
) -> tuple[pa.Table | None, str | None]:  # fmt: skip
    """The touch as it would be planned were the customer enrolled now, as ``DUE``; or why it would be skipped."""
    incentives = workspace.rules.incentives
    candidates = candidates_for_sequence(decision, snapshot.read("contacts"), offered, incentives)
    plan = plan_variants(
        candidates, decision["variant"], loaded.playbook, snapshot.read("offers"), workspace.rules.timing, now
    )
    row = plan.filter(pc.equal(plan["number"], number)).to_pylist()[0]
    if row["state"] != PLANNED:
        return None, f"touch {number} is skipped: {row['reason']}"
    [decided] = decision.select(["owner_id", "variant", *KEY_OF.values()]).to_pylist()
    touch_id = str(uuid5(NAMESPACE_OID, f"preview:{row['customer_id']}:{number}"))
    known = {"touch_id": touch_id, "enrolment_id": touch_id, "owner_id": decided["owner_id"],
             "variant": decided["variant"], "address_key": decided[KEY_OF[row["channel"]]]}  # fmt: skip
    return pa.Table.from_pylist([row | known], DUE), None
