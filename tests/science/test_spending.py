"""What a purchase is worth: Gamma-Gamma."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import check_grad
from scipy.stats import gamma
from tests.science.cdnow import SAMPLE, purchases

from reactivation.science import spending
from reactivation.science.likelihood import NoFit
from reactivation.science.spending import Spending, SpendingFit, expected_order_value, fit_spending


class TestKnownAnswers:
    """CDNOW's 946 repeaters, mean value of a repeat purchase day (Fader & Hardie, 2013)."""

    def test_parameters_and_mean(self) -> None:
        """p 6.25, q 3.74, v 15.44, log-likelihood -4055.92; a purchase is worth 35.17 on average."""
        fit = fit_spending(*purchases(SAMPLE).repeat_values("1997-09-30"))
        assert isinstance(fit, SpendingFit)
        found = fit.spending
        assert fit.customers == 946
        assert (round(found.p, 2), round(found.q, 2), round(found.v, 2)) == (6.25, 3.74, 15.44)
        assert round(fit.log_likelihood, 2) == -4055.92
        assert round(found.mean, 2) == 35.17

    def test_how_often_says_little_of_how_much(self) -> None:
        """The correlation that the model takes for 0 is published with the fit: .11 here."""
        fit = fit_spending(*purchases(SAMPLE).repeat_values("1997-09-30"))
        assert isinstance(fit, SpendingFit)
        assert round(fit.correlation, 2) == 0.11


def test_a_sum_in_another_order_scores_the_same() -> None:
    """Last digits, by which one processor differs from another, are in no parameter that scores."""
    values, count = purchases(SAMPLE).repeat_values("1997-09-30")
    one, other = fit_spending(values, count), fit_spending(values[::-1], count[::-1])
    assert isinstance(one, SpendingFit)
    assert isinstance(other, SpendingFit)
    assert one.spending == other.spending


def test_the_gradient_is_that_of_the_likelihood() -> None:
    """The analytic slopes agree with differences of the value."""
    rows, at = spending._rows(np.array([0.4, 1.1, 2.6]), np.array([1, 4, 9])), np.array([5.0, 3.0, 1.2])
    off = check_grad(lambda v: spending._log_likelihood(v, rows)[0], lambda v: spending._log_likelihood(v, rows)[1], at)
    assert off < 1e-5


@given(st.floats(0.5, 20), st.floats(1.1, 20), st.floats(0.1, 100), st.floats(0.01, 1e4), st.integers(1, 500))
def test_an_expectation_lies_between_ones_own_and_everybodys(p: float, q: float, v: float, own: float, x: int) -> None:
    """The more purchases, the nearer to their own mean."""
    model = Spending(p, q, v)
    few, many = expected_order_value(model, np.array([own, own]), np.array([x, 2 * x]))
    low, high = sorted((own, model.mean))
    assert low * (1 - 1e-9) <= few <= high * (1 + 1e-9)
    assert abs(many - own) <= abs(few - own) * (1 + 1e-9)


def test_the_expectation_is_what_the_story_says() -> None:
    """The mean of their own purchases, p ÷ ν, over the ν of somebody with two purchases of 22.35 each; with CDNOW's
    parameters 24.66, which is the published formula: p(v + x·m̄) ÷ (p·x + q - 1) (Fader & Hardie, 2013, equation 5)."""
    model = Spending(6.25, 3.74, 15.44)
    nu = gamma(6.25 * 2 + 3.74, scale=1 / (15.44 + 2 * 22.35))
    expected = quad(lambda value: 6.25 / value * nu.pdf(value), 0, 5)[0]
    found = expected_order_value(model, np.array([22.35]), np.array([2]))[0]
    assert found == pytest.approx(expected, rel=1e-8)
    assert round(found, 2) == 24.66


def test_without_a_purchase_everybodys_mean_is_expected() -> None:
    """Whatever stands where their mean would be, even nothing."""
    model = Spending(6.25, 3.74, 15.44)
    assert expected_order_value(model, np.array([np.nan, 99.0]), np.array([0, 0])) == pytest.approx(model.mean)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.full(99, 20.0), "too_few"),
        (np.zeros(500), "too_few"),
        (np.full(500, 20.0), "at_the_edge"),
        (np.random.default_rng(1).pareto(0.5, 500) + 1, "at_the_edge"),
    ],
    ids=["too-few", "worth-nothing", "all-alike", "no-mean"],
)
def test_what_cannot_be_fitted_is_said(values: np.ndarray, why: str) -> None:
    """Too few, nothing to tell them apart, or a tail so long that the mean is infinite."""
    found = fit_spending(values, np.full(len(values), 3))
    assert isinstance(found, NoFit)
    assert found.why == why
