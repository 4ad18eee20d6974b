"""What a purchase of a customer is worth: Gamma-Gamma.

The values of a customer's purchases are gamma(p, ν) around their own mean, and ν is gamma(q, v) over customers. What is
expected of somebody lies between their own mean and everybody's, the nearer to their own the more they bought.

Source: Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value"; METHODS.md section 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma, gammaln

from reactivation.science.arrays import Floats, Whole, require_one_length
from reactivation.science.fitting import LEAST_REPEATERS, NoFit

_EDGE = 8.0
_STEEPEST = 1e-5


@dataclass(frozen=True)
class Spending:
    """The parameters of one population; ``v`` is in money, the others have no unit."""

    p: float
    q: float
    v: float

    @property
    def mean(self) -> float:
        """What a purchase is worth, over all customers."""
        return self.p * self.v / (self.q - 1)


@dataclass(frozen=True)
class SpendingFit:
    """The parameters with the log-likelihood. ``correlation`` of how often with how much: the model takes it for 0."""

    spending: Spending
    log_likelihood: float
    customers: int
    correlation: float


def fit_spending(mean_value: Floats, purchases: Whole) -> SpendingFit | NoFit:
    """The most likely parameters, or why there are none.

    One row per customer: the mean value of ``purchases`` purchases, in one currency. Rows without a purchase or worth
    nothing tell the model nothing and are left out.
    """
    require_one_length(mean_value=mean_value, purchases=purchases)
    some = (purchases > 0) & (mean_value > 0)
    values, count = mean_value[some], purchases[some]
    if len(values) < LEAST_REPEATERS:
        return NoFit("too_few_repeaters", f"{len(values)} customers with purchases, {LEAST_REPEATERS} are needed")
    scale = float(values.mean())
    scaled = values / scale

    def loss(logs: Floats) -> tuple[float, Floats]:
        value, slope = _log_likelihood(np.exp(logs), scaled, count)
        return -value / len(values), -slope * np.exp(logs) / len(values)

    found = minimize(
        loss, np.array([1.0, 1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(-_EDGE, _EDGE)] * 3,
        options={"maxiter": 500, "ftol": 1e-15, "gtol": 1e-9},
    )  # fmt: skip
    p, q, v = (float(value) for value in np.exp(found.x))
    if np.max(np.abs(found.x)) > _EDGE - 1e-3 or q <= 1:
        return NoFit("at_the_edge", "purchases of these customers have no mean value that the model could tell")
    if not np.max(np.abs(found.jac)) < _STEEPEST:
        return NoFit("no_convergence", f"no maximum after {found.nit} steps: {found.message}")
    in_money = -float(found.fun) * len(values) - len(values) * math.log(scale)
    return SpendingFit(Spending(p, q, v * scale), in_money, len(values), _correlation(count, values))


def expected_order_value(spending: Spending, mean_value: Floats, purchases: Whole) -> Floats:
    """What the next purchase is worth, per customer; everybody's mean for who has no purchase to tell from."""
    known = np.where(purchases > 0, mean_value, 0.0)
    count = np.where(purchases > 0, purchases, 0)
    value: Floats = spending.p * (spending.v + count * known) / (spending.p * count + spending.q - 1)
    return value


def _log_likelihood(parameters: Floats, mean: Floats, count: Whole) -> tuple[float, Floats]:
    """Its value and its slope by p, q, v. What depends on the count alone is worked out once for each."""
    p, q, v = parameters
    different, of, customers = np.unique(count, return_inverse=True, return_counts=True)
    shapes = p * different
    alone = gammaln(shapes + q) - gammaln(shapes) - gammaln(q) + q * np.log(v) + shapes * np.log(different)
    shape, total = shapes[of], v + count * mean
    log_mean, log_total = np.log(mean), np.log(total)
    value = customers @ alone + ((shape - 1) * log_mean - (shape + q) * log_total).sum()
    slope = (
        customers @ (different * (digamma(shapes + q) - digamma(shapes) + np.log(different)))
        + count @ (log_mean - log_total),
        customers @ (digamma(shapes + q) - digamma(q) + np.log(v)) - log_total.sum(),
        len(mean) * q / v - ((shape + q) / total).sum(),
    )
    return float(value), np.array(slope)


def _correlation(count: Whole, values: Floats) -> float:
    constant = np.ptp(count) == 0 or np.ptp(values) == 0
    return 0.0 if constant else float(np.corrcoef(count, values)[0, 1])
