"""Parts: each counted like the whole, over its own messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from reactivation.cli import arguments
from reactivation.ledger.measured import SENT, TOLD
from reactivation.measures import SPLITS, Figure, split_cohorts, split_comparison, split_outreach, split_review
from reactivation.policy.decisions import DECISIONS

T = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def message(customer: str, number: int, day: int, **more: Any) -> dict[str, Any]:
    return {"touch_id": f"{customer}-{number}", "enrolment_id": f"e-{customer}", "customer_id": customer,
            "number": number, "channel": "email", "sent_at": T + day * DAY, "segment": "household"} | more  # fmt: skip


def event(kind: str, customer: str, day: int, **more: Any) -> dict[str, Any]:
    return {"event_id": f"{kind}-{customer}-{day}", "customer_id": customer, "kind": kind,
            "occurred_at": T + day * DAY} | more  # fmt: skip


#: Ann and Bob are households, Cat a studio. Ann clicks after her second message, by SMS, and buys; Cat uses her code.
SENT_ROWS = [
    message("ann", 1, 0), message("ann", 2, 40, channel="sms"), message("bob", 1, 0),
    message("cat", 1, 0, segment="studio", offer_id="o-15", value_tier="high", unit_cost=Decimal("4.10"),
            unit_currency="GBP"),
]  # fmt: skip
TOLD_ROWS = [
    event("click", "ann", 41), event("order", "ann", 50, amount=Decimal("10.00"), currency="GBP"),
    event("bounce", "bob", 1, touch_id="bob-1"),
    event("order", "cat", 3, event_id="o", amount=Decimal("20.50"), currency="GBP"),
    event("redeemed", "cat", 3, touch_id="cat-1", about="o"), event("unsubscribe", "cat", 5),
]  # fmt: skip


def parts(by: str) -> dict[tuple[str, str | None], Figure]:
    sent, told = pa.Table.from_pylist(SENT_ROWS, schema=SENT), pa.Table.from_pylist(TOLD_ROWS, schema=TOLD)
    found = split_outreach(sent, told, by, response_days=30, reactivated_days=90, now=T + 400 * DAY)
    return {(figure.measure, figure.by): figure for figure in found}


def test_a_segment_has_its_own_people_and_money() -> None:
    """Households: two written to, one delivered to, who responded and came back with 10.00. Studios: one of one."""
    found = parts("segment")
    shares = {
        (name, by): (found[name, f"segment {by}"].count, found[name, f"segment {by}"].of)
        for name in ("response_rate", "reactivations", "bounces", "unsubscribes", "discount_use")
        for by in ("household", "studio")
    }
    assert shares == {
        ("response_rate", "household"): (1, 1), ("response_rate", "studio"): (1, 1),
        ("reactivations", "household"): (1, 2), ("reactivations", "studio"): (1, 1),
        ("bounces", "household"): (1, 2), ("bounces", "studio"): (0, 1),
        ("unsubscribes", "household"): (0, 1), ("unsubscribes", "studio"): (1, 1),
        ("discount_use", "household"): (0, 0), ("discount_use", "studio"): (1, 1),
    }  # fmt: skip
    assert found["retained_revenue", "segment household"].amount == Decimal("10.00")
    assert found["reactivated_ltv", "segment studio"].amount == Decimal("20.50")
    assert found["time_to_reactivate", "segment studio"].days == 3


def test_what_brought_a_segment_back_and_what_its_discounts_brought() -> None:
    """Ann's second message, by SMS; Cat's first. Cat's 20.50 for a code of 4.10 are 5 times; households used none."""
    found = parts("segment")
    assert found["channel_attribution", "segment household, touch 2, sms"].count == 1
    assert found["channel_attribution", "segment studio, email"].count == 1
    spent = found["incentive_efficiency", "segment studio"]
    assert (spent.count, spent.amount, spent.cost, spent.currency, spent.rate) == (
        1, Decimal("20.50"), Decimal("4.10"), "GBP", 5.0
    )  # fmt: skip
    assert ("incentive_efficiency", "segment household") not in found
    assert parts("touch")["incentive_efficiency", "touch 1"].rate == 5.0


def test_the_channels_of_a_segment_are_told_where_it_has_two() -> None:
    """Ann went by email and then SMS: without either she is lost. The studio was written to by email alone."""
    found = {by: figure for (name, by), figure in parts("segment").items() if name == "markov_attribution"}
    assert {by: (figure.of, figure.rate, figure.note) for by, figure in found.items()} == {
        "segment household, email": (1, 0.5, "100.0% fewer without it"),
        "segment household, sms": (1, 0.5, "100.0% fewer without it"),
        "segment studio": (1, None, "one channel only"),
    }


def test_a_touch_is_answered_by_itself() -> None:
    """Ann's click came 41 days after the first and one day after the second; what she did in the end is of neither."""
    found = parts("touch")
    assert {by: (figure.count, figure.of) for (name, by), figure in found.items() if name == "response_rate"} == {
        "touch 1": (1, 2), "touch 2": (1, 1)
    }  # fmt: skip
    assert {name for name, _ in found} == {"response_rate", "bounces", "discount_use", "incentive_efficiency"}
    assert {by for _, by in parts("channel")} == {"channel email", "channel sms"}


def test_messages_without_an_offer_are_of_none_and_people_without_a_tier_are_unknown() -> None:
    """Nobody disappears from a split of people."""
    assert {by for _, by in parts("offer")} == {"offer o-15"}
    assert {by for name, by in parts("value") if name == "reactivations"} == {"value high", "value unknown"}


#: The dimensions of framework 003 and the value tier of seed 000, by the words of ``--by``.
DIMENSIONS = {
    "dormancy": ("dormancy_range", "critical"), "margin": ("margin_class", "high"),
    "contract": ("purchase_kind", "subscription"), "repeat": ("purchase_repeat", "single"),
    "order_value": ("aov_tier", "mid"), "engagement": ("engagement_pattern", "dark"),
    "affinity": ("product_affinity", "boilers"), "acquisition": ("acquisition_channel", "organic_search"),
    "value": ("value_tier", "high"),
}  # fmt: skip


@pytest.mark.parametrize("by", DIMENSIONS)
def test_every_dimension_divides_the_people_and_the_candidates(by: str) -> None:
    """Ann is of the part, and came back; Bob is not. Of the two candidates one is."""
    column, part = DIMENSIONS[by]
    sent = pa.Table.from_pylist([message("ann", 1, 0, **{column: part}), message("bob", 1, 0)], schema=SENT)
    told = pa.Table.from_pylist([event("order", "ann", 9)], schema=TOLD)
    windows: dict[str, Any] = {"response_days": 30, "reactivated_days": 90, "now": T + 400 * DAY}
    found = {figure.by: figure for figure in split_outreach(sent, told, by, **windows)
             if figure.measure == "reactivations"}  # fmt: skip
    assert {name: (figure.count, figure.of) for name, figure in found.items()} == {
        f"{by} {part}": (1, 1), f"{by} unknown": (0, 1)
    }  # fmt: skip
    row = {"decision": "suppress", "reviewed": True, "reason_codes": ["fit:bad"], "gate_no_open_issue": "pass"}
    candidates = pa.Table.from_pylist([row | {column: part}, row], schema=DECISIONS)
    assert {figure.by for figure in split_review(candidates, by)} == {f"{by} {part}", f"{by} unknown"}


def test_candidates_are_divided_as_people_are() -> None:
    """By the same words; a touch has no candidates."""
    rows = [{"decision": "suppress", "reviewed": True, "reason_codes": ["fit:bad"], "gate_no_open_issue": "pass",
             "business_segment": segment} for segment in ("household", "studio", "studio")]  # fmt: skip
    table = pa.Table.from_pylist(rows, schema=DECISIONS)
    found = {figure.by: figure for figure in split_review(table, "segment") if figure.measure == "contacts_suppressed"}
    assert {by: (figure.count, figure.of) for by, figure in found.items()} == {
        "segment household": (1, 1), "segment studio": (2, 2)
    }  # fmt: skip
    assert split_review(table, "touch") == []


def test_a_cohort_is_divided_by_what_people_were_at_first() -> None:
    """Ann was still early when she was first decided about, Dan too, who was never written to; Cat is of nobody knows
    what. Ann and Cat came back."""
    decided = pa.table({
        "customer_id": ["ann", "cat", "dan"], "first_at": pa.array([T] * 3, pa.timestamp("us", tz="UTC")),
        "part": ["early_warning", None, "early_warning"],
    })  # fmt: skip
    sent, told = pa.Table.from_pylist(SENT_ROWS, schema=SENT), pa.Table.from_pylist(TOLD_ROWS, schema=TOLD)
    windows: dict[str, Any] = {"response_days": 30, "reactivated_days": 90, "now": T + 400 * DAY}
    found = {
        figure.by: (figure.count, figure.of) for figure in split_cohorts(sent, told, decided, "dormancy", **windows)
    }
    assert found == {
        "dormancy early_warning": (1, 2), "dormancy early_warning, week of 2026-03-02": (1, 2),
        "dormancy unknown": (1, 1), "dormancy unknown, week of 2026-03-02": (1, 1),
    }  # fmt: skip
    assert split_cohorts(sent, told, decided, "touch", **windows) == []


def test_what_was_added_is_told_of_each_part() -> None:
    """Of four households two are treated, of whom one bought, and two held out, of whom none did; of the studio one is
    treated, and compared with nobody. Nobody held out has a variant, so variants have no such difference."""
    groups = [("ann", False, "household"), ("bob", False, "household"), ("dan", True, "household"),
              ("eve", True, "household"), ("cat", False, "studio")]  # fmt: skip
    assigned = pa.table({
        "customer_id": [who for who, _, _ in groups], "held_out": [held_out for _, held_out, _ in groups],
        "assigned_at": pa.array([T] * 5, pa.timestamp("us", tz="UTC")), "begun": [True] * 5,
        "part": [part for _, _, part in groups],
    })  # fmt: skip
    bought = pa.Table.from_pylist([event("order", "ann", 50), event("order", "cat", 3)], schema=TOLD)
    split: dict[str, Any] = {"holdout_share": 0.5, "reactivated_days": 90, "now": T + 400 * DAY}
    found = {figure.by: figure for figure in split_comparison(assigned, bought, "segment", **split)}
    assert (found["segment household"].rate, found["segment household"].of) == (0.5, 4)
    assert [(found[f"segment household, {group}"].count, found[f"segment household, {group}"].of)
            for group in ("assigned to treatment", "held out")] == [(1, 2), (0, 2)]  # fmt: skip
    assert (found["segment studio"].rate, found["segment studio"].of) == (None, 1)
    assert split_comparison(assigned, bought, "variant", **split) == []
    assert split_comparison(assigned, bought, "segment", **split | {"holdout_share": 0}) == []


@pytest.mark.parametrize("by", SPLITS)
def test_every_split_may_be_typed_and_of_nothing_there_are_no_parts(by: str) -> None:
    """The command line lists them without importing them."""
    assert by in arguments._SPLITS
    assert len(arguments._SPLITS) == len(SPLITS)
    assert (
        split_outreach(SENT.empty_table(), TOLD.empty_table(), by, response_days=30, reactivated_days=90, now=T) == []
    )
