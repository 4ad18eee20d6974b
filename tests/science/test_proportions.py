"""Intervals of shares and of their differences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from reactivation.science.errors import ScienceError
from reactivation.science.proportions import minimum_detectable_effect, newcombe, sample_ratio_p, wilson

counted = st.tuples(st.integers(0, 400), st.integers(0, 400)).map(lambda pair: (pair[0], sum(pair)))


class TestWilson:
    """One share."""

    @pytest.mark.parametrize(
        ("count", "of", "low", "high"),
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
    )
    def test_the_published_examples(self, count: int, of: int, low: float, high: float) -> None:
        """Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3."""
        found = wilson(count, of)
        assert found is not None
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)

    @given(counted, st.sampled_from([0.8, 0.95, 0.99]))
    def test_it_is_that_of_statsmodels_and_holds_the_rate(self, pair: tuple[int, int], confidence: float) -> None:
        """For any count; none where nobody was asked."""
        count, of = pair
        found = wilson(count, of, confidence)
        if of == 0:
            assert found is None
            return
        assert found is not None
        assert 0 <= found.low <= count / of <= found.high <= 1
        low, high = proportion_confint(count, of, alpha=1 - confidence, method="wilson")
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


class TestNewcombe:
    """The difference of two shares."""

    @pytest.mark.parametrize(
        ("mine", "other", "low", "high"),
        [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((6, 7), (2, 7), 0.0582, 0.8062),
            ((5, 56), (0, 29), -0.0381, 0.1926),
            ((0, 10), (0, 20), -0.1611, 0.2775),
            ((0, 10), (0, 10), -0.2775, 0.2775),
            ((10, 10), (0, 20), 0.6791, 1.0),
            ((10, 10), (0, 10), 0.6075, 1.0),
        ],
    )
    def test_the_published_examples(
        self, mine: tuple[int, int], other: tuple[int, int], low: float, high: float
    ) -> None:
        """Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10."""
        found = newcombe(*mine, *other)
        assert found is not None
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)

    @given(counted, counted)
    def test_it_is_that_of_statsmodels_and_holds_the_difference(
        self, mine: tuple[int, int], other: tuple[int, int]
    ) -> None:
        """For any counts; none while a group is empty."""
        found = newcombe(*mine, *other)
        if 0 in (mine[1], other[1]):
            assert found is None
            return
        assert found is not None
        difference = mine[0] / mine[1] - other[0] / other[1]
        assert -1 <= found.low <= difference + 1e-12
        assert difference - 1e-12 <= found.high <= 1
        low, high = confint_proportions_2indep(*mine, *other, method="newcomb", compare="diff")
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


class TestSampleRatio:
    """Whether the groups are the split that was meant."""

    def test_it_is_the_chi_square_of_scipy(self) -> None:
        """1,080 held out of 10,000 where a tenth was meant."""
        expected = chisquare([1080, 8920], [1000, 9000]).pvalue
        assert sample_ratio_p(1080, 10_000, 0.1) == pytest.approx(expected)

    def test_nobody_is_no_evidence(self) -> None:
        """p is 1 before anybody was assigned."""
        assert sample_ratio_p(0, 0, 0.1) == 1

    @pytest.mark.parametrize("share", [0.0, 1.0])
    def test_a_split_that_splits_nobody_is_refused(self, share: float) -> None:
        """There is nothing to check."""
        with pytest.raises(ScienceError, match="between 0 and 1"):
            sample_ratio_p(1, 2, share)


class TestMinimumDetectableEffect:
    """What a comparison of this size would show."""

    def test_it_is_what_the_power_of_statsmodels_says(self) -> None:
        """At the effect, 9,000 against 1,000 people at 8 % have a power of .8."""
        effect = minimum_detectable_effect(0.08, 9_000, 1_000)
        assert effect is not None
        size = effect / (0.08 * 0.92) ** 0.5
        power = NormalIndPower().power(size, nobs1=9_000, alpha=0.05, ratio=1 / 9)
        assert power == pytest.approx(0.8, abs=1e-4)

    def test_four_times_as_many_people_show_half_the_effect(self) -> None:
        """By the root of the number; nothing can be said of an empty group."""
        small, large = minimum_detectable_effect(0.1, 4_000, 400), minimum_detectable_effect(0.1, 1_000, 100)
        assert small is not None and large is not None
        assert small == pytest.approx(large / 2)
        assert minimum_detectable_effect(0.1, 1_000, 0) is None


@pytest.mark.parametrize(("count", "of"), [(3, 2), (-1, 2)])
def test_counts_that_cannot_be_are_refused(count: int, of: int) -> None:
    """More than everybody, or fewer than nobody."""
    with pytest.raises(ScienceError, match="cannot be"):
        wilson(count, of)


def test_a_confidence_that_is_none_is_refused() -> None:
    """Certainty has no interval."""
    with pytest.raises(ScienceError, match="confidence"):
        wilson(1, 2, 1.0)


def test_a_rate_that_is_none_is_refused() -> None:
    """120 %."""
    with pytest.raises(ScienceError, match="a rate"):
        minimum_detectable_effect(1.2, 10, 10)
