"""The six dimensions of framework 003, the value tier and the population."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import pytest
from tests.policy.people import Row, ago, decide, person, stories, together

_TRACKED = {"country": "US", "zones": ["America/New_York"]}


def money(revenue: str, margin: str, **more: object) -> Row:
    amounts = {"revenue": Decimal(revenue), "revenue_24m": Decimal(revenue), "margin_revenue_24m": Decimal(revenue)}
    return {"purchases": amounts | {"margin_24m": Decimal(margin)} | more}


def clicks(**engagement: object) -> Row:
    return {"contact": _TRACKED, "engagement": engagement}


STORIES: dict[str, tuple[Row, str, str]] = {
    "margin-at-40": (money("600", "240"), "margin_class", "high"),
    "margin-below-40": (money("600", "239.9999"), "margin_class", "low"),
    "margin-of-the-smallest-sum": (money("0.0001", "0.0001"), "margin_class", "high"),
    "no-margin": ({"purchases": {"margin_24m": None, "margin_revenue_24m": None}}, "margin_class", "unknown"),
    "nothing-in-24-months": (money("600", "0", margin_revenue_24m=Decimal(0)), "margin_class", "unknown"),
    "subscriber": ({"purchases": {"subscriptions": 1}}, "purchase_kind", "subscription"),
    "buyer": ({}, "purchase_kind", "one_time"),
    "buyer-of-nothing": ({"purchases": {"purchases": 0}}, "purchase_kind", "none"),
    "two": ({"purchases": {"purchases": 2}}, "purchase_repeat", "repeat"),
    "one": ({"purchases": {"purchases": 1}}, "purchase_repeat", "single"),
    "none": ({"purchases": {"purchases": 0}}, "purchase_repeat", "none"),
    "aov-100": (money("400", "160"), "aov_tier", "mid"),
    "aov-99": (money("399.99", "160"), "aov_tier", "low"),
    "aov-300": (money("1200", "480"), "aov_tier", "high"),
    "aov-299": (money("1199.99", "480"), "aov_tier", "mid"),
    "aov-mixed-money": ({"purchases": {"currency": None, "revenue": None}}, "aov_tier", "unknown"),
    "clicked": (clicks(last_click_at=ago(125)), "engagement_pattern", "clicks_no_purchase"),
    "clicked-before-buying": (clicks(last_click_at=ago(131)), "engagement_pattern", "dark"),
    "clicked-as-he-bought": (clicks(last_click_at=ago(130)), "engagement_pattern", "dark"),
    "opened-as-he-bought": (clicks(last_open_at=ago(130)), "engagement_pattern", "dark"),
    "opened": (clicks(last_open_at=ago(125)), "engagement_pattern", "opens_no_clicks"),
    "dark": (clicks(), "engagement_pattern", "dark"),
    "written-to-once": (clicks(sent_180d=1), "engagement_pattern", "dark"),
    "nobody-wrote": (clicks(sent_180d=0), "engagement_pattern", "unknown"),
    "opens-unreadable-in-britain": ({"engagement": {"last_open_at": ago(125)}}, "engagement_pattern", "unknown"),
    "clicked-in-britain": ({"engagement": {"last_click_at": ago(125)}}, "engagement_pattern", "clicks_no_purchase"),
    "clicked-long-ago": (
        {"contact": _TRACKED, "engagement": {"last_click_at": ago(181)},
         "purchases": {"last_purchase_at": ago(300), "last_order_at": ago(300)}}, "engagement_pattern", "dark"),
    "affinity-bought": ({"engagement": {"cart_category": "windows"}}, "product_affinity", "boilers"),
    "affinity-cart": (
        {"purchases": {"top_category": None, "last_category": None},
         "engagement": {"cart_category": "windows", "browse_category": "gutters"}}, "product_affinity", "windows"),
    "affinity-browse": (
        {"purchases": {"top_category": None, "last_category": None}, "engagement": {"browse_category": "gutters"}},
        "product_affinity", "gutters"),
    "affinity-last": ({"purchases": {"top_category": None}}, "product_affinity", "boilers"),
    "affinity-unknown": ({"purchases": {"top_category": None, "last_category": None}}, "product_affinity", "unknown"),
    "came-by-ig": ({"contact": {"acquisition_channel": " IG "}}, "acquisition_channel", "paid_social"),
    "came-by-bing": ({"contact": {"acquisition_channel": "Bing / organic"}}, "acquisition_channel", "organic_search"),
    "came-by-friend": ({"contact": {"acquisition_channel": "Referral"}}, "acquisition_channel", "email_referral"),
    "came-directly": ({"contact": {"acquisition_channel": "direct"}}, "acquisition_channel", "direct"),
    "came-by-van": ({"contact": {"acquisition_channel": "van sign"}}, "acquisition_channel", "other"),
    "came-by-nothing": ({"contact": {"acquisition_channel": " "}}, "acquisition_channel", "unknown"),
    "came-somehow": ({"contact": {"acquisition_channel": None}}, "acquisition_channel", "unknown"),
    "valued": ({"contact": {"value_tier": "high"}}, "population", "high_value"),
    "middling": ({}, "population", "low_value"),
    "misfit": ({"contact": {"fit": "bad", "value_tier": "high"}}, "population", "bad_fit"),
    "misfit-opted-out": ({"contact": {"fit": "bad"}, "suppression": {}}, "population", "no_contact"),
    "not-permitted": ({"consents": []}, "population", "no_contact"),
}  # fmt: skip


@cache
def decided() -> dict[str, Row]:
    return stories({name: how for name, (how, _, _) in STORIES.items()})


@pytest.mark.parametrize("story", STORIES)
def test_dimension(story: str) -> None:
    """Each dimension's classes and their borders; lower bounds are inclusive, unknown is told as unknown."""
    _, dimension, expected = STORIES[story]

    assert decided()[story][dimension] == expected


def test_where_the_affinity_was_seen_is_told() -> None:
    """Bought, left in a cart, browsed, or nowhere."""
    stories_of = ("bought", "cart", "browse", "last", "unknown")
    sources = [decided()[f"affinity-{story}"]["evidence"]["affinity_source"] for story in stories_of]

    assert sources == ["purchases", "abandoned_cart", "browse", "purchases", None]


def _ten(segment: str, currency: str = "GBP") -> dict[str, Row]:
    """Ten customers without a given tier; the later the letter, the larger the margin."""
    return {
        f"{segment}-{currency}-{letter}": {
            "contact": {"business_segment": segment, "value_tier": None},
            "purchases": {"margin_24m": Decimal(number), "currency": currency},
        }
        for number, letter in enumerate("abcdefghij", start=1)
    }


def test_value_tier_is_the_rank_by_margin_within_the_segment() -> None:
    """The top fifth is high, the next three tenths are mid, the rest low; each segment by itself."""
    tiers = {name: row["value_tier"] for name, row in stories(_ten("household") | _ten("business")).items()}

    for segment in ("household", "business"):
        assert "".join(tiers[f"{segment}-GBP-{letter}"][0] for letter in "abcdefghij") == "lllllmmmhh"


def test_money_of_different_currencies_is_never_compared() -> None:
    """Ten customers who pay in euro have a ranking of their own."""
    tiers = {name: row["value_tier"] for name, row in stories(_ten("household") | _ten("household", "EUR")).items()}

    assert "".join(tiers[f"household-EUR-{letter}"][0] for letter in "abcdefghij") == "lllllmmmhh"


def test_equal_margins_are_ranked_by_id() -> None:
    """A tie has one answer, whatever the order of the rows."""
    people = [person(f"c-{n}", contact={"value_tier": None}) for n in range(5)]
    forwards, backwards = (decide(together(*order)).table for order in (people, people[::-1]))

    assert forwards["value_tier"].to_pylist() == ["high", "mid", "low", "low", "low"]
    assert forwards.equals(backwards)


def test_the_sources_tier_wins() -> None:
    """What the CRM says about value is not recomputed."""
    unknown = {"contact": {"value_tier": None}, "purchases": {"margin_known_rows": 0}}
    told = {
        "given": {"contact": {"value_tier": "low"}},
        "ranked": {"contact": {"value_tier": None}},
        "unknown": unknown,
    }

    rows = stories(told)

    assert {name: (row["value_tier"], row["evidence"]["value_tier_source"]) for name, row in rows.items()} == {
        "given": ("low", "source"), "ranked": ("low", "margin_rank"), "unknown": ("unknown", None),
    }  # fmt: skip
