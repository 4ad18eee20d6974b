"""The share of each month in two whole years."""

from __future__ import annotations

import numpy as np
import pytest

from reactivation.science.errors import ScienceError
from reactivation.science.seasonality import DAYS, month_shares


def counts(**of: int) -> np.ndarray:
    months = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    return np.array([of.get(month, 0) for month in months])


def test_each_month_of_two_years_is_counted() -> None:
    """Half in December, a quarter each in March and February."""
    found = month_shares(counts(dec=2, mar=1, feb=1), DAYS)
    assert found is not None
    assert found[[11, 2, 1]].tolist() == [0.5, 0.25, 0.25]
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize(("told", "days"), [(counts(), DAYS), (counts(jul=3), DAYS - 1)], ids=["nothing", "too-young"])
def test_without_two_years_there_is_no_season(told: np.ndarray, days: int) -> None:
    """None rather than a guess: nobody bought in them, or the first purchase lies within them."""
    assert month_shares(told, days) is None


def test_less_than_nothing_is_refused() -> None:
    """With the month."""
    with pytest.raises(ScienceError, match="counts are at least 0"):
        month_shares(counts(jan=-1), DAYS)
