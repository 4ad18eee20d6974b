"""Gate 10, context: the sources agree on owner, status and consent."""

from __future__ import annotations

import pytest
from tests.policy.gates.cases import Case, Stories
from tests.policy.people import AT, ago

CASES: dict[str, Case] = {
    "account-unknown": (
        {"contact": {"account_id": "a-gone"}}, "fail:account", "hold",
        "context_conflict:account", "complete_evidence"),
    "two-owners": (
        {"contact": {"owner_id": "own-ada"}, "account": {}}, "fail:owner", "hold",
        "context_conflict:owner", "complete_evidence"),
    "cancelled-and-subscribed": (
        {"account": {"status": "Cancelled"}, "purchases": {"period_end": ago(-20)}},
        "fail:status", "hold", "context_conflict:status", "complete_evidence"),
    "bought-after-the-account-was-closed": (
        {"account": {"cancelled_at": ago(300)}, "purchases": {"last_purchase_at": ago(200)}},
        "fail:status", "hold", "context_conflict:status", "complete_evidence"),
    "cancelled-and-runs-out-now": (
        {"account": {"status": "Cancelled"}, "purchases": {"period_end": AT}}, "pass", "review",
        "offer_to_account", "start_sequence"),
    "bought-as-the-account-was-closed": (
        {"account": {"cancelled_at": ago(200)}, "purchases": {"last_purchase_at": ago(200)}},
        "pass", "review", "offer_to_account", "start_sequence"),
    "flag-says-no": (
        {"contact": {"consent_email": False}}, "fail:consent", "hold",
        "context_conflict:consent", "complete_evidence"),
}  # fmt: skip
ASKED = Stories("context_consistent", CASES)


@pytest.mark.parametrize("story", CASES)
def test_alone(story: str) -> None:
    """What it answers, what that leads to, why, and what to do next."""
    ASKED.check(story)
