"""Gate 11, offer: whom an offer is kept from hears without it; ``test_incentives`` has whom and why."""

from __future__ import annotations

import pytest
from tests.policy.gates.cases import Case, Stories

CASES: dict[str, Case] = {
    "discount-buyer": (
        {"purchases": {"discounted_purchases": 4}}, "drop:discount_buyer", "enrol", "", "check_in"),
}  # fmt: skip
ASKED = Stories("offer_allowed", CASES)


@pytest.mark.parametrize("story", CASES)
def test_alone(story: str) -> None:
    """What it answers, what that leads to, why, and what to do next."""
    ASKED.check(story)
