"""The plan of a run as a table, and as rows for the ledger.

Grain of ``PLAN``: one row per enrolment that begins and touch of the playbook, sorted by customer_id and number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import FLAG, TEXT, TEXTS, TIME
from reactivation.evidence.ids import name_ids
from reactivation.ledger import measurements
from reactivation.ledger.occupying import CONTACT
from reactivation.ledger.runs import Run
from reactivation.playbooks.model import Playbook
from reactivation.policy.budgets import within_budget
from reactivation.policy.channels import KEY_OF
from reactivation.policy.intake import BEGIN, HOLD
from reactivation.policy.sequence import PLANNED, SEQUENCE

PLAN = pa.schema([
    *SEQUENCE, ("enrolment_id", TEXT), ("touch_id", TEXT), ("owner_id", TEXT), ("address_key", TEXT),
    ("in_horizon", FLAG), ("variant", TEXT),
])  # fmt: skip

_DIMENSIONS = (
    "dormancy_range", "margin_class", "purchase_kind", "purchase_repeat", "aov_tier", "engagement_pattern",
    "product_affinity", "acquisition_channel", "value_tier", "population", "rung",
)  # fmt: skip
#: What planning reads of ``decisions.parquet``: most of a decision is evidence.
DECISION_COLUMNS = (
    "customer_id", "account_id", "owner_id", "business_segment", "decision", "enrolled", "reason_codes",
    "review_reasons", "priority", "holdout", "variant", "email_key", "phone_key", "email_basis", "sms_basis",
    "email_valid_until", "sms_valid_until", "route", "account_email_keys", "account_phone_keys", "gate_reachable",
    "gate_offer_allowed", "offer_position", "offer_cap", "adaptations", "zones", "zone_sources",
    "skipped_touches", *_DIMENSIONS,
    "evidence.last_sent_at", "evidence.last_sms_sent_at", "evidence.sms_sent_7d",
)  # fmt: skip
_OF_TOUCH = (
    "touch_id", "enrolment_id", "number", "pattern", "purpose", "channel", "incentive", "offer_id", "address_key",
    "not_before", "not_after",
)  # fmt: skip


def without_held_back(decisions: pa.Table, concerned: pa.Table) -> pa.Table:
    """``decisions`` in which nobody is enrolled whom a warning of readiness concerns: held, with the condition."""
    warned = pc.and_(pc.equal(concerned["severity"], "warning"), pc.equal(concerned["subject"], "candidates"))
    of_customer = concerned.filter(warned).group_by("key").aggregate([("condition", "min")])
    place = pc.index_in(decisions["customer_id"], of_customer["key"].combine_chunks())
    held = pc.and_(pc.is_valid(place), pc.is_in(decisions["decision"], pa.array(["enrol", "review"])))
    if not pc.any(held).as_py():
        return decisions
    condition = pc.fill_null(of_customer["condition_min"].take(place), "")
    named = pc.binary_join_element_wise("not_ready", condition, ":").combine_chunks()
    reasons = pa.ListArray.from_arrays(np.arange(len(named) + 1, dtype=np.int32), named)
    columns = {name: decisions[name] for name in decisions.column_names}
    columns["decision"] = pc.if_else(held, "hold", decisions["decision"])
    columns["reason_codes"] = pc.if_else(held, reasons.cast(TEXTS), decisions["reason_codes"])
    return pa.table(columns)


def due(sequence: pa.Table, horizon: datetime) -> pa.ChunkedArray:
    """Which rows are planned and may go out before the horizon ends."""
    soon = pc.less_equal(sequence["not_before"], pa.scalar(horizon, TIME))
    return pc.fill_null(pc.and_(pc.equal(sequence["state"], PLANNED), soon), False)


def with_items(candidates: pa.Table, sequence: pa.Table, horizon: datetime, occupied: pa.Array) -> pa.Table:
    """``candidates`` as the intake wants them: with how many touches are planned and how many of these an owner would
    have to look at now, and whether a contact of an account is in an enrolment already."""
    planned = planned_only(sequence.select(["customer_id", "state", "not_before"]))
    soon = pa.table({"customer_id": planned["customer_id"], "soon": due(planned, horizon)})
    counted = soon.group_by("customer_id").aggregate([("soon", "sum"), ("soon", "count")])
    counts = counted.take(_places(candidates["customer_id"], counted))
    columns = [
        "customer_id", "business_segment", "owner_id", "priority", "holdout", "email_key", "phone_key",
        "account_email_keys", "account_phone_keys",
    ]  # fmt: skip
    added = {
        "touches": pc.fill_null(counts["soon_count"], 0), "items": pc.fill_null(counts["soon_sum"].cast(pa.int64()), 0),
        "contact_occupied": _any_contact_in(candidates, occupied),
    }  # fmt: skip
    return pa.table({**{name: candidates[name] for name in columns}, **added})


def _any_contact_in(candidates: pa.Table, occupied: pa.Array) -> pa.Array:
    """Whether an address of any contact of an account is occupied already; of a customer there are none."""
    met = np.zeros(candidates.num_rows, dtype=bool)
    for key in KEY_OF.values():
        lists = candidates[f"account_{key}s"].combine_chunks()
        there = pc.is_in(pc.list_flatten(lists), value_set=occupied).to_numpy(zero_copy_only=False)
        met[pc.list_parent_indices(lists).to_numpy()[there]] = True
    return pa.array(met)


def plan_of(
    sequence: pa.Table, intake: pa.Table, *, playbook: Playbook, offers: pa.Table, spent: Mapping[str, int]
) -> tuple[pa.Table, pa.Table]:
    """The touches (``SEQUENCE``) of those who begin, within the offers' budgets, and the intake as it is then.
    ``identified`` makes them a ``PLAN``: that takes as long as planning them, and not everybody needs to wait for it.

    ``spent``: by offer, the touches that cost it already or still may. Who has no planned touch left is held.
    """
    begun = intake.filter(pc.equal(intake["outcome"], BEGIN))
    place = _places(sequence["customer_id"], begun)
    began = pc.is_valid(place)
    rows = sequence.filter(began)
    ranks = begun["rank"].take(place.filter(began)).to_numpy()
    rows = within_budget(rows, ranks, playbook, offers, spent)
    left = rows["customer_id"].filter(pc.equal(rows["state"], PLANNED)).unique()
    if len(left) < begun.num_rows:
        rows = rows.filter(pc.is_in(rows["customer_id"], left))
    return rows, _without_plan_held(intake, left)


def beginnings(run_id: str, candidates: pa.Table, plan: pa.Table) -> pa.Table:
    """Those of ``candidates`` who begin by what ``plan_of`` gives, with their enrolment_id and plan_ends_at."""
    ends = plan.select(["customer_id", "not_after"]).group_by("customer_id").aggregate([("not_after", "max")])
    place = _places(candidates["customer_id"], ends)
    begins = pc.is_valid(place)
    begun = candidates.filter(begins)
    begun = begun.append_column("enrolment_id", name_ids(_joined(run_id, begun["customer_id"])))
    return begun.append_column("plan_ends_at", ends["not_after_max"].take(place.filter(begins)))


def identified(plan: pa.Table, begun: pa.Table, horizon: datetime) -> pa.Table:
    """What ``plan_of`` gives as ``PLAN``, with what ``beginnings`` say and the id of each touch."""
    # One look for where each row's customer stands, instead of one for each column.
    of_customer = begun.select(["enrolment_id", "owner_id", "variant", *KEY_OF.values()])
    of_row = of_customer.take(_places(plan["customer_id"], begun))
    added = {
        "enrolment_id": of_row["enrolment_id"],
        "touch_id": name_ids(_joined(of_row["enrolment_id"], plan["number"].cast(TEXT))),
        "owner_id": of_row["owner_id"],
        "address_key": pc.if_else(pc.equal(plan["channel"], "sms"), of_row["phone_key"], of_row["email_key"]),
        "in_horizon": due(plan, horizon),
        "variant": of_row["variant"],
    }
    return pa.table({**{name: plan[name] for name in plan.column_names}, **added}).cast(PLAN)


def enrolment_rows(run: Run, begun: pa.Table, batch_id: str | None, now: datetime) -> pa.Table:
    """The ledger's rows for ``beginnings``, with the columns of its table that are known then; ``batch_id``: the split
    of variants they begin in. Where chance skips touches, the dimensions say which: a skipped touch has no row."""
    count, known = begun.num_rows, {"playbook": run.playbook, "run_id": run.run_id, "state": "active"}
    drawn = begun["skipped_touches"].null_count < count
    kept = (*_DIMENSIONS, *(["skipped_touches"] if drawn else []))
    dimensions = [begun[name].combine_chunks() for name in kept]
    as_they_are = ("enrolment_id", "customer_id", "account_id", "owner_id", "decision", "plan_ends_at", "variant")
    return pa.table({
        **{name: begun[name] for name in as_they_are},
        **{name: pa.repeat(value, count) for name, value in known.items()},
        "batch_id": pa.repeat(pa.scalar(batch_id, TEXT), count),
        "segment": begun["business_segment"],
        "review_reasons": pc.fill_null(begun["review_reasons"], pa.scalar([], TEXTS)),
        "dimensions": pa.StructArray.from_arrays(dimensions, names=list(kept)),
        "enrolled_at": pa.repeat(pa.scalar(now, TIME), count),
    })  # fmt: skip


def key_rows(begun: pa.Table) -> pa.Table:
    """The address keys that ``beginnings`` occupy: every one behind the customer, and behind an account's contacts."""
    of_channels = [
        pa.table({
            "enrolment_id": begun["enrolment_id"], "address_key": begun[key],
            "channel": pa.repeat(channel, begun.num_rows), "active": pa.repeat(True, begun.num_rows),
        })
        for channel, key in KEY_OF.items()
    ]  # fmt: skip
    beside = [_of_contacts(begun, f"account_{key}s") for key in KEY_OF.values()]
    rows = pa.concat_tables(of_channels)
    rows = rows.filter(pc.is_valid(rows["address_key"]))
    if not any(some.num_rows for some in beside):
        return rows
    # A contact's address may be the recipient's, or stand for both channels: it is occupied once, as the recipient's.
    rows = pa.concat_tables([rows, *(some.cast(rows.schema) for some in beside)])
    at_once = rows.group_by(["enrolment_id", "address_key"], use_threads=False)
    once = at_once.aggregate([("channel", "first"), ("active", "first")])
    return once.rename_columns(["enrolment_id", "address_key", "channel", "active"])


def _of_contacts(begun: pa.Table, column: str) -> pa.Table:
    """The keys in a column of lists, each with its enrolment; a customer's lists are empty."""
    lists = begun[column].combine_chunks()
    keys = pc.list_flatten(lists)
    enrolment = begun["enrolment_id"].combine_chunks().take(pc.list_parent_indices(lists))
    return pa.table({
        "enrolment_id": enrolment, "address_key": keys, "channel": pa.repeat(CONTACT, len(keys)),
        "active": pa.repeat(True, len(keys)),
    })  # fmt: skip


def touch_rows(playbook: str, rows: pa.Table, now: datetime) -> pa.Table:
    """The ledger's rows for planned touches; one whose window has passed unseen has expired, and was not tried."""
    count, planned = rows.num_rows, pc.greater(rows["not_after"], pa.scalar(now, TIME))
    return pa.table({
        **{name: rows[name] for name in _OF_TOUCH},
        "playbook": pa.repeat(playbook, count),
        "changed_at": pa.repeat(pa.scalar(now, TIME), count),
        "state": pc.if_else(planned, "planned", "expired"),
        "reason": pc.if_else(planned, pa.scalar(None, TEXT), "entered_too_late"),
    })  # fmt: skip


def planned_only(plan: pa.Table) -> pa.Table:
    """The rows of a plan that are not skipped."""
    return plan.filter(pc.equal(plan["state"], PLANNED))


def decision_events(run: Run, decisions: pa.Table, intake: pa.Table, now: datetime) -> pa.Table:
    """One measurement event per decision: what was decided, or why who may be contacted does not begin. Who is not in
    ``intake`` was never asked to."""
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


def _joined(*parts: str | pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.binary_join_element_wise(*parts, ":")


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
    return table[column].take(_places(customers, table))


def _places(customers: pa.ChunkedArray | pa.Array, table: pa.Table) -> pa.ChunkedArray | pa.Array:
    """Where each customer stands in the table; null where he does not."""
    return pc.index_in(customers, table["customer_id"].combine_chunks())
