"""Gate 4, not suppressed: no opt-out, objection, complaint, hard bounce or do-not-contact, on any channel."""

from __future__ import annotations

import pytest
from tests.policy.gates.cases import Case, Stories
from tests.policy.people import ago, known, one, person

CASES: dict[str, Case] = {
    "opted-out": (
        {"suppression": {}}, "fail:opt_out", "suppress", "suppressed:opt_out", "leave_alone"),
    "opted-out-of-texts": (
        {"suppression": {"channel": "sms"}}, "fail:opt_out", "suppress", "suppressed:opt_out",
        "leave_alone"),
    "complained": (
        {"suppression": {"reason": "complaint"}}, "fail:complaint", "suppress",
        "suppressed:complaint", "leave_alone"),
    "objected": (
        {"consent": {"state": "objected"}}, "fail:objection", "suppress", "suppressed:objection",
        "leave_alone"),
    "objected-to-every-brand": (
        {"consent": {"state": "objected", "brand": "*"}}, "fail:objection", "suppress",
        "suppressed:objection", "leave_alone"),
    "complained-elsewhere": (
        {"engagement": {"last_complaint_at": ago(700)}}, "fail:complaint", "suppress",
        "suppressed:complaint", "leave_alone"),
    "unsubscribed-elsewhere": (
        {"engagement": {"last_unsubscribe_at": ago(-1)}}, "fail:opt_out", "suppress",
        "suppressed:opt_out", "leave_alone"),
    "deactivated": (
        {"contact": {"lifecycle_stage": "Deactivated"}}, "fail:deactivated", "suppress",
        "suppressed:deactivated", "close"),
    "bounced-for-good": (
        {"suppression": {"reason": "hard_bounce"}}, "fail:hard_bounce", "suppress",
        "suppressed:hard_bounce", "leave_alone"),
    "do-not-contact": (
        {"suppression": {"reason": "internal"}}, "fail:internal", "suppress", "suppressed:internal",
        "leave_alone"),
    "reported-deactivated": (
        {"suppression": {"reason": "deactivated"}}, "fail:deactivated", "suppress",
        "suppressed:deactivated", "close"),
}  # fmt: skip
ASKED = Stories("not_suppressed", CASES)


@pytest.mark.parametrize("story", CASES)
def test_alone(story: str) -> None:
    """What it answers, what that leads to, why, and what to do next."""
    ASKED.check(story)


@pytest.mark.parametrize("channel", ["*", "sms", "email"])
def test_a_suppression_in_the_ledger_is_a_suppression(channel: str) -> None:
    """Whatever channel it was said in, by either key."""
    row = one(person(), known(suppressed_reason="opt_out", suppressed_channel=channel))

    assert (row["decision"], row["reason_codes"][0]) == ("suppress", "suppressed:opt_out")
    assert row["evidence"]["ledger_suppressed_reason"] == "opt_out"
