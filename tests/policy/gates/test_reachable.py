"""Gate 9, reachable: a permitted channel whose address works."""

from __future__ import annotations

import pytest
from tests.policy.gates.cases import Case, Stories
from tests.policy.people import ago

CASES: dict[str, Case] = {
    "no-address": (
        {"contact": {"email_key": None, "email_problem": "missing"}}, "fail:email_missing", "suppress",
        "unreachable:email_missing", "complete_evidence"),
    "address-lost": (
        {"contact": {"email_key": None}}, "fail:email_missing", "suppress", "unreachable:email_missing",
        "complete_evidence"),
    "role-mailbox": (
        {"contact": {"email_problem": "role"}}, "fail:email_role", "suppress", "unreachable:email_role",
        "complete_evidence"),
    "throw-away-mailbox": (
        {"contact": {"email_problem": "disposable"}}, "fail:email_disposable", "suppress",
        "unreachable:email_disposable", "complete_evidence"),
    "bounced": (
        {"engagement": {"last_bounce_at": ago(200)}}, "fail:email_bounced", "suppress",
        "unreachable:email_bounced", "complete_evidence"),
    "bounced-then-clicked": (
        {"engagement": {"last_bounce_at": ago(200), "last_click_at": ago(150)}}, "pass", "enrol", "",
        "start_sequence"),
    "bounced-then-replied": (
        {"engagement": {"last_bounce_at": ago(200), "last_reply_at": ago(150)}}, "pass", "enrol", "",
        "start_sequence"),
    "bounced-then-opened": (
        {"engagement": {"last_bounce_at": ago(200), "last_open_at": ago(150)}}, "pass", "enrol", "",
        "start_sequence"),
    "opened-then-bounced": (
        {"engagement": {"last_open_at": ago(200), "last_bounce_at": ago(150)}}, "fail:email_bounced", "suppress",
        "unreachable:email_bounced", "complete_evidence"),
    "valued-without-address": (
        {"contact": {"email_problem": "invalid", "value_tier": "high"}}, "fail:email_invalid", "suppress",
        "unreachable:email_invalid", "owner_call"),
}  # fmt: skip
ASKED = Stories("reachable", CASES)


@pytest.mark.parametrize("story", CASES)
def test_alone(story: str) -> None:
    """What it answers, what that leads to, why, and what to do next."""
    ASKED.check(story)
