"""Gate 12, timing: not within the caps, and a legal instant ahead; the clock itself is in ``test_timing``."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.policy.gates.cases import Case, Stories
from tests.policy.people import AT, ago, known, one, person

CASES: dict[str, Case] = {
    "written-to-yesterday": (
        {"engagement": {"last_email_sent_at": ago(1)}}, "fail:cap", "hold", "timing:cap", "wait_until"),
    "written-to-lately": (
        {"engagement": {"last_email_sent_at": ago(2)}}, "pass", "enrol", "", "start_sequence"),
    "no-clock": (
        {"contact": {"zones": ["Etc/Unknown"]}}, "fail:no_legal_window", "hold", "timing:no_legal_window",
        "wait_until"),
    "no-common-hour": (
        {"contact": {"zones": ["Europe/London", "Pacific/Auckland"]}}, "fail:no_legal_window", "hold",
        "timing:no_legal_window", "wait_until"),
}  # fmt: skip
ASKED = Stories("timing", CASES)


@pytest.mark.parametrize("story", CASES)
def test_alone(story: str) -> None:
    """What it answers, what that leads to, why, and what to do next."""
    ASKED.check(story)


def test_the_cap_counts_our_own_messages_and_says_until_when() -> None:
    """48 hours after the last one, ours or another system's, whichever is later."""
    row = one(person(engagement={"last_email_sent_at": ago(1.5)}), known(last_sent_at=ago(1)))

    assert (row["decision"], row["hold_until"]) == ("hold", AT + timedelta(days=1))
