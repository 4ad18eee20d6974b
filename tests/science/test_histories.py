"""Purchases condensed to how often, how recently and since when."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.science.cdnow import MASTER, SAMPLE, purchases

from reactivation.science.errors import ScienceError
from reactivation.science.histories import Histories, condense, distinct


def of(frequency: list[int], recency: list[int], age: list[int]) -> Histories:
    return Histories(np.array(frequency), np.array(recency), np.array(age))


class TestCondense:
    """One row per customer who had bought by then."""

    def test_purchases_of_one_day_are_one_occasion(self) -> None:
        """Three purchases on two days are one repeat."""
        who, found = condense(np.array([7, 7, 7]), np.array([110, 100, 110]), 130)
        assert who.tolist() == [7]
        assert (found.frequency[0], found.recency[0], found.age[0]) == (1, 10, 30)

    def test_what_comes_later_is_not_known(self) -> None:
        """A purchase after the day counts for nothing, nor does a customer whose first it is; the day itself counts."""
        who, found = condense(np.array([1, 1, 2, 3]), np.array([100, 131, 131, 130]), 130)
        assert who.tolist() == [1, 3]
        assert found.frequency.tolist() == [0, 0]
        assert found.age.tolist() == [30, 0]

    def test_nobody_has_no_history(self) -> None:
        """Without purchases there are no rows."""
        who, found = condense(np.array([1]), np.array([100]), 99)
        assert (len(who), len(found)) == (0, 0)

    def test_cdnow_has_the_published_counts(self) -> None:
        """2,357 customers, 2,457 repeats in 39 weeks, 1,882 purchases in the 39 after, by frequency as printed."""
        sample = purchases(SAMPLE)
        _, found = sample.as_of("1997-09-30")
        later = sample.days_after("1997-09-30", 273)
        group = np.minimum(found.frequency, 7)

        assert (len(found), found.frequency.sum(), later.sum()) == (2357, 2457, 1882)
        assert np.bincount(group).tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
        means = [round(float(later[group == x].mean()), 3) for x in range(8)]
        assert means == [0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359]

    def test_the_dormancy_bands_of_cdnow(self) -> None:
        """As of 1997-10-01: how many had been quiet for how long, and how many of each bought within 90 days."""
        master = purchases(MASTER)
        _, found = master.as_of("1997-10-01")
        band = np.searchsorted([60, 90, 120, 180], found.dormant_days, side="right")
        returned = band[master.days_after("1997-10-01", 90) > 0]

        assert np.bincount(band).tolist() == [2928, 1279, 1100, 1934, 16329]
        assert np.bincount(returned).tolist()[1:] == [471, 334, 456, 1345]


class TestDistinct:
    """Equal customers are counted once."""

    rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=60)

    @given(rows)
    def test_everybody_gets_their_own_row_again(self, rows: list[tuple[int, int, int]]) -> None:
        """The weights sum to the customers, the rows are different, and each leads back."""
        made = of(
            [x for x, _, _ in rows], [x + more if x > 0 else 0 for x, more, _ in rows],
            [x + more + since for x, more, since in rows],
        )  # fmt: skip
        found = distinct(made)
        assert found.weight.sum() == len(rows)
        different = set(
            zip(*(getattr(found.histories, n).tolist() for n in ("frequency", "recency", "age")), strict=True)
        )
        assert len(different) == len(found.histories)
        again = found.histories.where(found.row)
        for name in ("frequency", "recency", "age"):
            assert np.array_equal(getattr(again, name), getattr(made, name))

    def test_the_order_does_not_depend_on_who_stands_where(self) -> None:
        """The same customers the other way round are the same rows with the same weights."""
        there = distinct(of([0, 2, 0, 1], [0, 5, 0, 3], [9, 9, 9, 4]))
        back = distinct(of([1, 0, 2, 0], [3, 0, 5, 0], [4, 9, 9, 9]))
        assert np.array_equal(there.histories.recency, back.histories.recency)
        assert np.array_equal(there.weight, back.weight)


@pytest.mark.parametrize(
    ("frequency", "recency", "age", "said"),
    [
        ([0, -1], [0, 3], [9, 9], "row 1: a frequency"),
        ([1], [10], [9], "row 0: recency lies between"),
        ([4], [3], [9], "row 0: a day is one occasion"),
        ([0], [3], [9], "row 0: who bought on one day"),
        ([1, 1], [0, 0], [9, 9], "2 such rows"),
        ([1, 1], [1], [9], "differ in length"),
    ],
)
def test_what_no_customer_can_have_is_refused(
    frequency: list[int], recency: list[int], age: list[int], said: str
) -> None:
    """The error names the row and what is wrong with it."""
    with pytest.raises(ScienceError, match=said):
        of(frequency, recency, age)
