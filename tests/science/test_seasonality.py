"""The share of each month in two whole years."""

from __future__ import annotations

import numpy as np
import pytest

from reactivation.science.seasonality import month_shares

NOW = np.datetime64("2026-03-15")


def days(*told: str) -> np.ndarray:
    return np.array(told, dtype="datetime64[D]")


def test_each_month_of_two_years_is_counted() -> None:
    """From March 2024 to February 2026: half in December, a quarter each in March and February."""
    found = month_shares(days("2024-12-01", "2025-12-31", "2024-03-01", "2026-02-28"), NOW)
    assert found is not None
    assert found[[11, 2, 1]].tolist() == [0.5, 0.25, 0.25]
    assert found.sum() == pytest.approx(1)


def test_what_lies_outside_the_two_years_does_not_count() -> None:
    """Neither the month that has begun nor what is older; it proves that the history is long enough."""
    found = month_shares(days("2024-02-29", "2026-03-01", "2025-07-01"), NOW)
    assert found is not None
    assert found[6] == 1


@pytest.mark.parametrize(
    "told", [[], ["2024-04-01", "2025-07-01"], ["2020-01-01"]], ids=["nothing", "too-young", "long-silent"]
)
def test_without_two_years_there_is_no_season(told: list[str]) -> None:
    """None rather than a guess: no purchases, a first one within them, or none within them."""
    assert month_shares(days(*told), NOW) is None
