"""Candidates, offers and the shipped playbook, planned as one likes."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import yaml

from reactivation import paths
from reactivation.contract.tables import MONEY, OFFERS, TEXT, TEXTS, TIME, WHOLE
from reactivation.playbooks.loader import load_playbook
from reactivation.playbooks.model import Playbook
from reactivation.policy.sequence import plan_sequence
from reactivation.policy.timing import TimingRules

RULES = TimingRules.model_validate(yaml.safe_load((paths.RULES / "timing.yaml").read_text(encoding="utf-8")))
SHIPPED = load_playbook(paths.PLAYBOOKS / "customer_reactivation.yaml").playbook
#: The shipped playbook by e-mail alone, with the offers of this file; its touch 5 needs none.
FULL = SHIPPED.model_copy(update={"touches": tuple(
    t.model_copy(update={"channels": ("email",), "offer": {3: "offer-credit-15", 6: "offer-20"}.get(t.number)})
    for t in SHIPPED.touches
)})  # fmt: skip
CANDIDATES = pa.schema([
    ("customer_id", TEXT), ("dormancy_range", TEXT), ("email_basis", TEXT), ("sms_basis", TEXT),
    ("gate_reachable", TEXT), ("gate_offer_allowed", TEXT), ("offer_position", TEXT), ("offer_cap", MONEY),
    ("email_valid_until", TIME), ("sms_valid_until", TIME), ("last_sent_at", TIME), ("last_sms_sent_at", TIME),
    ("sms_sent_7d", WHOLE), ("no_points_until", TIME), ("no_percent_until", TIME), ("zones", TEXTS),
    ("zone_sources", TEXTS), ("country", TEXT), ("region", TEXT), ("phone_country", TEXT),
    ("route", TEXT), ("adaptations", TEXTS), ("rung", TEXT),
    ("skipped_touches", TEXTS),
])  # fmt: skip
#: Tuesday, 11:00 in London.
NOW = datetime(2026, 11, 3, 11, tzinfo=UTC)
REGULAR = {
    "customer_id": "cus-0001", "dormancy_range": "deep", "email_basis": "express", "gate_reachable": "pass",
    "gate_offer_allowed": "pass",
    "offer_position": "percent", "offer_cap": Decimal("0.25"), "zones": ["Europe/London"],
    "zone_sources": ["address"], "country": "GB", "region": "ENG", "route": "outreach",
    "adaptations": [],
}  # fmt: skip
CREDIT = {
    "offer_id": "offer-credit-15", "name": "15 off your next visit", "kind": "credit", "value": Decimal(15),
    "currency": "GBP", "unit_cost": Decimal(15), "redeem_within_hours": None,
    "starts_at": datetime(2026, 10, 1, tzinfo=UTC), "ends_at": datetime(2027, 2, 1, tzinfo=UTC),
    "margin_floor": Decimal("0.2"), "budget": Decimal(3000), "codes_available": 500,
    "terms": "One credit of 15 GBP.", "conditions": "Bookings above 60 GBP.",
}  # fmt: skip
PERCENT = {**CREDIT, "offer_id": "offer-20", "kind": "percent", "value": Decimal(20), "redeem_within_hours": 72}


def people(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([{**REGULAR, **row} for row in rows], schema=CANDIDATES)


def offers(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([{**CREDIT, **row} for row in rows], schema=OFFERS.schema)


OFFERED = offers(CREDIT, PERCENT)


def plan(*rows: dict[str, Any], playbook: Playbook = FULL, terms: pa.Table = OFFERED, now: datetime = NOW) -> pa.Table:
    return plan_sequence(people(*rows), playbook, terms, RULES, now)


def touch(number: int, table: pa.Table) -> dict[str, Any]:
    return next(row for row in table.to_pylist() if row["number"] == number)


def london(instant: datetime) -> str:
    return f"{instant.astimezone(ZoneInfo('Europe/London')):%a %d %b %H:%M}"


CHANNELS = (("email", "sms"), ("sms", "email"))
BY = {"email": {}, "sms": {"email_basis": None, "sms_basis": "express_written"}}


def allowed(person: dict[str, Any]) -> list[str]:
    """The channels a person permits and can be reached by, e-mail first."""
    return [
        channel
        for channel, other in (("email", "sms"), ("sms", "email"))
        if person[f"{channel}_basis"] and person["gate_reachable"] in ("pass", f"drop:{other}")
    ]
