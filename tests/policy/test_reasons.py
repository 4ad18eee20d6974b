"""Why a customer went quiet: known, inferred with its evidence, or unknown."""

from __future__ import annotations

from functools import cache

import pytest
from tests.policy.people import Row, ago, stories

_HAPPY = [1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0]
_SECOND = 1 / 86_400

STORIES: dict[str, tuple[Row, tuple[str, str, list[str]]]] = {
    "told": ({"contact": {"inactivity_reason": "moved_away"}}, ("moved_away", "known", ["contacts/told"])),
    "told-of-account": (
        {"account": {"inactivity_reason": "budget"}}, ("budget", "known", ["accounts/a-told-of-account"])),
    "account-left": (
        {"account": {"cancelled_at": ago(100)}}, ("account_cancelled", "inferred", ["accounts/a-account-left"])),
    "cancelled": (
        {"case": {"kind": "cancellation", "closed_at": ago(120), "status": "closed", "opened_at": ago(400)}},
        ("cancelled", "inferred", ["cases/k-cancelled"])),
    "plan-ended-by-customer": (
        {"purchases": {"subscription_cancelled_at": ago(120)}},
        ("subscription_cancelled", "inferred", ["purchase_summary/plan-ended-by-customer"])),
    "plan-ended-years-ago": ({"purchases": {"subscription_cancelled_at": ago(600)}}, ("unknown", "unknown", [])),
    "plan-ended-at-the-border": (
        {"purchases": {"subscription_cancelled_at": ago(190)}},
        ("subscription_cancelled", "inferred", ["purchase_summary/plan-ended-at-the-border"])),
    "complained": (
        {"case": {"opened_at": ago(150), "closed_at": ago(140), "status": "closed"}},
        ("service_problem", "inferred", ["cases/k-complained"])),
    "complained-long-before": (
        {"case": {"opened_at": ago(300), "closed_at": ago(290), "status": "closed"}}, ("unknown", "unknown", [])),
    "complained-at-the-border": (
        {"case": {"opened_at": ago(190), "closed_at": ago(189), "status": "closed"}},
        ("service_problem", "inferred", ["cases/k-complained-at-the-border"])),
    "complained-a-second-before": (
        {"case": {"opened_at": ago(190 + _SECOND), "closed_at": ago(189), "status": "closed"}},
        ("unknown", "unknown", [])),
    "asked-something": (
        {"case": {"kind": "question", "opened_at": ago(150), "closed_at": ago(140), "status": "closed"}},
        ("unknown", "unknown", [])),
    "objected-in-a-case": (
        {"case": {"kind": "question", "objection": "price", "opened_at": ago(300), "closed_at": ago(299),
                  "status": "closed"}},
        ("objection:price", "inferred", ["cases/k-objected-in-a-case"])),
    "objected": (
        {"engagement": {"last_objection": "too_slow"}},
        ("objection:too_slow", "inferred", ["engagement_summary/objected"])),
    "objected-in-words": (
        {"engagement": {"last_objection": "Mrs Hart of 12 Elm Road finds us dear."}},
        ("objection", "inferred", ["engagement_summary/objected-in-words"])),
    "plan-ran-out": (
        {"purchases": {"period_end": ago(100)}},
        ("subscription_lapsed", "inferred", ["purchase_summary/plan-ran-out"])),
    "plan-ran-out-at-the-border": (
        {"purchases": {"period_end": ago(190)}},
        ("subscription_lapsed", "inferred", ["purchase_summary/plan-ran-out-at-the-border"])),
    "plan-ran-out-a-second-before": ({"purchases": {"period_end": ago(190 + _SECOND)}}, ("unknown", "unknown", [])),
    "plan-runs-out-now": ({"purchases": {"period_end": ago(0)}}, ("unknown", "unknown", [])),
    "three-of-four-in-spring": (
        {"purchases": {"month_counts": [0, 0, 2, 1, 0, 0, 0, 0, 1, 0, 0, 0]}},
        ("seasonal", "inferred", ["purchase_summary/three-of-four-in-spring"])),
    "three-in-spring": (
        {"purchases": {"month_counts": [0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]}}, ("unknown", "unknown", [])),
    "every-spring": (
        {"purchases": {"month_counts": [0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 1]}},
        ("seasonal", "inferred", ["purchase_summary/every-spring"])),
    "every-autumn-until-october": (
        {"purchases": {"month_counts": [0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 0]}},
        ("seasonal", "inferred", ["purchase_summary/every-autumn-until-october"])),
    "every-november": (
        {"purchases": {"month_counts": [0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0]}}, ("unknown", "unknown", [])),
    "over-the-new-year": (
        {"purchases": {"month_counts": [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]}}, ("unknown", "unknown", [])),
    "round-the-year": ({"purchases": {"month_counts": _HAPPY}}, ("unknown", "unknown", [])),
    "only-discounts": (
        {"purchases": {"discounted_purchases": 4}},
        ("bought_on_discount_only", "inferred", ["purchase_summary/only-discounts"])),
    "plain": ({}, ("unknown", "unknown", [])),
}  # fmt: skip


@cache
def decided() -> dict[str, Row]:
    return stories({name: how for name, (how, _) in STORIES.items()})


@pytest.mark.parametrize("story", STORIES)
def test_reason(story: str) -> None:
    """The reason, on what basis, and the record it was inferred from; a sentence somebody wrote is not repeated."""
    row = decided()[story]

    assert (row["inactivity_reason"], row["reason_basis"], row["evidence"]["reason_evidence"]) == STORIES[story][1]
