"""Probabilities and expectations under the two purchasing models."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, gamma
from tests.science.cdnow import SAMPLE, purchases

from reactivation.science.histories import Histories
from reactivation.science.purchasing import Model, Purchasing, expected_purchases, p_active, p_alive

#: The published parameters for CDNOW, with α in days.
BG = Purchasing("bg_nbd", r=0.243, alpha=4.414 * 7, a=0.793, b=2.426)
MBG = Purchasing("mbg_nbd", r=0.525, alpha=6.183 * 7, a=0.891, b=1.614)
#: A customer of the papers: two repeats, the last after 30.43 weeks, 38.86 weeks known.
PAPER = Histories(np.array([2]), np.array([213]), np.array([272]))

parameters = st.floats(0.05, 20)
models = st.builds(
    Purchasing, model=st.sampled_from(["mbg_nbd", "bg_nbd"]), r=parameters, alpha=st.floats(0.5, 500), a=parameters,
    b=parameters,
)  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> Histories:
    """One customer as there may be."""
    age = draw(st.integers(1, 3000))
    recency = draw(st.integers(0, age))
    frequency = draw(st.integers(1, recency)) if recency else 0
    return Histories(np.array([frequency]), np.array([recency]), np.array([age]))


class TestKnownAnswers:
    """What the papers print for CDNOW."""

    def test_the_customer_of_the_paper(self) -> None:
        """E[Y(39 weeks)] = 1.226 and P(alive) = .7266 (Fader, Hardie & Lee, 2005)."""
        assert round(expected_purchases(BG, PAPER, 273)[0], 3) == 1.226
        assert round(p_alive(BG, PAPER)[0], 4) == 0.7266

    @pytest.mark.parametrize("model", [BG, MBG])
    def test_the_expectations_sum_to_about_what_happened(self, model: Purchasing) -> None:
        """In the 39 weeks after CDNOW's calibration there were 1,882 purchases; the level may be off by a third."""
        _, found = purchases(SAMPLE).as_of("1997-09-30")
        assert 0.65 < expected_purchases(model, found, 273).sum() / 1882 < 1.35


@pytest.mark.parametrize("model", [BG, MBG])
def test_the_formulas_are_what_the_story_says(model: Purchasing) -> None:
    """Both are integrated over the customer's λ and p given that they are alive: the chance of a purchase in 50 days,
    1 - e^(-λt), and the purchases to expect, (1 - e^(-λpt)) ÷ p."""
    chances = 2 + (model.model == "mbg_nbd")
    rate = gamma(model.r + 2, scale=1 / (model.alpha + 272))
    leaves = beta(model.a, model.b + chances)
    active = quad(lambda value: (1 - np.exp(-value * 50)) * rate.pdf(value), 0, 1)[0]
    to_expect = quad(
        lambda p: leaves.pdf(p) / p * (1 - (1 / (1 + p * 50 / (model.alpha + 272))) ** (model.r + 2)), 0, 1
    )[0]
    alive = p_alive(model, PAPER)[0]

    assert p_active(model, PAPER, 50)[0] == pytest.approx(alive * active, rel=1e-6)
    assert expected_purchases(model, PAPER, 50)[0] == pytest.approx(alive * to_expect, rel=1e-5)


@pytest.mark.parametrize("model", [BG, MBG])
@pytest.mark.parametrize(("x", "recency", "age"), [(2, 213, 272), (0, 0, 100), (7, 90, 400)])
def test_who_is_alive_is_judged_by_what_either_would_have_done(
    model: Purchasing, x: int, recency: int, age: int
) -> None:
    """Bayes over λ and p, integrated: alive they stayed at each chance to leave, x of them and under MBG/NBD one more
    at the first purchase, and bought nothing since; else they left at the last chance. Under BG/NBD a first purchase
    is none."""
    stays = x + (model.model == "mbg_nbd")
    rates, leaves = gamma(model.r, scale=1 / model.alpha), beta(model.a, model.b)

    def over_rates(days: int) -> float:
        return float(
            quad(lambda rate: rate**x * np.exp(-rate * days) * rates.pdf(rate), 0, 1, points=[0.02], epsabs=0)[0]
        )

    def over_leaving(chance: Callable[[float], float]) -> float:
        return float(quad(lambda p: chance(p) * leaves.pdf(p), 0, 1, epsabs=0)[0])

    alive = over_leaving(lambda p: (1 - p) ** stays) * over_rates(age)
    gone = over_leaving(lambda p: p * (1 - p) ** (stays - 1)) * over_rates(recency) if stays else 0.0

    found = p_alive(model, Histories(np.array([x]), np.array([recency]), np.array([age])))[0]
    assert found == pytest.approx(alive / (alive + gone), rel=1e-5)


@given(models, histories(), st.floats(0.5, 1000))
def test_probabilities_are_probabilities(model: Purchasing, one: Histories, days: float) -> None:
    """P(alive) and P(active) lie in [0, 1], and nobody buys without being a customer."""
    alive, active = p_alive(model, one)[0], p_active(model, one, days)[0]
    assert 0 <= active <= alive <= 1


@given(models, histories(), st.floats(0.5, 1000))
def test_expectations_lie_between_what_they_may(model: Purchasing, one: Histories, days: float) -> None:
    """At least the chance of a purchase, at most what somebody who never leaves is to buy, however many they made."""
    expected = expected_purchases(model, one, days)[0]
    never_leaving = p_alive(model, one)[0] * days * (model.r + one.frequency[0]) / (model.alpha + one.age[0])
    assert p_active(model, one, days)[0] * (1 - 1e-4) - 1e-9 <= expected <= never_leaving * (1 + 1e-4) + 1e-9


@given(models, histories(), st.floats(0.5, 1000))
def test_a_longer_horizon_never_lowers_a_probability(model: Purchasing, one: Histories, days: float) -> None:
    """Who buys within some days buys within more."""
    assert p_active(model, one, days)[0] <= p_active(model, one, days * 1.5)[0] + 1e-12


@given(models, st.integers(1, 50), st.integers(2, 2000), st.floats(0.5, 1000))
def test_more_silence_never_raises_the_probability(model: Purchasing, x: int, age: int, days: float) -> None:
    """At equal frequency and age, whoever bought longer ago is at most as likely to buy again."""
    recency = np.arange(x, x + age + 1, max(age // 20, 1))
    same = Histories(np.full(len(recency), x), recency, np.full(len(recency), x + age))
    assert np.all(np.diff(p_active(model, same, days)) >= -1e-12)


def test_who_bought_once_is_alive_for_ever_under_bg_nbd_alone() -> None:
    """Why P(alive) never ranks: under BG/NBD it is 1 without a repeat, however long ago."""
    once = Histories(np.array([0, 0]), np.array([0, 0]), np.array([10, 3000]))
    assert p_alive(BG, once).tolist() == [1, 1]
    recent, old = p_alive(MBG, once)
    assert recent > 0.5
    assert old < 0.2


@pytest.mark.parametrize("model", ["mbg_nbd", "bg_nbd"])
def test_the_expectation_is_smooth_where_its_formula_is_not(model: Model) -> None:
    """At a = 1 exactly the formula is 0 ÷ 0; the expectation is what it is beside it."""
    beside, at, other = (
        expected_purchases(Purchasing(model, 0.5, 40, a, 2.0), PAPER, 90)[0] for a in (0.9999, 1.0, 1.0001)
    )
    assert other < at < beside
    assert at == pytest.approx((beside + other) / 2, rel=1e-6)
