"""Churn by contract."""

from __future__ import annotations

import numpy as np
import pytest

from reactivation.science.errors import ScienceError
from reactivation.science.subscriptions import (
    Renewals,
    Subscriptions,
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


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    """With the row."""
    with pytest.raises(ScienceError, match="row 0: a period ends after it starts"):
        Subscriptions(np.array([10]), np.array([10]), np.array([False]))
