"""Tiny, real-looking source folders: six customers of a home-services company, everything as of one Tuesday.

``write_source`` writes them in the shape a CRM would export; keyword arguments replace single tables. Customers:

* ``c-ada``  household, quiet 130 days, three purchases, consent with evidence: may be enrolled
* ``c-ben``  household, quiet 100 days, one discounted purchase, consent with evidence: may be enrolled
* ``c-cem``  business, quiet 150 days, belongs to account ``a-quay``, owner own-ben, consent with evidence
* ``c-dov``  household, quiet 200 days, opted out (suppression ``s-1``)
* ``c-eva``  care_plan, quiet 95 days, open complaint (case ``k-1``)
* ``c-fay``  household, bought a week ago: not dormant
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reactivation.contract.addresses import AddressKeys
from reactivation.contract.tables import TABLES

#: A Tuesday, 09:00 UTC.
AS_OF = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
KEYS = AddressKeys([b"a-key-of-the-tests-32-bytes-long!"])

Row = dict[str, Any]


def days_ago(days: float) -> datetime:
    """The instant that many days before ``AS_OF``."""
    return AS_OF - timedelta(days=days)


def contact(customer_id: str, **changes: Any) -> Row:
    """One row of ``contacts``: a British household customer with a plain address, unless said otherwise."""
    name = customer_id.removeprefix("c-")
    row: Row = {
        "customer_id": customer_id, "account_id": None, "last_name": "Hart",
        "first_name": name.strip("-0123456789").title(),
        "email": f"{name}.hart@gmail.com", "phone": None, "country": "GB", "region": None,
        "timezone": "Europe/London", "language": "en", "business_segment": "household",
        "lifecycle_stage": "customer", "acquisition_channel": "organic_search", "fit": "good",
        "relationship": "normal", "relationship_notes": None, "inactivity_reason": None, "owner_id": None,
        "value_tier": None, "consent_email": True, "tags": None, "is_subscriber_only": False,
        "created_at": days_ago(900), "last_seen": None, "last_email_opened": None, "last_email_link_clicked": None,
        "updated_at": days_ago(1),
    }  # fmt: skip
    return row | changes


def account(account_id: str, **changes: Any) -> Row:
    """One row of ``accounts``."""
    row: Row = {
        "account_id": account_id, "name": "Quay Dental Ltd", "business_segment": "business", "status": "active",
        "expected_interval_days": 120, "owner_id": "own-ben", "primary_contact_id": None, "tier": "b",
        "annual_value": Decimal("4800.00"), "currency": "GBP", "health": "green", "fit": "good",
        "relationship": "normal", "relationship_notes": None, "inactivity_reason": None, "next_step": None,
        "renewal_at": None, "open_deal": False, "cancelled_at": None, "cancellation_reason": None,
        "updated_at": days_ago(1),
    }  # fmt: skip
    return row | changes


def product(product_id: str, **changes: Any) -> Row:
    """One row of ``products``."""
    row: Row = {
        "product_id": product_id, "name": "Boiler service", "category": "heating",
        "url": "https://harbour-finch.example/boiler-service", "in_stock": True, "updated_at": days_ago(1),
    }  # fmt: skip
    return row | changes


def purchase(purchase_id: str, customer_id: str, occurred_at: datetime, **changes: Any) -> Row:
    """One row of ``purchases``: an order of a boiler service at 120 pounds with a third of it margin."""
    row: Row = {
        "purchase_id": purchase_id, "customer_id": customer_id, "occurred_at": occurred_at, "kind": "order",
        "amount": Decimal("120.00"), "currency": "GBP", "margin": Decimal("40.00"), "discount": None,
        "offer_code": None, "category": "heating", "product": "Boiler service", "quantity": 1, "period_end": None,
        "cancelled_at": None,
    }  # fmt: skip
    return row | changes


def engagement(event_id: str, customer_id: str, occurred_at: datetime, kind: str, **changes: Any) -> Row:
    """One row of ``engagements``."""
    row: Row = {
        "event_id": event_id, "customer_id": customer_id, "occurred_at": occurred_at, "kind": kind,
        "channel": "email", "category": None, "product": None, "objection": None, "touch_id": None,
    }  # fmt: skip
    return row | changes


def case(case_id: str, **changes: Any) -> Row:
    """One row of ``cases``: an open complaint; say whose."""
    row: Row = {
        "case_id": case_id, "customer_id": None, "account_id": None, "opened_at": days_ago(20), "closed_at": None,
        "kind": "complaint", "severity": "high", "objection": None, "status": "open",
    }  # fmt: skip
    return row | changes


def consent(record_id: str, customer_id: str, **changes: Any) -> Row:
    """One row of ``consents``: express e-mail consent with evidence, given 300 days ago in Great Britain."""
    row: Row = {
        "record_id": record_id, "customer_id": customer_id, "channel": "email", "purpose": "marketing",
        "state": "granted", "basis": "express", "occurred_at": days_ago(300), "source": "web form",
        "method": "checkbox", "disclosure_version": "2025-03", "evidence_ref": f"form/{record_id}",
        "affirmative_action": True, "brand": "harbour_finch", "collected_by_brand": "harbour_finch",
        "jurisdiction": "GB", "confirmed_at": None, "event_date": None, "conditions": ["not_prechecked"],
    }  # fmt: skip
    return row | changes


def suppression(suppression_id: str, **changes: Any) -> Row:
    """One row of ``suppressions``: an opt-out from everything; say whose."""
    row: Row = {
        "suppression_id": suppression_id, "customer_id": None, "address": None, "brand": None, "channel": None,
        "reason": "opt_out", "occurred_at": days_ago(60), "source": "unsubscribe page",
    }  # fmt: skip
    return row | changes


def offer(offer_id: str, **changes: Any) -> Row:
    """One row of ``offers``: fifteen pounds of account credit."""
    row: Row = {
        "offer_id": offer_id, "name": "15 pounds of account credit", "kind": "credit", "value": Decimal("15.00"),
        "currency": "GBP", "unit_cost": Decimal("15.00"), "redeem_within_hours": 72, "starts_at": days_ago(30),
        "ends_at": days_ago(-60), "margin_floor": Decimal("0.10"), "budget": Decimal("3000.00"),
        "codes_available": 500, "terms": "15 pounds off your next booking. One per customer.",
        "conditions": "one per customer",
    }  # fmt: skip
    return row | changes


def claim(claim_id: str, **changes: Any) -> Row:
    """One row of ``claims``: a reviewed customer review."""
    row: Row = {
        "claim_id": claim_id, "kind": "review", "text_ref": "texts/clm-community-households.txt",
        "evidence_ref": "reviews/1841/export",
        "captured_at": days_ago(20), "valid_until": None, "audience_category": "heating", "rights_ok": True,
        "reviewed_by": "own-cleo", "reviewed_at": days_ago(10),
    }  # fmt: skip
    return row | changes


def tables() -> dict[str, list[Row]]:
    """The rows of every table, fresh each time."""
    return {
        "contacts": [
            contact("c-ada", phone="07400 123456", last_email_opened=days_ago(130)),
            contact("c-ben"),
            contact("c-cem", account_id="a-quay", business_segment="business", owner_id="own-ben"),
            contact("c-dov"),
            contact("c-eva", business_segment="care_plan"),
            contact("c-fay", last_seen=days_ago(2)),
        ],
        "accounts": [account("a-quay", primary_contact_id="c-cem")],
        "products": [
            product("p-boiler"),
            product("p-gutter", name="Gutter clearing", category="exterior"),
        ],
        "purchases": [
            purchase("b-1", "c-ada", days_ago(500), amount=Decimal("240.00"), margin=Decimal("110.00")),
            purchase("b-2", "c-ada", days_ago(320), amount=Decimal("310.00"), margin=Decimal("140.00")),
            purchase("b-3", "c-ada", days_ago(140), amount=Decimal("280.00"), margin=Decimal("125.00")),
            purchase("b-4", "c-ben", days_ago(100), discount=Decimal("20.00"), offer_code="SPRING20"),
            purchase("b-5", "c-cem", days_ago(150), kind="booking", amount=Decimal("900.00"), margin=Decimal("300.00")),
            purchase("b-6", "c-dov", days_ago(200)),
            purchase("b-7", "c-eva", days_ago(95), kind="subscription", period_end=days_ago(65)),
            purchase("b-8", "c-fay", days_ago(7)),
        ],
        "engagements": [
            engagement("e-1", "c-ada", days_ago(133), "sent"),
            engagement("e-2", "c-ada", days_ago(130), "open"),
            engagement("e-3", "c-ben", days_ago(110), "browse", channel="web", category="heating"),
            engagement("e-4", "c-dov", days_ago(60), "unsubscribe"),
            engagement("e-5", "c-fay", days_ago(2), "visit", channel="web"),
        ],
        "cases": [
            case("k-1", customer_id="c-eva"),
            case("k-2", customer_id="c-ben", kind="question", severity="low", opened_at=days_ago(400),
                 closed_at=days_ago(390), status="closed"),
        ],
        "consents": [consent(f"r-{name}", f"c-{name}") for name in ("ada", "ben", "cem", "dov", "eva", "fay")],
        "suppressions": [suppression("s-1", customer_id="c-dov", address="dov.hart@gmail.com")],
        "offers": [
            offer("offer-credit-15"),
            offer("offer-early-spring", name="First pick of the diary", kind="early_access", value=Decimal(0),
                  currency=None, redeem_within_hours=None, terms="Book before everybody else. Sixty places."),
            offer("offer-percent-20", name="20 percent off", kind="percent", value=Decimal("20.00"), currency=None,
                  unit_cost=Decimal("30.00"), terms="20 percent off your next booking. One per customer."),
        ],
        "claims": [claim("m-1")],
    }  # fmt: skip


def write_source(
    folder: Path,
    *,
    as_of: datetime = AS_OF,
    formats: Mapping[str, str] | None = None,
    **replaced: Sequence[Row] | str | bytes | None,
) -> Path:
    """Writes the six customers into ``folder`` and returns it.

    A keyword named after a table replaces its rows; ``None`` leaves its file out; text or bytes become the file as
    they are. ``formats`` says which tables are ``jsonl`` or ``parquet`` instead of ``csv``. ``as_of`` is when the
    source says it speaks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "source.json").write_text(json.dumps({"as_of": as_of.isoformat()}), encoding="utf-8")
    for name, rows in (tables() | replaced).items():
        path = folder / f"{name}.{(formats or {}).get(name, 'csv')}"
        if isinstance(rows, bytes):
            path.write_bytes(rows)
        elif isinstance(rows, str):
            path.write_bytes(rows.encode())
        elif rows is not None:
            write_table(path, name, rows)
    return folder


def write_table(path: Path, table: str, rows: Sequence[Row]) -> None:
    """Writes rows as CSV, JSON lines or Parquet, by the name's ending; columns are those of the first row."""
    names = list(rows[0]) if rows else [column.name for column in TABLES[table].columns]
    if path.suffix == ".parquet":
        types = {column.name: column.type for column in TABLES[table].columns}
        schema = pa.schema([pa.field(name, types.get(name, pa.string())) for name in names])
        pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), path)
    elif path.suffix == ".jsonl":
        lines = [json.dumps({name: _json(row.get(name)) for name in names}, ensure_ascii=False) for row in rows]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows([_text(row.get(name)) for name in names] for row in rows)


def _json(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | list) else _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return "|".join(value)
    return str(value)
