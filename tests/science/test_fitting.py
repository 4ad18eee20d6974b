"""Maximum likelihood: the published maxima, and no silent bad fit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import check_grad
from tests.science.cdnow import SAMPLE, purchases
from tests.science.simulated import company

from reactivation.science import fitting
from reactivation.science.fitting import PurchasingFit, fit_purchasing, log_likelihood
from reactivation.science.histories import Histories
from reactivation.science.likelihood import NoFit
from reactivation.science.purchasing import Model, Purchasing


def fitted(model: Model) -> tuple[PurchasingFit, Histories]:
    _, found = purchases(SAMPLE).as_of("1997-09-30")
    fit = fit_purchasing(found, model)
    assert isinstance(fit, PurchasingFit)
    return fit, found


def in_weeks(fit: PurchasingFit, histories: Histories) -> tuple[Purchasing, float]:
    """Parameters and log-likelihood with weeks for days, as the papers have them."""
    p = fit.purchasing
    weeks = Purchasing(p.model, p.r, p.alpha / 7, p.a, p.b)
    return weeks, fit.log_likelihood + float(histories.frequency.sum()) * math.log(7)


class TestKnownAnswers:
    """CDNOW's 1/10 sample, 39 weeks of calibration ending 1997-09-30, in weeks."""

    def test_bg_nbd(self) -> None:
        """r .243, α 4.414, a .793, b 2.426, log-likelihood -9582.4 (Fader, Hardie & Lee, 2005, table 2)."""
        p, value = in_weeks(*fitted("bg_nbd"))
        assert (round(p.r, 3), round(p.alpha, 3), round(p.a, 3), round(p.b, 3)) == (0.243, 4.414, 0.793, 2.426)
        assert round(value, 3) == -9582.429
        assert (round(p.r, 7), round(p.alpha, 6)) == (0.2425945, 4.413602)

    def test_no_seven_digits_are_more_likely(self) -> None:
        """The seven digits printed elsewhere (a .7929199, b 2.4258881) stop a little short of the maximum."""
        fit, found = fitted("bg_nbd")
        printed = Purchasing("bg_nbd", 0.2425945, 4.4136019 * 7, 0.7929199, 2.4258881)
        assert -1e-7 < log_likelihood(printed, found) - fit.log_likelihood < 0
        assert fit.purchasing.a == pytest.approx(0.7929199, abs=5e-6)
        assert fit.purchasing.b == pytest.approx(2.4258881, abs=5e-5)

    def test_mbg_nbd(self) -> None:
        """r .525, α 6.183, a .891, b 1.614 (Batislam et al., 2007)."""
        p, value = in_weeks(*fitted("mbg_nbd"))
        assert (round(p.r, 3), round(p.alpha, 3), round(p.a, 3), round(p.b, 3)) == (0.525, 6.183, 0.891, 1.614)
        assert round(value, 2) == -9582.14

    def test_mbg_nbd_in_the_rounded_weeks_of_the_papers(self) -> None:
        """Log-likelihood -9582.13 when, as in the papers' file, times are weeks rounded to hundredths."""
        _, found = fitted("mbg_nbd")
        recency, age = (np.rint(days * 100 / 7).astype(np.int64) for days in (found.recency, found.age))
        fit = fit_purchasing(Histories(found.frequency, recency, age))
        assert isinstance(fit, PurchasingFit)
        assert round(fit.log_likelihood + float(found.frequency.sum()) * math.log(100), 2) == -9582.13


@pytest.mark.parametrize("model", ["mbg_nbd", "bg_nbd"])
def test_the_gradient_is_that_of_the_likelihood(model: Model) -> None:
    """The analytic slopes agree with differences of the value."""
    few = Histories(np.array([0, 1, 5, 0]), np.array([0, 20, 200, 0]), np.array([100, 150, 210, 1]))
    rows = fitting._rows(few, model, 21.0)
    at = np.array([0.6, 1.7, 0.8, 1.9])
    off = check_grad(lambda v: fitting._log_likelihood(v, rows)[0], lambda v: fitting._log_likelihood(v, rows)[1], at)
    assert off < 1e-5


@pytest.mark.parametrize("model", ["mbg_nbd", "bg_nbd"])
def test_a_population_with_known_parameters_is_found_again(model: Model) -> None:
    """Ten thousand simulated customers give their parameters back within fifteen per cent, α in days."""
    truth = Purchasing(model, r=0.8, alpha=60.0, a=1.2, b=3.0)
    again = fit_purchasing(company(truth, 10_000, seed=11)[0], model)
    assert isinstance(again, PurchasingFit)
    for name in ("r", "alpha", "a", "b"):
        assert getattr(again.purchasing, name) == pytest.approx(getattr(truth, name), rel=0.15), name


def test_the_fit_does_not_depend_on_the_order_of_customers() -> None:
    """Byte for byte the same parameters from the same people in another order."""
    fit, found = fitted("mbg_nbd")
    other = np.random.default_rng(4).permutation(len(found))
    assert fit_purchasing(found.where(other)) == fit


class TestNoFit:
    """What cannot be fitted is said, never guessed."""

    def test_too_few_customers_came_back(self) -> None:
        """99 repeaters among any number of customers are too few."""
        x = np.r_[np.ones(99, dtype=int), np.zeros(5000, dtype=int)]
        found = fit_purchasing(Histories(x, x * 30, np.full(len(x), 300)))
        assert isinstance(found, NoFit)
        assert (found.why, found.sentence) == ("too_few", "99 customers bought again, 100 are needed")

    def test_nobody_at_all(self) -> None:
        """An empty table is too few as well."""
        nothing = np.zeros(0, dtype=np.int64)
        assert isinstance(fit_purchasing(Histories(nothing, nothing, nothing)), NoFit)

    @pytest.mark.parametrize("model", ["mbg_nbd", "bg_nbd"])
    def test_customers_who_are_all_alike(self, model: Model) -> None:
        """Without differences between customers the likelihood has no maximum inside: not a fit, but its absence."""
        alike = np.full(1000, 5)
        found = fit_purchasing(Histories(alike, alike * 60, np.full(1000, 301)), model)
        assert isinstance(found, NoFit)
        assert found.why in ("at_the_edge", "no_convergence")
