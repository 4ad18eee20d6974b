"""What the days held out say of a probability."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import mannwhitneyu
from statsmodels.api import GLM
from statsmodels.genmod.families import Binomial
from statsmodels.tools import add_constant

from reactivation.science.backtest import area_under_curve, calibration, recalibration
from reactivation.science.errors import ScienceError

scored = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=60)


class TestAreaUnderCurve:
    """Chance that whom it happened to was ranked higher."""

    def test_by_hand(self) -> None:
        """Of the pairs (.9, .1), (.9, .5), (.5, .1), (.5, .5) three and a half are in order."""
        found = area_under_curve(np.array([0.9, 0.5, 0.1, 0.5]), np.array([True, True, False, False]))
        assert found == 3.5 / 4

    @given(scored)
    def test_it_is_the_statistic_of_mann_and_whitney(self, rows: list[tuple[int, bool]]) -> None:
        """U ÷ pairs, ties counting half; nothing where only one kind is there."""
        score, happened = np.array([s for s, _ in rows], dtype=float), np.array([h for _, h in rows])
        found = area_under_curve(score, happened)
        if happened.all() or not happened.any():
            assert found is None
            return
        u = mannwhitneyu(score[happened], score[~happened]).statistic
        assert found == pytest.approx(u / (happened.sum() * (~happened).sum()))


class TestCalibration:
    """A table of what was predicted and what happened."""

    def test_equal_probabilities_stand_in_one_band(self) -> None:
        """Two values make two bands, however many were asked for, and nobody is lost."""
        predicted = np.repeat([0.1, 0.4], [30, 70])
        returned = np.arange(100) % 10 < 2
        table = calibration(predicted, predicted / 2, returned)
        assert [(band.customers, round(band.predicted, 9), band.returned) for band in table] == [
            (30, 0.1, 6), (70, 0.4, 14),
        ]  # fmt: skip
        assert round(table[1].recalibrated, 9) == 0.2
        assert table[0].interval is not None
        assert table[0].interval.low < table[0].rate == 0.2 < table[0].interval.high

    @given(scored)
    def test_the_bands_do_not_depend_on_the_order_of_rows(self, rows: list[tuple[int, bool]]) -> None:
        """The same customers in another order make the same counts."""
        there, back = (
            calibration(np.array([s / 8 for s, _ in some]), np.array([s / 8 for s, _ in some]),
                        np.array([h for _, h in some]))
            for some in (rows, rows[::-1])
        )  # fmt: skip
        assert [(b.customers, b.returned) for b in there] == [(b.customers, b.returned) for b in back]
        assert sum(band.customers for band in there) == len(rows)

    def test_what_is_no_probability_is_refused(self) -> None:
        """1.2 is none, in row 1."""
        with pytest.raises(ScienceError, match="row 1: a probability"):
            calibration(np.array([0.2, 1.2]), np.array([0.2, 0.2]), np.array([True, False]))


class TestRecalibration:
    """The level is set right, the ranking stays."""

    predicted = np.random.default_rng(3).beta(1, 6, 4000)
    odds = np.log(predicted / (1 - predicted))
    returned = np.random.default_rng(4).random(4000) < expit(0.4 + 0.7 * odds)

    def test_it_is_the_logistic_regression(self) -> None:
        """Intercept and slope are those of statsmodels' binomial regression on the log odds."""
        found = recalibration(self.predicted, self.returned)
        other = GLM(self.returned.astype(float), add_constant(self.odds), family=Binomial()).fit().params
        assert found is not None
        assert (found.intercept, found.slope) == pytest.approx(tuple(other), rel=1e-7)

    def test_afterwards_the_level_is_right_and_the_ranking_the_same(self) -> None:
        """As many are expected as returned, and whoever was more probable still is."""
        found = recalibration(self.predicted, self.returned)
        assert found is not None
        set_right = found.of(self.predicted)
        assert set_right.sum() == pytest.approx(self.returned.sum())
        assert np.array_equal(np.argsort(set_right), np.argsort(self.predicted))

    @pytest.mark.parametrize(
        ("predicted", "returned"),
        [
            ([0.1, 0.5, 0.9, 0.4], [False] * 4),
            ([0.1, 0.5, 0.9, 0.4], [True] * 4),
            ([0.3] * 4, [True, False, True, False]),
            ([0.1, 0.2, 0.8, 0.9], [False, False, True, True]),
            ([0.1, 0.9, 0.3, 0.7], [True, False, False, True]),
        ],
        ids=["nobody", "everybody", "all-alike", "no-doubt-left", "turned-round"],
    )
    def test_what_cannot_be_told_is_not(self, predicted: list[float], returned: list[bool]) -> None:
        """No events, no differences, events that the order predicts without fail, or a ranking that is upside down."""
        assert recalibration(np.array(predicted), np.array(returned)) is None

    def test_a_ranking_that_is_upside_down_is_not_turned_round(self) -> None:
        """Whoever was less probable came back more often: there is a best slope, and it is below 0."""
        upside_down = np.random.default_rng(5).random(4000) < expit(-2 - 0.7 * self.odds)
        assert recalibration(self.predicted, upside_down) is None

    def test_certainties_survive(self) -> None:
        """A probability of 0 or 1 is taken for nearly so, and stays a probability."""
        found = recalibration(np.r_[0.0, 1.0, self.predicted], np.r_[False, True, self.returned])
        assert found is not None
        assert np.all((found.of(np.array([0.0, 1.0])) > 0) & (found.of(np.array([0.0, 1.0])) < 1))
