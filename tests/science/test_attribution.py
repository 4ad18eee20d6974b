"""Which touches a reactivation is put down to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactivation.science.attribution import Moments, Rule, attribute
from reactivation.science.errors import ScienceError

DAY, WINDOW = 86_400, 30 * 86_400


def moments(*rows: tuple[int, float]) -> Moments:
    """Customer and day."""
    return Moments(np.array([c for c, _ in rows], dtype=np.int64), np.array([int(d * DAY) for _, d in rows]))


def credit(rule: Rule, *touches: tuple[int, float], back: tuple[tuple[int, float], ...] = ((1, 40),)) -> list[object]:
    """(reactivation, touch, share) of each row."""
    found = attribute(moments(*back), moments(*touches), WINDOW, rule)
    rows = zip(found.reactivation.tolist(), found.touch.tolist(), found.share.round(9).tolist(), strict=True)
    return list(rows)


class TestWhichTouchesCount:
    """Before it, within the window, of the same customer."""

    def test_the_last_before_it(self) -> None:
        """Given in no order; what comes after counts for nothing."""
        assert credit("last", (1, 41), (1, 39), (1, 20)) == [(0, 1, 1.0)]

    def test_the_window_ends_exactly(self) -> None:
        """Thirty days before is within, a second more is not; at the same moment is not before."""
        assert credit("linear", (1, 10), (1, 10 - 1 / DAY), (1, 40)) == [(0, 0, 1.0)]

    def test_another_customers_touch_is_not_ones_own(self) -> None:
        """Neither the one before nor the one after in the columns."""
        assert credit("last", (0, 39), (2, 39)) == []

    def test_each_reactivation_has_its_own(self) -> None:
        """Two customers, one of whom came back twice; the touch counts for both of her returns."""
        found = credit("last", (2, 5), (1, 39), back=((1, 40), (2, 6), (1, 50), (3, 50)))
        assert found == [(0, 1, 1.0), (1, 0, 1.0), (2, 1, 1.0)]

    def test_of_two_at_one_moment_the_later_row_is_the_last(self) -> None:
        """Ties are broken by where they stand."""
        assert credit("last", (1, 30), (1, 30)) == [(0, 1, 1.0)]

    def test_nothing_is_put_down_to_nothing(self) -> None:
        """No touches, no reactivations."""
        assert credit("last") == []
        assert credit("linear", (1, 5), back=()) == []


@pytest.mark.parametrize(
    ("touches", "shares"),
    [(1, [1.0]), (2, [0.5, 0.5]), (3, [0.4, 0.2, 0.4]), (4, [0.4, 0.1, 0.1, 0.4]), (6, [0.4, *[0.05] * 4, 0.4])],
)
def test_by_position(touches: int, shares: list[float]) -> None:
    """40 for the first, 40 for the last, 20 for those between; two share evenly."""
    found = credit("position", *((1, 20 + day) for day in range(touches)))
    assert found == [(0, touch, share) for touch, share in enumerate(shares)]


def test_linear() -> None:
    """Three have a third each."""
    assert credit("linear", (1, 20), (1, 21), (1, 22)) == [(0, touch, round(1 / 3, 9)) for touch in range(3)]


at = st.tuples(st.integers(0, 3), st.integers(0, 60))


@given(st.lists(at, max_size=12), st.lists(at, max_size=30), st.sampled_from(["last", "position", "linear"]))
def test_shares_sum_to_one_over_what_counts(
    back: list[tuple[int, int]], touches: list[tuple[int, int]], rule: Rule
) -> None:
    """Each reactivation with a touch that counts is put down whole, to such touches alone, and each without to none."""
    found = attribute(moments(*back), moments(*touches), WINDOW, rule)
    total = np.bincount(found.reactivation, found.share, minlength=len(back))
    for row, (customer, day) in enumerate(back):
        counts = {n for n, (c, d) in enumerate(touches) if c == customer and day - 30 <= d < day}
        assert total[row] == pytest.approx(1 if counts else 0)
        assert set(found.touch[found.reactivation == row].tolist()) <= counts


def test_a_window_of_nothing_is_refused() -> None:
    """Nothing could ever count."""
    with pytest.raises(ScienceError, match="longer than nothing"):
        attribute(moments(), moments(), 0)
