"""The purchasing model of a population of customers, by maximum likelihood.

Ages are scaled to at most 10 and equal customers counted once, so that a million customers are as many rows as there
are different histories.

Source: METHODS.md section 1; Fader, Hardie & Lee (2005), equation 6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, digamma, expit, gammaln

from reactivation.science.arrays import Floats, Whole, summed
from reactivation.science.histories import Histories, distinct
from reactivation.science.likelihood import LEAST_CUSTOMERS, NoFit, maximise
from reactivation.science.purchasing import Model, Purchasing, chances_to_leave

_LONGEST_AGE = 10.0


@dataclass(frozen=True)
class PurchasingFit:
    """The parameters with the log-likelihood in days, over so many customers (of whom ``repeaters`` came back)."""

    purchasing: Purchasing
    log_likelihood: float
    customers: int
    repeaters: int


@dataclass(frozen=True, eq=False)
class _Rows:
    """Different histories in scaled time with the customers of each, and how many customers have each frequency: most
    of the likelihood depends on the frequency alone."""

    frequency: Whole
    recency: Floats
    age: Floats
    weight: Floats
    customers: Floats
    chances: Whole


def fit_purchasing(histories: Histories, model: Model = "mbg_nbd") -> PurchasingFit | NoFit:
    """The most likely parameters for these customers, or why there are none."""
    repeaters = int(np.count_nonzero(histories.frequency))
    if repeaters < LEAST_CUSTOMERS:
        return NoFit("too_few", f"{repeaters} customers bought again, {LEAST_CUSTOMERS} are needed")
    scale = float(histories.age.max()) / _LONGEST_AGE
    rows = _rows(histories, model, scale)
    found = maximise(lambda parameters: _log_likelihood(parameters, rows), np.ones(4), len(histories))
    if isinstance(found, NoFit):
        return found
    r, alpha, a, b = (float(value) for value in found.parameters)
    in_days = found.log_likelihood - float(histories.frequency.sum()) * math.log(scale)
    return PurchasingFit(Purchasing(model, r, alpha * scale, a, b), in_days, len(histories), repeaters)


def log_likelihood(purchasing: Purchasing, histories: Histories) -> float:
    """The log-likelihood of these customers, in days."""
    rows = _rows(histories, purchasing.model, 1.0)
    return _log_likelihood(np.array([purchasing.r, purchasing.alpha, purchasing.a, purchasing.b]), rows)[0]


def _rows(histories: Histories, model: Model, scale: float) -> _Rows:
    different = distinct(histories)
    few = different.histories
    return _Rows(
        few.frequency, few.recency / scale, few.age / scale, different.weight.astype(np.float64),
        np.bincount(histories.frequency).astype(np.float64),
        chances_to_leave(model, np.arange(few.frequency.max() + 1)),
    )  # fmt: skip


def _log_likelihood(parameters: Floats, rows: _Rows) -> tuple[float, Floats]:
    """Its value and its slope by r, α, a, b.

    A customer is alive with (α+T)^-(r+x), or gone since the last purchase with a/(b+n-1)·(α+t_x)^-(r+x), n being the
    chances to leave; ``gone`` is the weight of the second.
    """
    r, alpha, a, b = parameters
    n, customers, weight = rows.chances, rows.customers, rows.weight
    shapes = r + np.arange(len(n))
    lasts = b + np.maximum(n, 1) - 1
    rates = gammaln(shapes) - gammaln(r) + r * np.log(alpha)
    by_rate = digamma(shapes) - digamma(r) + np.log(alpha)
    by_leaving = digamma(a + b) - digamma(a + b + n)

    shape = shapes[rows.frequency]
    known, until_last = alpha + rows.age, alpha + rows.recency
    log_known = np.log(known)
    log_rate = log_known - np.log(until_last)
    with np.errstate(divide="ignore"):
        log_leaving = np.log(np.where(n > 0, a / lasts, 0.0))
    odds = log_leaving[rows.frequency] + shape * log_rate
    gone = weight * expit(odds)

    value = summed(customers, rates + betaln(a, b + n) - betaln(a, b))
    value += summed(weight, np.logaddexp(0, odds) - shape * log_known)
    slope = (
        summed(customers, by_rate) - summed(weight, log_known) + summed(gone, log_rate),
        customers.sum() * r / alpha - summed(weight, shape / known) + summed(gone, shape / known - shape / until_last),
        summed(customers, by_leaving) + gone.sum() / a,
        summed(customers, by_leaving + digamma(b + n) - digamma(b)) - summed(gone, (1 / lasts)[rows.frequency]),
    )
    return value, np.array(slope)
