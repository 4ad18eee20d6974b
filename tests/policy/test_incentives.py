"""Who may be given an incentive, up to which step, and at what share of an order's value."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache

import pytest
from tests.policy.people import AT, Row, ago, known, offer, one, person, playbook, rules, stories

from reactivation.playbooks.model import Playbook
from reactivation.policy.rules import Rules

STORIES: dict[str, tuple[Row, str]] = {
    "plain": ({}, "pass"),
    "half-on-discount": ({"purchases": {"discounted_purchases": 2}}, "drop:discount_buyer"),
    "seldom-on-discount": ({"purchases": {"discounted_purchases": 1}}, "pass"),
    "still-subscribes": ({"purchases": {"period_end": ago(-20)}}, "drop:active_subscription"),
    "subscription-ends-now": ({"purchases": {"period_end": AT}}, "pass"),
    "cancelled-and-runs-out": (
        {"purchases": {"period_end": ago(-20), "subscription_cancelled_at": ago(400)}}, "pass"),
    "margin-unknown": (
        {"purchases": {"margin_24m": None, "margin_revenue_24m": None}}, "drop:margin_unknown"),
    "small-orders": ({"purchases": {"revenue": Decimal(80)}}, "drop:margin_guard"),
    "pays-in-euro": ({"purchases": {"currency": "EUR"}}, "drop:other_currency"),
    "pays-in-anything": ({"purchases": {"currency": None, "revenue": None}}, "drop:other_currency"),
    "account-with-notes": ({"account": {"has_notes": True}}, "drop:high_context_account"),
    "account-of-unknown-notes": ({"account": {"has_notes": None}}, "drop:high_context_account"),
    "account-with-a-past": (
        {"account": {}, "case": {"closed_at": ago(300), "opened_at": ago(310), "status": "closed"}},
        "drop:high_context_account"),
    "valued-account": ({"account": {}, "contact": {"value_tier": "high"}}, "drop:high_context_account"),
    "plain-account": ({"account": {}}, "pass"),
}  # fmt: skip


@cache
def decided() -> dict[str, Row]:
    return stories({name: how for name, (how, _) in STORIES.items()})


@pytest.mark.parametrize("story", STORIES)
def test_who_gets_an_offer(story: str) -> None:
    """A no takes the offer away, never the customer."""
    row = decided()[story]

    assert row["gate_offer_allowed"] == STORIES[story][1]
    assert row["decision"] in ("enrol", "review")
    assert row["offer_position"] == ("points_or_credit" if STORIES[story][1] == "pass" else "none")


def test_the_margin_guard_is_the_formula() -> None:
    """delta_max = m(1 - p0/p1) - c/(V p1): 0.4 of 150 pounds, uplift 1.5, two pence a contact, one in twenty buys."""
    row = one(person())

    assert row["offer_cap"] == Decimal("0.1306")  # 0.4 / 3 - 0.02 / (150 * 0.05), rounded down


def test_an_incentive_never_eats_the_margin_floor() -> None:
    """At 13 % margin the tenth that must be left allows 3 %."""
    thin = one(person(purchases={"margin_24m": Decimal(78)}))

    assert thin["offer_cap"] == Decimal("0.0300")
    assert thin["offer_position"] == "none"


#: What one incentive redeemed long ago cost: of the 240 pounds of margin that four orders brought, 48 is a fifth.
CHEAP: Row = {"redeemed_cost": Decimal("9.50"), "redeemed_currency": "GBP"}
REDEEMED: dict[str, tuple[Row, str]] = {
    "lately": ({"last_redeemed_at": AT - timedelta(days=179), "redeemed_incentives": 1}, "drop:cooldown"),
    "half-a-year-ago": ({"last_redeemed_at": AT - timedelta(days=180), "redeemed_incentives": 1}, "drop:once_a_year"),
    "nearly-a-year-ago": ({"last_redeemed_at": AT - timedelta(days=364), "redeemed_incentives": 1}, "drop:once_a_year"),
    "a-year-ago": ({"last_redeemed_at": AT - timedelta(days=365), "redeemed_incentives": 1} | CHEAP, "pass"),
    "twice": ({"last_redeemed_at": AT - timedelta(days=400), "redeemed_incentives": 2}, "drop:lifetime_cap"),
}  # fmt: skip


@cache
def redeemed() -> dict[str, Row]:
    ledger = (known(f"mail-{name}", **knows) for name, (knows, _) in REDEEMED.items())
    return stories({name: {} for name in REDEEMED}, *ledger)


@pytest.mark.parametrize("story", REDEEMED)
def test_redeemed_incentives_count(story: str) -> None:
    """No second one within the cooldown, one that costs money in a year, none after two."""
    assert redeemed()[story]["gate_offer_allowed"] == REDEEMED[story][1]


def test_incentives_of_mail_and_of_texts_are_counted_together() -> None:
    """One that came to each address of a person is two."""
    long_ago = {"last_redeemed_at": AT - timedelta(days=400), "redeemed_incentives": 1}
    reached = {"contact": {"phone_key": "phone-both", "phone_problem": None, "phone_country": "GB"}}

    row = stories({"both": reached}, known("mail-both", **long_ago), known("phone-both", **long_ago))["both"]

    assert row["gate_offer_allowed"] == "drop:lifetime_cap"


#: Credit that costs 9.50, and then ten percent: the margin guard allows 13 % of this person's orders.
PERCENT: Row = {"offer_id": "offer-percent-20", "kind": "percent", "value": Decimal(10), "currency": None}


def with_percent() -> Playbook:
    """The playbook with both steps of the ladder."""
    touches = tuple(
        touch.model_copy(update={"offer": "offer-percent-20"}) if touch.incentive == "percent" else touch
        for touch in playbook().touches
    )
    return playbook().model_copy(update={"touches": touches})


def more_in_a_lifetime() -> Rules:
    """Rules under which a lifetime may have three incentives."""
    return replace(rules(), incentives=rules().incentives.model_copy(update={"lifetime_incentives": 3}))


@pytest.mark.parametrize(
    ("redeemed", "expected"),
    [(1, ("pass", "percent")), (2, ("drop:no_escalation", "points_or_credit")), (3, ("drop:lifetime_cap", "none"))],
)
def test_no_escalation_after_two_redeemed_incentives(redeemed: int, expected: tuple[str, str]) -> None:
    """Also where a lifetime may have more: the credit, not the percentage above it."""
    long_ago = {"last_redeemed_at": AT - timedelta(days=400), "redeemed_incentives": redeemed}
    tables = person() | {"offers": [offer(), offer(**PERCENT)]}

    row = one(tables, known(**long_ago, **CHEAP), declared=with_percent(), in_force=more_in_a_lifetime())

    assert (row["gate_offer_allowed"], row["offer_position"]) == expected


def test_a_playbook_that_offers_the_larger_step_alone_offers_nothing_more() -> None:
    """Its smallest step is larger than the credit redeemed before."""
    alone = tuple(
        touch if touch.incentive == "percent" else touch.model_copy(update={"offer": None})
        for touch in with_percent().touches
    )
    twice = {"last_redeemed_at": AT - timedelta(days=400), "redeemed_incentives": 2}

    row = one(
        person() | {"offers": [offer(**PERCENT)]}, known(**twice, **CHEAP),
        declared=playbook().model_copy(update={"touches": alone}), in_force=more_in_a_lifetime(),
    )  # fmt: skip

    assert (row["gate_offer_allowed"], row["offer_position"]) == ("drop:no_escalation", "none")


LONG_AGO: Row = {"last_redeemed_at": AT - timedelta(days=400), "redeemed_incentives": 1}
COSTS: dict[str, tuple[Row, str]] = {
    "just-below": ({"redeemed_cost": Decimal("47.9999"), "redeemed_currency": "GBP"}, "pass"),
    "a-fifth": ({"redeemed_cost": Decimal(48), "redeemed_currency": "GBP"}, "drop:lifetime_share"),
    "more": ({"redeemed_cost": Decimal(100), "redeemed_currency": "GBP"}, "drop:lifetime_share"),
    "of-unknown-cost": ({"redeemed_currency": "GBP"}, "drop:lifetime_share"),
    "in-another-currency": ({"redeemed_cost": Decimal(1), "redeemed_currency": "EUR"}, "drop:lifetime_share"),
    "in-unknown-currency": ({"redeemed_cost": Decimal(1)}, "drop:lifetime_share"),
    "given-back": ({"redeemed_cost": Decimal(0)}, "pass"),
    "never-redeemed": ({"redeemed_incentives": 0, "last_redeemed_at": None}, "pass"),
}


@cache
def against_margin() -> dict[str, Row]:
    ledger = (known(f"mail-{name}", **(LONG_AGO | knows)) for name, (knows, _) in COSTS.items())
    return stories({name: {} for name in COSTS}, *ledger)


@pytest.mark.parametrize("story", COSTS)
def test_redeemed_incentives_may_have_cost_a_fifth_of_the_margin_of_a_lifetime(story: str) -> None:
    """What was redeemed and cannot be compared is no; what was never redeemed is no share of anything."""
    assert against_margin()[story]["gate_offer_allowed"] == COSTS[story][1]


def test_the_margin_of_a_lifetime_is_all_revenue_at_the_rate_that_is_known() -> None:
    """1,000 pounds ever, at 240 of margin in the last 600: 400. What is not known of it is no margin, and no offer."""
    cost = {"redeemed_cost": Decimal(79), "redeemed_currency": "GBP"}
    told = {"older": {"revenue": Decimal(1000)}, "unknown": {"revenue": None}, "lost": {"margin_24m": Decimal(-1)},
            "rateless": {"margin_24m": None}}  # fmt: skip
    rows = stories(
        {name: {"purchases": how} for name, how in told.items()},
        *(known(f"mail-{name}", **LONG_AGO, **cost) for name in told),
    )

    assert {name: (row["gate_offer_allowed"], row["evidence"]["lifetime_margin"]) for name, row in rows.items()} == {
        "older": ("pass", Decimal(400)), "unknown": ("drop:lifetime_share", None),
        "lost": ("drop:lifetime_share", Decimal("-1.0000")), "rateless": ("drop:margin_unknown", None),
    }  # fmt: skip
    assert rows["older"]["evidence"]["redeemed_cost"] == Decimal(79)


@pytest.mark.parametrize(
    ("by_text", "expected"),
    [
        ({"redeemed_cost": Decimal("27.99"), "redeemed_currency": "GBP"}, ("pass", Decimal("47.99"))),
        ({"redeemed_cost": Decimal("28.00"), "redeemed_currency": "GBP"}, ("drop:lifetime_share", Decimal(48))),
        ({"redeemed_cost": Decimal("0.01"), "redeemed_currency": "EUR"}, ("drop:lifetime_share", None)),
        ({}, ("drop:lifetime_share", None)),
        ({"redeemed_incentives": 0}, ("pass", Decimal(20))),
    ],
)
def test_what_mail_and_texts_cost_is_added(by_text: Row, expected: tuple[str, Decimal | None]) -> None:
    """Twenty pounds by mail, and by text what is said; unknown or in other money, the whole is unknown."""
    reached = {"contact": {"phone_key": "phone-both", "phone_problem": None, "phone_country": "GB"}}
    cost = {"redeemed_cost": Decimal(20), "redeemed_currency": "GBP"}

    row = stories(
        {"both": reached}, known("mail-both", **LONG_AGO, **cost), known("phone-both", **(LONG_AGO | by_text)),
        in_force=more_in_a_lifetime(),
    )["both"]  # fmt: skip

    assert (row["gate_offer_allowed"], row["evidence"]["redeemed_cost"]) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"ends_at": AT + timedelta(days=9)}, "drop:offer_not_live"),
        ({"ends_at": AT + timedelta(days=9, seconds=1)}, "pass"),
        ({"starts_at": AT + timedelta(days=9, seconds=1)}, "drop:offer_not_live"),
        ({"starts_at": AT + timedelta(days=9)}, "pass"),
        ({"codes_available": 0}, "drop:no_codes_left"),
        ({"codes_available": 1, "budget": Decimal("9.50")}, "pass"),
        ({"codes_available": None}, "pass"),
        ({"budget": Decimal("9.49")}, "drop:no_budget"),
        ({"offer_id": "another"}, "drop:offer_unknown"),
        *(({bound: None}, "drop:offer_unknown")
          for bound in ("kind", "value", "unit_cost", "starts_at", "ends_at", "margin_floor", "budget")),
        ({"margin_floor": Decimal("0.35")}, "drop:margin_floor"),
        ({"currency": None, "kind": "points"}, "pass"),
    ],
)  # fmt: skip
def test_an_offer_must_be_live_known_and_paid_for(change: Row, expected: str) -> None:
    """On the day its touch is planned (the third, day 9)."""
    tables = person() | {"offers": [offer(**change)]}

    assert one(tables)["gate_offer_allowed"] == expected


def test_a_percentage_costs_its_share_of_the_order() -> None:
    """Of credit that is allowed and 20 percent that is too much, the first is the highest step."""
    percent = offer(**PERCENT | {"value": Decimal(20)})

    row = one(person() | {"offers": [offer(), percent]}, declared=with_percent())

    assert (row["gate_offer_allowed"], row["offer_position"]) == ("drop:margin_guard", "points_or_credit")
