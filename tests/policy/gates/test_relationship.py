"""Gate 5, relationship: not poor, in dispute, legal or no-contact; what is unclear goes to the owner."""

from __future__ import annotations

import pytest
from tests.policy.gates.cases import Case, Stories

CASES: dict[str, Case] = {
    **{
        code: ({"contact": {"relationship": code}}, f"fail:{code}", "suppress",
               f"relationship:{code}", "leave_alone")
        for code in ("poor", "dispute", "legal", "no_contact")
    },
    "account-in-dispute": (
        {"account": {"relationship": "dispute"}}, "fail:dispute", "suppress", "relationship:dispute",
        "leave_alone"),
    "sensitive": (
        {"contact": {"relationship": "sensitive"}}, "review:sensitive", "review", "sensitive",
        "owner_call"),
    "relationship-unknown": (
        {"contact": {"relationship": None}}, "review:relationship_unknown", "review",
        "relationship_unknown", "start_sequence"),
    "account-relationship-unknown": (
        {"account": {"relationship": None}}, "review:relationship_unknown", "review",
        "relationship_unknown", "start_sequence"),
    "uncoded-notes": (
        {"contact": {"relationship": None, "has_notes": True}}, "review:uncoded_notes", "review",
        "uncoded_notes", "start_sequence"),
    "coded-notes": ({"contact": {"has_notes": True}}, "pass", "enrol", "", "start_sequence"),
}  # fmt: skip
ASKED = Stories("relationship", CASES)


@pytest.mark.parametrize("story", CASES)
def test_alone(story: str) -> None:
    """What it answers, what that leads to, why, and what to do next."""
    ASKED.check(story)
