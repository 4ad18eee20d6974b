"""Churn by contract."""

from __future__ import annotations

import numpy as np
import pytest

from reactivation.science.errors import ScienceError
from reactivation.science.subscriptions import (
    GRACE_DAYS,
    Renewals,
    Subscriptions,
    count_renewals,
    subscription_churn,
    subscription_states,
)  # fmt: skip

#: Of 99 periods 89 were renewed; of 9 that lapsed, none was taken up again.
SEEN = Renewals(due=99, renewed=89, lapsed=9, restarted=0)
NOW = 1000

#: The period's end after now, whether it was cancelled, its state, and the probability of no subscription in 90 days.
CONTRACTS = {
    "paid-beyond": (91, False, "running", 0.0),
    "falls-due-once": (70, False, "running", 1 - 0.895),
    "falls-due-on-the-day": (90, False, "running", 1 - 0.895),
    "falls-due-three-times": (20, False, "running", 1 - 0.895**3),
    "cancelled-paid-beyond": (91, True, "ending", 0.0),
    "cancelled-ends": (20, True, "ending", 1.0),
    "ended-today": (0, False, "ended", 0.95),
    "ended-long-ago": (-200, True, "ended", 0.95),
}


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_contract_is_read(contract: str) -> None:
    """Periods of 30 days."""
    end, cancelled, state, churn = CONTRACTS[contract]
    one = Subscriptions(np.array([NOW + end - 30]), np.array([NOW + end]), np.array([cancelled]))
    assert subscription_states(one, NOW).tolist() == [state]
    assert subscription_churn(one, SEEN, NOW, 90)[0] == pytest.approx(churn)


def test_while_nothing_fell_due_a_half_is_as_good_as_anything() -> None:
    """The prior's mean, and no certainty either way."""
    assert (Renewals(0, 0, 0, 0).renewal_rate, Renewals(0, 0, 0, 0).restart_rate) == (0.5, 0.5)


class TestCountRenewals:
    """What became of periods that had ended."""

    def counted(self, *periods: tuple[int, int, int]) -> Renewals:
        rows = np.array(periods)
        return count_renewals(rows[:, 0], rows[:, 1], rows[:, 2], NOW, 90)

    def test_the_next_period_renews_within_the_grace(self) -> None:
        """Seven days later is a renewal, eight are a lapse and a restart; given in no order."""
        assert self.counted((1, 107, 130), (1, 70, 100)).renewed == 1
        assert self.counted((1, 100 + GRACE_DAYS + 1, 130), (1, 70, 100)) == Renewals(2, 0, 2, 1)

    def test_what_is_not_over_yet_does_not_count(self) -> None:
        """Neither a period within its grace, nor as lapsed one that may still be taken up."""
        assert self.counted((1, 900, NOW - GRACE_DAYS + 1)) == Renewals(0, 0, 0, 0)
        assert self.counted((1, 900, NOW - GRACE_DAYS)) == Renewals(1, 0, 0, 0)
        assert self.counted((1, 900, NOW - 90)) == Renewals(1, 0, 1, 0)

    def test_the_next_customer_renews_nobody(self) -> None:
        """A period of somebody else that begins the day one ends."""
        assert self.counted((1, 70, 100), (2, 100, 130)) == Renewals(2, 0, 2, 0)

    def test_nothing_has_no_rates_of_its_own(self) -> None:
        """No periods, no counts."""
        nothing = np.zeros(0, dtype=np.int64)
        assert count_renewals(nothing, nothing, nothing, NOW, 90) == Renewals(0, 0, 0, 0)


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    """With the row."""
    with pytest.raises(ScienceError, match="row 0: a period ends after it starts"):
        Subscriptions(np.array([10]), np.array([10]), np.array([False]))
