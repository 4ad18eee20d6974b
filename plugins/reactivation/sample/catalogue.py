"""The small tables that do not grow with the customers: products, offers and claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from reactivation.contract.tables import CLAIMS, OFFERS, PRODUCTS, Table
from reactivation.sample.world import PRODUCTS as SERVICES
from reactivation.sample.world import SITE


def products(as_of: datetime) -> pa.Table:
    """The services: two are out of stock or of unknown stock, one has no page."""
    return _table(PRODUCTS, [
        {
            "product_id": p.product_id, "name": p.name, "category": p.category, "in_stock": p.in_stock,
            "url": f"{SITE}/services/{p.product_id.removeprefix('prd-')}" if p.has_page else None,
            "updated_at": as_of - timedelta(days=2 + number),
        }
        for number, p in enumerate(SERVICES)
    ])  # fmt: skip


def offers(as_of: datetime) -> pa.Table:
    """From nothing up to a percentage; ``offer-credit-15`` is the credit that the playbook's third touch names."""
    return _table(OFFERS, [
        _offer(as_of, "offer-credit-15", "Fifteen pounds of credit", "credit", "15", cost="9.50", hours=72,
               budget="3000", codes=500, conditions="minimum order 60 GBP",
               terms="£15 off your next booking of £60 or more. One per household, not with another offer."),
        _offer(as_of, "offer-points-500", "500 Finch points", "points", "500", cost="4.00", hours=72, budget="1500",
               terms="500 points when you next book. Points are worth 1p each and last twelve months."),
        _offer(as_of, "offer-early-spring", "First pick of the spring diary", "early_access", "0", cost="0.50",
               budget="200", codes=60, terms="Book a spring visit before the diary opens to everybody. Sixty places."),
        _offer(as_of, "offer-percent-20", "20 % off one visit", "percent", "20", cost="24.00", hours=60, budget="2500",
               codes=250, terms="20 % off one visit up to £300. Single use. Ends at the time shown.", floor="0.15"),
        _offer(as_of, "offer-percent-25-old", "25 % off, last winter", "percent", "25", cost="30.00", hours=60,
               budget="800", codes=12, floor="0.15", starts=-300, ends=-200,
               terms="25 % off one visit up to £200. Single use."),
        _offer(as_of, "offer-credit-40", "Forty pounds of credit, codes used up", "credit", "40", cost="27.00",
               hours=72, budget="400", codes=0, terms="£40 off your next booking of £160 or more. One per household."),
        _offer(as_of, "offer-none", "No incentive", "none", "0", cost="0", budget="0", terms="None."),
    ])  # fmt: skip


def claims(as_of: datetime) -> pa.Table:
    """Reviewed and fresh, not reviewed, out of date, without rights; closure is asked, never stated."""
    return _table(CLAIMS, [
        _claim(as_of, "clm-review-boilers", "review", "boilers", 40, reviewed=35, until=180),
        _claim(as_of, "clm-review-gardens", "review", "gardens", 55, reviewed=50, until=150),
        _claim(as_of, "clm-review-plumbing", "review", "plumbing", 20),
        _claim(as_of, "clm-review-windows-old", "review", "windows", 700, reviewed=690, until=-60),
        _claim(as_of, "clm-review-gutters-no-rights", "review", "gutters", 30, reviewed=28, until=90, rights=False),
        _claim(as_of, "clm-community-households", "community", None, 25, reviewed=21, until=120),
        _claim(as_of, "clm-community-workplace", "community", "workplace", 60, until=120),
        _claim(as_of, "clm-stock-spring-diary", "stock", "gardens", 0, reviewed=0, until=7),
        _claim(as_of, "clm-benefit-priority", "benefit", "care_plan", 90, reviewed=88),
        _claim(as_of, "clm-benefit-history", "benefit", None, 45, reviewed=44),
        _claim(as_of, "clm-closure-points", "closure", None, 15, until=60),
    ])  # fmt: skip


def _offer(
    as_of: datetime, offer_id: str, name: str, kind: str, value: str, *, cost: str, budget: str, terms: str,
    hours: int | None = None, codes: int | None = None, floor: str = "0.20", starts: int = -30, ends: int = 120,
    conditions: str = "",
) -> dict[str, Any]:  # fmt: skip
    return {
        "offer_id": offer_id, "name": name, "kind": kind, "value": Decimal(value), "unit_cost": Decimal(cost),
        "currency": "GBP" if kind == "credit" else None, "redeem_within_hours": hours,
        "starts_at": as_of + timedelta(days=starts), "ends_at": as_of + timedelta(days=ends),
        "margin_floor": Decimal(floor), "budget": Decimal(budget), "codes_available": codes, "terms": terms,
        "conditions": conditions or "none",
    }  # fmt: skip


def _claim(
    as_of: datetime, claim_id: str, kind: str, audience: str | None, captured: int, *, reviewed: int | None = None,
    until: int | None = None, rights: bool = True,
) -> dict[str, Any]:  # fmt: skip
    return {
        "claim_id": claim_id, "kind": kind, "text_ref": f"texts/{claim_id}.txt",
        "evidence_ref": f"evidence/{claim_id}.pdf",
        "captured_at": as_of - timedelta(days=captured, hours=6),
        "valid_until": None if until is None else as_of + timedelta(days=until),
        "audience_category": audience, "rights_ok": rights,
        "reviewed_by": None if reviewed is None else "own-cleo",
        "reviewed_at": None if reviewed is None else as_of - timedelta(days=reviewed, hours=3),
    }  # fmt: skip


def _table(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], schema=table.schema)
