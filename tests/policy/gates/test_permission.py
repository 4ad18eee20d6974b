"""Gate 8, permission: a channel with a valid basis; which basis is valid where is in ``test_permission``."""

from __future__ import annotations

import pytest
from tests.policy.gates.cases import Case, Stories

CASES: dict[str, Case] = {
    "no-permission": (
        {"consents": []}, "fail:no_record", "suppress", "permission:no_record", "complete_evidence"),
    "withdrew": (
        {"consent": {"state": "withdrawn"}}, "fail:withdrawn", "suppress", "permission:withdrawn",
        "leave_alone"),
    "plain": ({}, "pass", "enrol", "", "start_sequence"),
}  # fmt: skip
ASKED = Stories("permission", CASES)


@pytest.mark.parametrize("story", CASES)
def test_alone(story: str) -> None:
    """What it answers, what that leads to, why, and what to do next."""
    ASKED.check(story)
