"""The plan of a run as a table, and as rows for the ledger.

Grain of ``PLAN``: one row per enrolment that begins and touch of the playbook, sorted by customer_id and number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import FLAG, TEXT, TIME
from reactivation.ledger import measurements
from reactivation.ledger.runs import Run
from reactivation.playbooks.model import Playbook
from reactivation.policy.budgets import within_budget
from reactivation.policy.intake import BEGIN, HOLD
from reactivation.policy.sequence import PLANNED, SEQUENCE

PLAN = pa.schema([
    *SEQUENCE, ("enrolment_id", TEXT), ("touch_id", TEXT), ("owner_id", TEXT), ("address_key", TEXT),
    ("in_horizon", FLAG),
])  # fmt: skip

_DIMENSIONS = (
    "dormancy_range", "margin_class", "purchase_kind", "purchase_repeat", "aov_tier", "engagement_pattern",
    "product_affinity", "acquisition_channel", "value_tier", "population",
)  # fmt: skip
_OF_TOUCH = (
    "touch_id", "enrolment_id", "number", "pattern", "purpose", "channel", "incentive", "offer_id", "address_key",
    "not_before", "not_after",
)  # fmt: skip

#: The fourth group of a UUID begins with one of 8, 9, a, b.
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def due(sequence: pa.Table, horizon: datetime) -> pa.ChunkedArray:
    """Which rows are planned and may go out before the horizon ends."""
    soon = pc.less_equal(sequence["not_before"], pa.scalar(horizon, TIME))
    return pc.fill_null(pc.and_(pc.equal(sequence["state"], PLANNED), soon), False)


def with_items(candidates: pa.Table, sequence: pa.Table, horizon: datetime) -> pa.Table:
    """``candidates`` as the intake wants them: with how many touches an owner would have to look at now."""
    counted = sequence.filter(due(sequence, horizon)).group_by("customer_id").aggregate([([], "count_all")])
    items = pc.fill_null(_looked_up(candidates["customer_id"], counted, "count_all"), 0)
    columns = ["customer_id", "business_segment", "owner_id", "priority", "holdout", "email_key", "phone_key"]
    return candidates.select(columns).append_column("items", items)


def plan_of(
    run_id: str, candidates: pa.Table, sequence: pa.Table, intake: pa.Table, *, playbook: Playbook, offers: pa.Table,
    spent: Mapping[str, int], horizon: datetime,
) -> tuple[pa.Table, pa.Table]:  # fmt: skip
    """The plan (``PLAN``) of those who begin, within the offers' budgets, and the intake as it is then.

    ``spent``: by offer, the touches that cost it already or still may. Who has no planned touch left is held.
    """
    begun = intake.filter(pc.equal(intake["outcome"], BEGIN))
    rows = sequence.filter(pc.is_in(sequence["customer_id"], begun["customer_id"].combine_chunks()))
    ranks = _looked_up(rows["customer_id"], begun, "rank").to_numpy()
    rows = within_budget(rows, ranks, playbook, offers, spent)
    left = rows.filter(pc.equal(rows["state"], PLANNED))["customer_id"].unique()
    rows = rows.filter(pc.is_in(rows["customer_id"], left))
    begun_ids = pa.table({"customer_id": left, "id": name_ids(f"{run_id}:{one}" for one in left.to_pylist())})
    of_row = _looked_up(rows["customer_id"], begun_ids, "id").to_pylist()
    touch_ids = name_ids(f"{one}:{number}" for one, number in zip(of_row, rows["number"].to_pylist(), strict=True))
    keys = {name: _looked_up(rows["customer_id"], candidates, f"{name}_key") for name in ("email", "phone")}
    added = {
        "enrolment_id": pa.array(of_row, TEXT),
        "touch_id": pa.array(touch_ids, TEXT),
        "owner_id": _looked_up(rows["customer_id"], candidates, "owner_id"),
        "address_key": pc.if_else(pc.equal(rows["channel"], "sms"), keys["phone"], keys["email"]),
        "in_horizon": due(rows, horizon),
    }
    plan = pa.table({**{name: rows[name] for name in rows.column_names}, **added}).cast(PLAN)
    return plan, _without_plan_held(intake, left)


def name_ids(names: Iterable[str]) -> list[str]:
    """``str(uuid5(NAMESPACE_URL, name))`` of each name, in a quarter of the time: a plan has seven per person."""
    namespace = hashlib.sha1(NAMESPACE_URL.bytes, usedforsecurity=False)

    def name_id(name: str) -> str:
        hashed = namespace.copy()
        hashed.update(name.encode())
        hexed = hashed.hexdigest()
        return f"{hexed[:8]}-{hexed[8:12]}-5{hexed[13:16]}-{_VARIANT[hexed[16]]}{hexed[17:20]}-{hexed[20:32]}"

    return [name_id(name) for name in names]


def enrolment_rows(run: Run, candidates: pa.Table, plan: pa.Table, now: datetime) -> list[dict[str, Any]]:
    """The ledger's rows for the enrolments that begin."""
    ends = plan.group_by(["customer_id", "enrolment_id"]).aggregate([("not_after", "max")])
    of_customer = {row["customer_id"]: row for row in ends.to_pylist()}
    wanted = ["customer_id", "account_id", "business_segment", "owner_id", "decision", "review_reasons", *_DIMENSIONS]
    return [
        {
            "enrolment_id": of_customer[one["customer_id"]]["enrolment_id"], "playbook": run.playbook,
            "run_id": run.run_id, "customer_id": one["customer_id"], "account_id": one["account_id"],
            "segment": one["business_segment"], "owner_id": one["owner_id"], "decision": one["decision"],
            "review_reasons": one["review_reasons"] or [], "dimensions": {name: one[name] for name in _DIMENSIONS},
            "state": "active", "enrolled_at": now, "plan_ends_at": of_customer[one["customer_id"]]["not_after_max"],
        }
        for one in _begun(candidates, plan).select(wanted).to_pylist()
    ]  # fmt: skip


def key_rows(candidates: pa.Table, plan: pa.Table) -> list[dict[str, Any]]:
    """The address keys that the enrolments which begin occupy: every one behind the customer."""
    enrolment_of = dict(zip(plan["customer_id"].to_pylist(), plan["enrolment_id"].to_pylist(), strict=True))
    people = _begun(candidates, plan).select(["customer_id", "email_key", "phone_key"]).to_pylist()
    return [
        {"enrolment_id": enrolment_of[one["customer_id"]], "address_key": one[key], "channel": channel, "active": True}
        for one in people
        for channel, key in (("email", "email_key"), ("sms", "phone_key"))
        if one[key] is not None
    ]


def touch_rows(playbook: str, rows: pa.Table, now: datetime) -> list[dict[str, Any]]:
    """The ledger's rows for planned touches; one whose window has passed unseen has expired, and was not tried."""
    known = {"playbook": playbook, "changed_at": now}
    planned = {"state": "planned", "reason": None}
    missed = {"state": "expired", "reason": "entered_too_late"}
    return [
        row | known | (planned if row["not_after"] > now else missed)
        for row in rows.select(list(_OF_TOUCH)).to_pylist()
    ]  # fmt: skip


def planned_only(plan: pa.Table) -> pa.Table:
    """The rows of a plan that are not skipped."""
    return plan.filter(pc.equal(plan["state"], PLANNED))


def decision_events(run: Run, decisions: pa.Table, intake: pa.Table, now: datetime) -> pa.Table:
    """One measurement event per decision: what was decided, or why who may be contacted does not begin."""
    customers = decisions["customer_id"]
    outcome, held = (_looked_up(customers, intake, name) for name in ("outcome", "reason"))
    begins_or_never_asked = pc.fill_null(pc.equal(outcome, BEGIN), True)
    codes = decisions["reason_codes"]
    first_code = pc.list_element(pc.if_else(pc.greater(pc.list_value_length(codes), 0), codes, None), 0)
    allowed = pc.is_in(decisions["decision"], pa.array(["enrol", "review"]))
    decided = pc.if_else(pc.and_(allowed, decisions["enrolled"]), "already_enrolled", first_code)
    count = decisions.num_rows
    return pa.table({
        "run_id": pa.repeat(run.run_id, count), "playbook": pa.repeat(run.playbook, count), "subject": customers,
        "kind": pa.repeat("decision", count),
        "outcome": pc.if_else(begins_or_never_asked, decisions["decision"], outcome),
        "reason": pc.if_else(begins_or_never_asked, decided, held),
        "occurred_at": pa.repeat(pa.scalar(now, TIME), count),
        "rules_version": pa.repeat(run.rules_version, count),
    }).cast(measurements.SCHEMA)  # fmt: skip


def _begun(candidates: pa.Table, plan: pa.Table) -> pa.Table:
    return candidates.filter(pc.is_in(candidates["customer_id"], plan["customer_id"].unique()))


def _without_plan_held(intake: pa.Table, left: pa.Array) -> pa.Table:
    """``intake`` with those held who were to begin and have no planned touch left."""
    idle = pc.and_(pc.equal(intake["outcome"], BEGIN), pc.invert(pc.is_in(intake["customer_id"], left)))
    changed = {"outcome": HOLD, "reason": "nothing_to_send"}
    columns = {
        name: pc.if_else(idle, changed[name], intake[name]) if name in changed else intake[name]
        for name in intake.column_names
    }
    return pa.table(columns)


def _looked_up(customers: pa.ChunkedArray, table: pa.Table, column: str) -> pa.ChunkedArray:
    """``column`` of the table's row of each customer; null where there is none."""
    return table[column].take(pc.index_in(customers, table["customer_id"].combine_chunks()))
