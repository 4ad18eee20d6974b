"""What a purchase of a customer is worth: Gamma-Gamma.

The values of a customer's purchases are gamma(p, ν) around their own mean, and ν is gamma(q, v) over customers. What is
expected of somebody lies between their own mean and everybody's, the nearer to their own the more they bought.

Source: Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value"; METHODS.md section 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from reactivation.science.arrays import Floats, Whole, require_one_length, summed
from reactivation.science.likelihood import LEAST_CUSTOMERS, NoFit, maximise, published

#: Where the search begins, values being scaled to a mean of 1.
_START = (3.0, 3.0, 1.0)


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
    """The parameters as published, with the log-likelihood at the maximum. ``correlation`` of how often with how much:
    the model takes it for 0."""

    spending: Spending
    log_likelihood: float
    customers: int
    correlation: float


@dataclass(frozen=True, eq=False)
class _Rows:
    """What of the customers the likelihood asks for again and again: how often and how much they bought, the different
    counts, how many customers have each, and which is whose."""

    count: Whole
    spent: Floats
    log_mean: Floats
    different: Whole
    customers: Whole
    which: Whole


def fit_spending(mean_value: Floats, purchases: Whole) -> SpendingFit | NoFit:
    """The most likely parameters, or why there are none.

    One row per customer: the mean value of ``purchases`` purchases, in one currency. Rows without a purchase or worth
    nothing tell the model nothing and are left out.
    """
    require_one_length(mean_value=mean_value, purchases=purchases)
    some = (purchases > 0) & (mean_value > 0)
    values, count = mean_value[some], purchases[some]
    if len(values) < LEAST_CUSTOMERS:
        return NoFit("too_few", f"{len(values)} customers with purchases, {LEAST_CUSTOMERS} are needed")
    scale = float(values.mean())
    rows = _rows(values / scale, count)
    found = maximise(lambda parameters: _log_likelihood(parameters, rows), np.array(_START), len(values))
    if isinstance(found, NoFit):
        return found
    p, q, v = (float(value) for value in found.parameters)
    if q <= 1:
        return NoFit("at_the_edge", "so few purchases are worth so much that the model knows no mean")
    in_money = found.log_likelihood - len(values) * math.log(scale)
    return SpendingFit(
        Spending(published(p), published(q), published(v * scale)), in_money, len(values), _correlation(count, values)
    )


def expected_order_value(spending: Spending, mean_value: Floats, purchases: Whole) -> Floats:
    """What the next purchase is worth, per customer; everybody's mean for who has no purchase to tell from."""
    known = np.where(purchases > 0, mean_value, 0.0)
    count = np.where(purchases > 0, purchases, 0)
    value: Floats = spending.p * (spending.v + count * known) / (spending.p * count + spending.q - 1)
    return value


def _rows(mean: Floats, count: Whole) -> _Rows:
    different, which, customers = np.unique(count, return_inverse=True, return_counts=True)
    return _Rows(count, count * mean, np.log(mean), different, customers, which)


def _log_likelihood(parameters: Floats, rows: _Rows) -> tuple[float, Floats]:
    """Its value and its slope by p, q, v. What depends on the count alone is worked out once for each."""
    p, q, v = parameters
    different, customers, log_mean = rows.different, rows.customers, rows.log_mean
    shapes = p * different
    alone = gammaln(shapes + q) - gammaln(shapes) - gammaln(q) + q * np.log(v) + shapes * np.log(different)
    shape, total = shapes[rows.which], v + rows.spent
    log_total = np.log(total)
    value = summed(customers, alone) + float(((shape - 1) * log_mean - (shape + q) * log_total).sum())
    slope = (
        summed(customers, different * (digamma(shapes + q) - digamma(shapes) + np.log(different)))
        + summed(rows.count, log_mean - log_total),
        summed(customers, digamma(shapes + q) - digamma(q) + np.log(v)) - log_total.sum(),
        len(log_total) * q / v - ((shape + q) / total).sum(),
    )
    return value, np.array(slope)


def _correlation(count: Whole, values: Floats) -> float:
    if np.ptp(count) == 0 or np.ptp(values) == 0:
        return 0.0
    by_count, by_value = count - count.mean(), values - values.mean()
    spread = math.sqrt(summed(by_count, by_count) * summed(by_value, by_value))
    return summed(by_count, by_value) / spread
