"""How long what is kept about people is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.policy.people import rules

from reactivation.policy.retention import draft_is_past, people_are_past, record_is_past, replies_kept_since

AS_OF = datetime(2024, 2, 29, 9, 0, tzinfo=UTC)
RULES = rules().retention
MOMENT = timedelta(microseconds=1)


def test_suppressions_are_kept_for_ever() -> None:
    """There is no other value."""
    assert RULES.suppressions == "for_ever"


def test_names_and_addresses_go_after_thirty_days() -> None:
    """To the moment, counted from the snapshot's as-of."""
    end = AS_OF + timedelta(days=30)
    assert not people_are_past(RULES, AS_OF, end - MOMENT)
    assert people_are_past(RULES, AS_OF, end)


def test_the_words_of_a_reply_go_thirty_days_after_they_were_told() -> None:
    assert replies_kept_since(RULES, AS_OF + timedelta(days=30)) == AS_OF


def test_a_draft_never_sent_goes_thirty_days_after_its_window() -> None:
    """Whatever else was sent to its person."""
    end = AS_OF + timedelta(days=30)
    assert not draft_is_past(RULES, window_ended=AS_OF, last_sent=None, now=end - MOMENT)
    assert draft_is_past(RULES, window_ended=AS_OF, last_sent=None, now=end)


def test_a_draft_that_went_out_goes_five_years_after_the_last_send() -> None:
    """The last to its person, not its own."""
    sent = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)
    end = datetime(2031, 3, 3, 11, 0, tzinfo=UTC)
    assert not draft_is_past(RULES, window_ended=AS_OF, last_sent=sent, now=end - MOMENT)
    assert draft_is_past(RULES, window_ended=AS_OF, last_sent=sent, now=end)


@pytest.mark.parametrize("last_sent", [None, datetime(2026, 3, 3, tzinfo=UTC)])
def test_a_blocked_decision_goes_after_two_years(last_sent: datetime | None) -> None:
    """Whatever another run sent to the same person; of a leap day on the day before."""
    end = datetime(2026, 2, 28, 9, 0, tzinfo=UTC)
    assert not record_is_past(RULES, AS_OF, enrolled=False, last_sent=last_sent, now=end - MOMENT)
    assert record_is_past(RULES, AS_OF, enrolled=False, last_sent=last_sent, now=end)


def test_the_evidence_of_an_enrolment_goes_five_years_after_the_last_send() -> None:
    """Where nothing was sent, five years after the as-of."""
    sent = datetime(2024, 5, 1, tzinfo=UTC)
    assert not record_is_past(RULES, AS_OF, enrolled=True, last_sent=sent, now=datetime(2029, 4, 30, tzinfo=UTC))
    assert record_is_past(RULES, AS_OF, enrolled=True, last_sent=sent, now=datetime(2029, 5, 1, tzinfo=UTC))
    assert record_is_past(RULES, AS_OF, enrolled=True, last_sent=None, now=datetime(2029, 2, 28, 9, tzinfo=UTC))
