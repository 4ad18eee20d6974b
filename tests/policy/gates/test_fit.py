"""Gate 6, fit: not a bad fit and not sold to at a loss; unknown asks for a person."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.policy.gates.cases import Case, Stories

CASES: dict[str, Case] = {
    "bad-fit": ({"contact": {"fit": "bad"}}, "fail:bad_fit", "suppress", "fit:bad_fit", "leave_alone"),
    "account-bad-fit": ({"account": {"fit": "bad"}}, "fail:bad_fit", "suppress", "fit:bad_fit", "leave_alone"),
    "at-a-loss": (
        {"purchases": {"margin_24m": Decimal("-0.01")}}, "fail:unprofitable", "suppress",
        "fit:unprofitable", "leave_alone"),
    "fit-unknown": (
        {"contact": {"fit": None}}, "review:fit_unknown", "review", "fit_unknown", "start_sequence"),
    "valued": (
        {"contact": {"value_tier": "high"}}, "pass", "review", "high_value", "start_sequence"),
}  # fmt: skip
ASKED = Stories("fit", CASES)


@pytest.mark.parametrize("story", CASES)
def test_alone(story: str) -> None:
    """What it answers, what that leads to, why, and what to do next."""
    ASKED.check(story)
