"""What holds of every planned sequence, whoever the candidates are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.sequences import (
    CANDIDATES,
    CHANNELS,
    CREDIT,
    FULL,
    NOW,
    PERCENT,
    RULES,
    allowed,
    offers,
    people,
    plan,
)

from reactivation.contract.tables import TIME
from reactivation.policy.sequence import (
    PLANNED,
)
from reactivation.policy.timing import is_legal

ZONES = st.sampled_from([
    (["Europe/London"], "GB", "SCT"), (["Europe/Berlin", "Europe/London"], "DE", None),
    (["America/Los_Angeles", "America/New_York"], "US", "NY"), (["Pacific/Auckland"], "NZ", None), ([], None, None),
])  # fmt: skip
PERSON = st.fixed_dictionaries({
    "dormancy_range": st.sampled_from(["under_60", "early_warning", "deep", None]),
    "email_basis": st.sampled_from(["express", None]), "sms_basis": st.sampled_from(["express_written", None]),
    "gate_reachable": st.sampled_from(["pass", "drop:sms", "drop:email"]),
    "last_sms_sent_at": st.none() | st.integers(0, 200).map(lambda h: NOW - timedelta(hours=h)),
    "sms_sent_7d": st.integers(0, 3),
    "gate_offer_allowed": st.sampled_from(["pass", "drop:cooldown"]),
    "offer_position": st.sampled_from(["none", "points_or_credit", "percent"]),
    "offer_cap": st.sampled_from([None, Decimal("0.1"), Decimal("0.3")]),
    "email_valid_until": st.none() | st.integers(0, 60).map(lambda d: NOW + timedelta(days=d)),
    "last_sent_at": st.none() | st.integers(0, 200).map(lambda h: NOW - timedelta(hours=h)),
    "skipped_touches": st.none() | st.lists(st.sampled_from("1234567"), unique=True),
    "place": ZONES,
})  # fmt: skip


def drawn(persons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for number, person in enumerate(persons):
        zones, country, region = person.pop("place")
        rows.append({**person, "customer_id": f"cus-{number:04}", "zones": zones, "country": country, "region": region})
    return rows


class TestProperties:
    """Whatever the candidates are."""

    @given(st.lists(PERSON, min_size=1, max_size=6).map(drawn), st.integers(0, 3 * 365 * 24))
    @settings(max_examples=60, deadline=None)
    def test_planned_touches_keep_every_limit(self, rows: list[dict[str, Any]], hours: int) -> None:
        """Legal, in the future, rising, 48 hours apart, not overlapping, within permission and offer."""
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
        always = {"starts_at": datetime(2026, 1, 1, tzinfo=UTC), "ends_at": datetime(2029, 6, 1, tzinfo=UTC)}
        dense = tuple(
            t.model_copy(update={"day": t.number, "channels": CHANNELS[t.number % 2], "window_days": 3})
            for t in FULL.touches
        )
        playbook = FULL.model_copy(update={"touches": dense}) if hours % 2 else FULL
        table = plan(*rows, playbook=playbook, now=now, terms=offers({**CREDIT, **always}, {**PERCENT, **always}))
        known = {row["customer_id"]: row for row in people(*rows).to_pylist()}
        texts = {
            customer: [row["last_sms_sent_at"]] * min(row["sms_sent_7d"], 2) if row["last_sms_sent_at"] else []
            for customer, row in known.items()
        }
        sent = {customer: row["last_sent_at"] for customer, row in known.items()}
        closed: dict[str, datetime] = {}
        for row in table.to_pylist():
            if row["state"] != PLANNED:
                assert row["reason"]
                continue
            customer, start, end = row["customer_id"], row["not_before"], row["not_after"]
            person = known[customer]
            assert now <= start < end
            assert sent[customer] is None or start - sent[customer] >= timedelta(hours=48)
            assert start >= closed.get(customer, start)
            assert row["channel"] in allowed(person)
            wanted = playbook.touch(row["number"]).channels
            assert row["channel"] == next(channel for channel in wanted if channel in allowed(person))
            until = person["email_valid_until"] if row["channel"] == "email" else person["sms_valid_until"]
            assert until is None or end <= until
            if row["channel"] == "sms":
                week = [text for text in texts[customer] if start - text < timedelta(days=7)]
                assert len(week) < 2
                texts[customer].append(start)
            place = pa.Table.from_pylist([person], schema=CANDIDATES)
            assert is_legal(pa.array([start], TIME), place, RULES)[0].as_py()
            sent[customer], closed[customer] = start, end

    @given(st.lists(PERSON, min_size=2, max_size=6).map(drawn), st.randoms(use_true_random=False))
    @settings(max_examples=30, deadline=None)
    def test_the_order_of_rows_changes_nothing(self, rows: list[dict[str, Any]], random: Any) -> None:
        """A permutation of the candidates gives the same plan, byte for byte."""
        shuffled = random.sample(rows, len(rows))
        assert plan(*rows).equals(plan(*shuffled))

    @given(st.lists(PERSON, min_size=1, max_size=6).map(drawn))
    @settings(max_examples=30, deadline=None)
    def test_losing_a_permission_never_adds_a_touch(self, rows: list[dict[str, Any]]) -> None:
        """With the permission gone from a person, the planned touches are a subset of those before."""
        less = [{**row, "email_basis": None, "sms_basis": None, "offer_position": "none"} for row in rows]
        before, after = (
            {(r["customer_id"], r["number"]) for r in plan(*some).to_pylist() if r["state"] == PLANNED}
            for some in (rows, less)
        )
        assert after <= before
