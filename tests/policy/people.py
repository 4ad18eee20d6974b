"""Small snapshots for tests of the policy: rows as they stand in a snapshot, one plain customer who may be written to.

``plain()`` is one household customer quiet for 130 days with everything in order; tests change what they are about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reactivation import paths
from reactivation.contract.digests import canonical_json
from reactivation.contract.snapshot import SNAPSHOT
from reactivation.contract.tables import TABLES
from reactivation.evidence import SnapshotFolder
from reactivation.evidence.folders import file_digests
from reactivation.ledger.extract import EXTRACT
from reactivation.playbooks.loader import load_playbook
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.owners import Owners, load_owners
from reactivation.policy.candidates import Decided
from reactivation.policy.rules import Rules
from reactivation.steps.decide import decide_snapshot, gathered
from reactivation.steps.rules import read_rules

#: A Tuesday, 09:00 UTC.
AT = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)

Row = dict[str, Any]
Tables = dict[str, list[Row]]


def ago(days: float) -> datetime:
    """The instant that many days before ``AT``."""
    return AT - timedelta(days=days)


@cache
def playbook() -> Playbook:
    """The shipped playbook of a company that writes e-mails only and makes one offer, the credit of touch 3."""
    shipped = load_playbook(paths.PLAYBOOKS / "customer_reactivation.yaml").playbook
    plain = {"channels": ("email",)}
    touches = tuple(
        touch.model_copy(update=plain if touch.number in (1, 3) else plain | {"template": None, "offer": None})
        for touch in shipped.touches
    )
    return shipped.model_copy(update=plain | {"touches": touches})


@cache
def two_emails() -> Playbook:
    """The shipped playbook of document 002."""
    return load_playbook(paths.PLAYBOOKS / "customers_not_active.yaml").playbook


@cache
def rules() -> Rules:
    return read_rules()


@cache
def owners() -> Owners:
    return load_owners(paths.OWNERS)


def contact(customer_id: str = "c-1", **changes: Any) -> Row:
    """A British household customer with a good address, in good standing."""
    return {
        "customer_id": customer_id, "country": "GB", "business_segment": "household", "lifecycle_stage": "customer",
        "acquisition_channel": "google organic", "fit": "good", "relationship": "normal", "is_subscriber_only": False,
        "value_tier": "mid", "created_at": ago(900), "updated_at": ago(1), "email_key": f"mail-{customer_id}",
        "phone_problem": "missing", "zones": ["Europe/London"], "zone_sources": ["address"], "has_notes": False,
    } | changes  # fmt: skip


def account(account_id: str = "a-1", **changes: Any) -> Row:
    """An account in good standing that own-ben looks after."""
    return {
        "account_id": account_id, "status": "active", "owner_id": "own-ben", "fit": "good", "relationship": "normal",
        "has_notes": False, "updated_at": ago(1),
    } | changes  # fmt: skip


def purchases(customer_id: str = "c-1", **changes: Any) -> Row:
    """Four orders of 150 pounds with 60 pounds margin each in the last 24 months, the last 130 days ago."""
    return {
        "customer_id": customer_id, "purchases": 4, "purchase_days": 4, "first_purchase_at": ago(700),
        "last_purchase_at": ago(130), "last_order_at": ago(130), "orders": 4, "bookings": 0, "subscriptions": 0,
        "currency": "GBP", "currencies": 1, "revenue": Decimal("600"), "revenue_24m": Decimal("600"),
        "margin_24m": Decimal("240"), "margin_revenue_24m": Decimal("600"), "margin_known_rows": 4,
        "discounted_purchases": 0, "discount_total": Decimal(0), "top_category": "boilers", "last_category": "boilers",
        "codes_redeemed": 0, "same_day_merges": 0, "month_counts": [0, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0],
    } | changes  # fmt: skip


def engagement(customer_id: str = "c-1", **changes: Any) -> Row:
    """Mails were sent in the last half year; nothing else is known."""
    return {"customer_id": customer_id, "sent_180d": 3, "bounces": 0, "opens_180d": 0, "clicks_180d": 0} | changes


def consent(record_id: str = "r-1", customer_id: str = "c-1", **changes: Any) -> Row:
    """Express e-mail consent of 300 days ago, with everything on record."""
    return {
        "record_id": record_id, "customer_id": customer_id, "channel": "email", "purpose": "marketing",
        "state": "granted", "basis": "express", "occurred_at": ago(300), "source": "web_form", "method": "checkbox",
        "disclosure_version": "2025-01", "evidence_ref": f"forms/{record_id}", "affirmative_action": True,
        "brand": "harbour_finch", "collected_by_brand": "harbour_finch", "jurisdiction": "GB",
        "conditions": ["not_prechecked"],
    } | changes  # fmt: skip


def suppression(suppression_id: str = "s-1", **changes: Any) -> Row:
    """An opt-out from everything; say whose."""
    return {"suppression_id": suppression_id, "reason": "opt_out", "occurred_at": ago(60), "source": "crm"} | changes


def case(case_id: str = "k-1", **changes: Any) -> Row:
    """An open complaint; say whose."""
    return {"case_id": case_id, "opened_at": ago(20), "kind": "complaint", "status": "open"} | changes


def offer(offer_id: str = "offer-credit-15", **changes: Any) -> Row:
    """Fifteen pounds of credit that cost 9.50."""
    return {
        "offer_id": offer_id, "name": "15 pounds of credit", "kind": "credit", "value": Decimal(15), "currency": "GBP",
        "unit_cost": Decimal("9.50"), "redeem_within_hours": 72, "starts_at": ago(30), "ends_at": ago(-90),
        "margin_floor": Decimal("0.20"), "budget": Decimal(3000), "codes_available": 500, "terms": "t",
        "conditions": "none",
    } | changes  # fmt: skip


def known(address_key: str = "mail-c-1", **changes: Any) -> Row:
    """What the ledger knows of one address key: nothing yet."""
    return {
        "address_key": address_key, "enrolments_total": 0, "sms_sent_7d": 0, "sent_48h": 0, "redeemed_incentives": 0,
    } | changes  # fmt: skip


def plain(**changes: Sequence[Row]) -> Tables:
    """The tables of one customer with everything in order, some of them replaced."""
    return person() | {name: list(rows) for name, rows in changes.items()}


def person(customer_id: str = "c-1", *, consents: Sequence[Row] | None = None, **changes: Row) -> Tables:
    """The tables of one customer with everything in order but for the named columns of ``contact``, ``purchases``,
    ``engagement`` or ``consent``. ``case``, ``suppression`` and ``account`` add a row of his; ``consents`` replaces his
    records.
    """
    given = [consent(f"r-{customer_id}", customer_id, **changes.get("consent", {}))]
    tables: Tables = {
        "contacts": [contact(customer_id, **changes.get("contact", {}))],
        "purchase_summary": [purchases(customer_id, **changes.get("purchases", {}))],
        "engagement_summary": [engagement(customer_id, **changes.get("engagement", {}))],
        "consents": given if consents is None else list(consents), "offers": [offer()],
    }  # fmt: skip
    if "case" in changes:
        tables["cases"] = [case(**({"case_id": f"k-{customer_id}", "customer_id": customer_id} | changes["case"]))]
    if "suppression" in changes:
        mine = {"suppression_id": f"s-{customer_id}", "customer_id": customer_id} | changes["suppression"]
        tables["suppressions"] = [suppression(**mine)]
    if "account" in changes:
        tables["contacts"][0]["account_id"] = f"a-{customer_id}"
        tables["accounts"] = [account(f"a-{customer_id}", **changes["account"])]
    return tables


def together(*people: Tables) -> Tables:
    """The tables of several customers in one snapshot; the offers are the first one's."""
    merged: Tables = {}
    for tables in people:
        for name, rows in tables.items():
            if name != "offers" or name not in merged:
                merged.setdefault(name, []).extend(rows)
    return merged


def stories(told: Mapping[str, Mapping[str, Any]], *ledger: Row, **options: Any) -> dict[str, Row]:
    """What became of several customers decided in one snapshot, by id: ``told`` says how each differs from a plain one.

    Somebody who is no candidate has only the columns of ``Decided.others``.
    """
    decided = decide(together(*(person(name, **how) for name, how in told.items())), *ledger, **options)
    rows = decided.table.to_pylist() + decided.others.to_pylist()
    return {row["customer_id"]: row for row in rows}


def extract_of(*rows: Row) -> pa.Table:
    """A ledger extract of these rows."""
    return pa.Table.from_pylist([{name: row.get(name) for name in EXTRACT.names} for row in rows], schema=EXTRACT)


def snapshot(
    tables: Mapping[str, Sequence[Row]], *, place: Path | None = None, as_of: datetime = AT,
    speaks_as_of: datetime | None = None, absent: Sequence[str] = (),
) -> SnapshotFolder:  # fmt: skip
    """A snapshot folder with those tables; rows are written in the order given."""
    folder = place or Path(mkdtemp(prefix="snapshot-"))
    folder.mkdir(exist_ok=True)
    for name, schema in SNAPSHOT.items():
        rows = [{column: row.get(column) for column in schema.names} for row in tables.get(name, ())]
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / f"{name}.parquet")
    source = {"name": "crm", "speaks_as_of": speaks_as_of or as_of,
              "tables": {name: {"present": name not in absent, "rows": 1} for name in TABLES}}  # fmt: skip
    manifest = {"schema": 1, "kind": "snapshot", "id": folder.name, "as_of": as_of, "sources": [source], "inputs": {},
                "files": file_digests(folder)}  # fmt: skip
    (folder / "manifest.json").write_bytes(canonical_json(manifest))
    return SnapshotFolder(folder)


def decide(
    tables: Mapping[str, Sequence[Row]], *ledger: Row, at: datetime = AT, planned_on: datetime | None = None,
    declared: Playbook | None = None, before: Sequence[Playbook] = (), owners_said: pa.Table | None = None,
    scores: pa.Table | None = None, threads: int = 2,
    signed: Mapping[str, str] | None = None, in_force: Rules | None = None, **options: Any,
) -> Decided:  # fmt: skip
    """The decisions about those tables with the real playbook, owners and rules, unless others are ``in_force``.
    ``signed``: the settings in force; ``before``: the playbooks that go first; ``scores``: those of the run."""
    folder = snapshot(tables, as_of=at, **options)
    judged_by = replace(in_force or rules(), signed=signed or {})
    return decide_snapshot(
        folder, extract_of(*ledger), declared or playbook(), judged_by, owners(), at, planned_on, before=before,
        owners_said=owners_said, scores=scores, threads=threads,
    )  # fmt: skip


def facts_of(tables: Mapping[str, Sequence[Row]], *ledger: Row, declared: Playbook | None = None) -> pa.Table:
    """The facts the ladder is climbed with, one row per customer."""
    folder = snapshot(tables)
    return gathered(folder, extract_of(*ledger), declared or playbook(), rules(), owners(), AT)[0]


def one(tables: Mapping[str, Sequence[Row]], *ledger: Row, **options: Any) -> Row:
    """The decision about ``c-1``, who must be a candidate."""
    rows: list[Row] = decide(tables, *ledger, **options).table.to_pylist()
    return next(row for row in rows if row["customer_id"] == "c-1")
