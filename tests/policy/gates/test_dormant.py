"""Gate 2, dormant: quiet for at least the window of the customer's own business segment."""

from __future__ import annotations

from functools import cache

import pytest
from tests.policy.people import Row, ago, known, stories

#: The last purchase, the segment, and what the gate answers; a household is quiet after 90 days.
CASES = {
    "a-day-short": (ago(89.5), "household", "fail:active"),
    "to-the-day": (ago(90), "household", "pass"),
    "long-quiet": (ago(700), "household", "pass"),
    "sooner-for-a-care-plan": (ago(60), "care_plan", "pass"),
    "later-for-a-business": (ago(119), "business", "fail:active"),
    "of-no-segment": (ago(700), "wholesale", "fail:no_window"),
}


@cache
def decided() -> dict[str, Row]:
    return stories({
        name: {"contact": {"business_segment": segment}, "purchases": {"last_order_at": at, "last_purchase_at": at}}
        for name, (at, segment, _) in CASES.items()
    })  # fmt: skip


@pytest.mark.parametrize("story", CASES)
def test_alone(story: str) -> None:
    """By the window of the segment the customer is in, and of no other; without a window nobody is a candidate."""
    assert decided()[story]["gate_dormant"] == CASES[story][2]


def test_who_is_enrolled_is_woken_by_what_ends_the_enrolment_alone() -> None:
    """Who merely opened touch 1 is active, and is still to hear touch 2; a click ends what has begun."""
    american = {"country": "US", "zones": ["America/New_York"]}
    told = {
        f"{did}-{who}": {"contact": american, "engagement": {f"last_{did}_at": ago(5)}}
        for did in ("open", "click") for who in ("enrolled", "new")
    }  # fmt: skip
    enrolled = [known(f"mail-{did}-enrolled", active_playbook="customer_reactivation") for did in ("open", "click")]

    rows = stories(told, *enrolled)

    assert {name: (row["gate_dormant"], row["dormant_days"]) for name, row in rows.items()} == {
        "open-enrolled": ("pass", 130), "open-new": ("fail:active", 5),
        "click-enrolled": ("fail:active", 5), "click-new": ("fail:active", 5),
    }  # fmt: skip
