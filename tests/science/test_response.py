"""How the rungs of the incentive ladder respond, and when a segment's rung rises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta
from tests.science.simulated import (
    COSTS,
    FLOOR,
    MARGIN,
    RESPONSES,
    best_fixed,
    course,
    minimum_first,
    thompson,
)  # fmt: skip

from reactivation.science.errors import ScienceError
from reactivation.science.response import (
    LEAST_SENT,
    Rise,
    Rungs,
    lower_uplift,
    p_earns_more,
    rung_to_use,
    shares,
    smoothed,
)  # fmt: skip

counts = st.lists(
    st.tuples(st.integers(0, 500), st.floats(0, 1)).map(lambda pair: (pair[0], int(pair[0] * pair[1]))), min_size=1,
    max_size=6,
)  # fmt: skip


def rungs(*counted: tuple[int, int], cost: tuple[float, ...] = COSTS, contact: float = 0.0) -> Rungs:
    sent, converted = np.array(counted).T
    return Rungs(sent, converted, np.array(cost[: len(counted)]), np.full(len(counted), contact))


class TestSmoothed:
    """More incentive converts at least as many."""

    def test_neighbours_that_fall_are_pooled(self) -> None:
        """5 % and then 3 % of as many are 4 % each; what rises stays."""
        found = smoothed(np.array([100, 100, 100]), np.array([5, 3, 9]))
        assert found == pytest.approx([0.04, 0.04, 0.09])

    def test_a_rung_nobody_was_put_on_has_that_of_the_one_below(self) -> None:
        """Between two rungs that were tried, and above them; 0 before anything was."""
        assert smoothed(np.array([0, 100, 0, 100, 0]), np.array([0, 5, 0, 9, 0])) == pytest.approx(
            [0, 0.05, 0.05, 0.09, 0.09]
        )

    @given(counts)
    def test_it_never_falls_and_keeps_the_total(self, counted: list[tuple[int, int]]) -> None:
        """Smoothing moves conversions between rungs and makes none."""
        sent, converted = np.array(counted).T
        found = smoothed(sent, converted)
        assert np.all(np.diff(found) >= -1e-12)
        assert found @ sent == pytest.approx(converted.sum())


class TestLowerUplift:
    """The uplift that the true one very probably exceeds."""

    def test_against_draws_from_both_posteriors(self) -> None:
        """The twentieth quantile of a million ratios, within a hundredth."""
        dice = np.random.default_rng(5)
        p1 = beta(60.5, 940.5).rvs(1_000_000, random_state=dice)
        p0 = beta(40.5, 960.5).rvs(1_000_000, random_state=dice)
        assert lower_uplift(1000, 60, 1000, 40) == pytest.approx(np.quantile(p1 / p0, 0.05), rel=0.005)

    def test_more_people_make_it_surer(self) -> None:
        """At the same rates the bound rises towards the ratio of 1.5, and stays below it."""
        bounds = [lower_uplift(100 * n, 6 * n, 100 * n, 4 * n) for n in (1, 10, 100)]
        assert bounds == sorted(bounds)
        assert bounds[-1] < 1.5

    def test_nothing_counted_promises_nothing(self) -> None:
        """Nobody converted at either rung: a bound far below 1, and no error."""
        assert lower_uplift(0, 0, 0, 0) < 0.02
        assert lower_uplift(50, 0, 50, 0) < 0.1

    @pytest.mark.parametrize(("mine", "other"), [((10**8, 0), (100, 90)), ((100, 90), (10**8, 0))])
    def test_the_extremes_have_a_bound_too(self, mine: tuple[int, int], other: tuple[int, int]) -> None:
        """Nobody of a hundred million against nearly everybody, and the other way round."""
        assert 0 < lower_uplift(*mine, *other) < math.inf

    def test_more_conversions_than_people_are_refused(self) -> None:
        """6 of 5."""
        with pytest.raises(ScienceError, match="6 of 5 cannot be"):
            lower_uplift(5, 6, 10, 1)


class TestEarnsMore:
    """P(the higher rung's profit is higher)."""

    def test_against_draws_from_both_posteriors(self) -> None:
        """Margin .4, the higher rung at 10 %: p1 · .3 against p0 · .4, the contact a thousandth of an order dearer."""
        found = Rungs(np.array([800, 400]), np.array([40, 32]), np.array([0.0, 0.1]), np.array([0.0, 0.001]))
        dice = np.random.default_rng(6)
        p0 = beta(40.5, 760.5).rvs(1_000_000, random_state=dice)
        p1 = beta(32.5, 368.5).rvs(1_000_000, random_state=dice)
        assert p_earns_more(found, 0, 1, 0.4) == pytest.approx(np.mean(p1 * 0.3 - 0.001 > p0 * 0.4), abs=0.002)

    def test_a_rung_that_leaves_no_margin_never_earns_more(self) -> None:
        """However many it converts."""
        assert p_earns_more(rungs((1000, 10), (1000, 900), cost=(0.0, 0.2)), 0, 1, 0.2) == 0


class TestRungToUse:
    """One step at a time, and only when surely worth it."""

    def test_it_rises_when_the_next_rung_surely_earns_more(self) -> None:
        """Conversion doubles for a discount of 5 %."""
        found = rung_to_use(rungs((2000, 100), (2000, 200), (2000, 210)), 0, 3, MARGIN)
        assert found.rung == 1
        assert found.sure is not None and found.sure > 0.9

    def test_it_stays_when_the_discount_would_be_given_away(self) -> None:
        """As many convert with it as without."""
        assert rung_to_use(rungs((2000, 100), (2000, 102)), 0, 1, MARGIN).rung == 0

    def test_from_a_few_people_nothing_is_concluded(self) -> None:
        """One fewer than needed, and all of them converted."""
        found = rungs((2000, 100), (LEAST_SENT - 1, LEAST_SENT - 1))
        assert rung_to_use(found, 0, 1, MARGIN) == Rise(0, None)

    def test_the_top_is_never_passed(self) -> None:
        """A segment at the top stays; one above what is still allowed comes down."""
        found = rungs((2000, 100), (2000, 400), (2000, 900))
        assert rung_to_use(found, 1, 1, MARGIN) == Rise(1, None)
        assert rung_to_use(found, 2, 1, MARGIN) == Rise(1, None)

    @given(counts, st.integers(0, 5), st.integers(0, 5))
    def test_it_never_climbs_two_rungs(self, counted: list[tuple[int, int]], current: int, top: int) -> None:
        """Whatever was counted: at most one up, never above the top."""
        top = min(top, len(counted) - 1)
        found = rungs(*counted, cost=tuple(0.05 * i for i in range(len(counted))))
        assert rung_to_use(found, current, top, MARGIN).rung <= min(current + 1, top)


class TestShares:
    """Chance puts a few people on the neighbouring rungs."""

    @pytest.mark.parametrize(
        ("rung", "top", "expected"),
        [(0, 3, [0.95, 0.05, 0, 0]), (1, 3, [0.05, 0.9, 0.05, 0]), (3, 3, [0, 0, 0.05, 0.95]), (0, 0, [1])],
    )
    def test_neighbours_alone(self, rung: int, top: int, expected: list[float]) -> None:
        """Nobody above the top, and nobody two rungs away."""
        assert shares(rung, top, 0.05) == pytest.approx(expected)

    @pytest.mark.parametrize(("rung", "top", "explored"), [(2, 1, 0.05), (-1, 1, 0.05), (0, 1, 0.5), (0, 1, -0.1)])
    def test_what_cannot_be_is_refused(self, rung: int, top: int, explored: float) -> None:
        """A rung above the top, or more chance than choice."""
        with pytest.raises(ScienceError):
            shares(rung, top, explored)


def test_the_policy_against_populations_that_are_known() -> None:
    """Two populations for each response (the bench has more): on average .8 of the best fixed rung's profit, less
    discount than Thompson sampling, and never a discount that leaves less than the margin floor."""
    for name, response in RESPONSES.items():
        ours = [course(seed, response, minimum_first(0.07)) for seed in range(2)]
        theirs = [course(seed, response, thompson) for seed in range(2)]
        assert sum(one.profit for one in ours) / 2 > 0.8 * best_fixed(response), name
        assert sum(one.discount for one in ours) < sum(one.discount for one in theirs), name
        assert max(one.deepest for one in ours) <= MARGIN - FLOOR


def test_a_rung_beyond_the_margin_floor_is_never_used() -> None:
    """With a floor that leaves room for 10 %, the rung of 20 % is no part of the ladder however well it converts."""
    found = course(1, RESPONSES["strong"], minimum_first(0.07, floor=0.30))
    assert found.deepest == 0.10
    assert found.rung == 2
