"""A test of a variant that may be looked at every day."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betaln
from scipy.stats import binom
from tests.science.simulated import peeked

from reactivation.science.errors import ScienceError
from reactivation.science.sequential import Batch, is_worse, log_e_of, log_e_worse

split = st.floats(0.05, 0.95)


@given(st.integers(0, 60), split)
def test_the_bet_wins_nothing_while_the_variant_is_as_good(n: int, s: float) -> None:
    """Summed over everything that may happen to n conversions, the e-value is 1: no more can be won than was staked."""
    t = np.arange(n + 1)
    assert binom.pmf(t, n, s) @ np.exp(log_e_worse(t, n - t, s)) == pytest.approx(1)


@given(st.integers(1, 60), split, st.floats(0.01, 0.99))
def test_nor_while_it_is_better(n: int, s: float, more: float) -> None:
    """A better variant has more than its share of the conversions, and the bet loses on average."""
    t = np.arange(n + 1)
    assert binom.pmf(t, n, s + (1 - s) * more) @ np.exp(log_e_worse(t, n - t, s)) <= 1 + 1e-9


@pytest.mark.parametrize(("t", "c", "s"), [(10, 30, 0.5), (3, 40, 0.2), (500, 520, 0.5), (0, 0, 0.3)])
def test_it_is_the_mean_likelihood_ratio(t: int, c: int, s: float) -> None:
    """Integrated by hand: beta(10, 10) cut off at s, of (θ/s)^t ((1-θ)/(1-s))^c."""

    def ratio(theta: float) -> float:
        weight = 9 * (math.log(theta) + math.log1p(-theta)) - betaln(10, 10)
        return math.exp(weight + t * math.log(theta / s) + c * math.log((1 - theta) / (1 - s)))

    mass = quad(lambda theta: math.exp(9 * (math.log(theta) + math.log1p(-theta)) - betaln(10, 10)), 0, s)[0]
    points = [t / (t + c)] if t and t / (t + c) < s else None
    expected = math.log(quad(ratio, 0, s, points=points, epsrel=1e-10)[0] / mass)
    assert float(log_e_worse(t, c, s)) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_overwhelming_success_is_still_a_number() -> None:
    """Far out in the tail the evidence is what integration says and not minus infinity, so that later batches count."""
    found = log_e_worse(np.array([5_000, 20_000]), np.array([10, 100]), 0.5)

    def ratio(theta: float) -> float:
        return math.exp(
            9 * (math.log(theta) + math.log1p(-theta)) - betaln(10, 10) + 5_000 * math.log(2 * theta)
            + 10 * math.log(2 - 2 * theta)
        )  # fmt: skip

    assert found[0] == pytest.approx(math.log(2 * quad(ratio, 0.49, 0.5)[0]), rel=1e-6)
    assert -20 < found[1] < found[0] < 0


def test_there_is_no_step_where_the_tail_begins() -> None:
    """Across the place where the plain formula loses its digits, the evidence goes on as before."""
    t = np.arange(900, 1100)
    second = np.diff(log_e_worse(t, 10, 0.5), n=2)
    assert np.all(np.abs(second) < 1e-3)


class TestBatches:
    """After the split changed, evidence is multiplied, each batch with its own share."""

    def test_batches_multiply(self) -> None:
        """The logarithms add up."""
        batches = [Batch(0.5, 40, 60), Batch(0.2, 10, 90)]
        assert log_e_of(batches) == pytest.approx(float(log_e_worse(40, 60, 0.5)) + float(log_e_worse(10, 90, 0.2)))
        assert log_e_of([]) == 0

    def test_a_pooled_count_would_be_wrong(self) -> None:
        """Two fair batches of different splits have no evidence against them; pooled under one share they would."""
        fair = [Batch(0.5, 500, 500), Batch(0.1, 100, 900)]
        assert not is_worse(log_e_of(fair))
        assert is_worse(float(log_e_worse(600, 1400, 0.5)))


def test_more_variants_need_more_evidence() -> None:
    """e of K ÷ α: 20 for one, 80 for four."""
    assert is_worse(math.log(20)) and not is_worse(math.log(20) - 1e-9)
    assert is_worse(math.log(80), variants=4) and not is_worse(math.log(79), variants=4)


@pytest.mark.parametrize(("t", "c", "s"), [(-1, 3, 0.5), (1, 3, 0.0), (1, 3, 1.0)])
def test_what_cannot_be_is_refused(t: int, c: int, s: float) -> None:
    """Negative counts, and splits that give nobody the variant, or everybody."""
    with pytest.raises(ScienceError):
        log_e_worse(t, c, s)


def test_nobody_is_watched_without_a_limit() -> None:
    """No variants, or an α that is none."""
    with pytest.raises(ScienceError):
        is_worse(3.0, variants=0)
    with pytest.raises(ScienceError):
        is_worse(3.0, alpha=1.0)


def test_peeking_every_day_for_28_days() -> None:
    """500 streams without a difference (the bench has 2,000): the monitor pauses fewer than α, the naive z-test about a
    quarter. Of streams 20 % worse at a base of 10 %, 200 people an arm a day, it finds about four in five."""
    same = peeked(1, 500, base=0.10, variant=0.10)
    worse = peeked(2, 500, base=0.10, variant=0.08)
    assert same.monitor <= 0.05
    assert 0.18 < same.naive < 0.30
    assert worse.monitor > 0.7
