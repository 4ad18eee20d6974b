"""The purchasing model of a population of customers, by maximum likelihood.

Ages are scaled to at most 10 and equal customers counted once, so that a million customers are as many rows as there
are different histories.

Source: METHODS.md section 1; Fader, Hardie & Lee (2005), equation 6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, digamma, gammaln

from reactivation.science.arrays import Floats, Whole, summed
from reactivation.science.histories import Histories, distinct
from reactivation.science.likelihood import LEAST_CUSTOMERS, NoFit, maximise
from reactivation.science.purchasing import Model, Purchasing, chances_to_leave

_LONGEST_AGE = 10.0
#: So many rows at once stay in the processor's cache, and in memory that the system does not take back after each step.
_AT_ONCE = 16_384


@dataclass(frozen=True)
class PurchasingFit:
    """The parameters with the log-likelihood in days, over so many customers (of whom ``repeaters`` came back)."""

    purchasing: Purchasing
    log_likelihood: float
    customers: int
    repeaters: int


@dataclass(frozen=True, eq=False)
class _Block:
    """Some of the different histories in scaled time, with the customers of each."""

    frequency: Whole
    recency: Floats
    age: Floats
    weight: Floats


@dataclass(frozen=True, eq=False)
class _Rows:
    """The different histories block by block, and how many customers have each frequency, with its chances to leave:
    most of the likelihood depends on the frequency alone."""

    blocks: tuple[_Block, ...]
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
    few, weight = different.histories, different.weight.astype(np.float64)
    recency, age = few.recency / scale, few.age / scale
    parts = [slice(begin, begin + _AT_ONCE) for begin in range(0, len(few), _AT_ONCE)]
    return _Rows(
        tuple(_Block(few.frequency[part], recency[part], age[part], weight[part]) for part in parts),
        np.bincount(histories.frequency).astype(np.float64),
        chances_to_leave(model, np.arange(few.frequency.max() + 1)),
    )  # fmt: skip


def _log_likelihood(parameters: Floats, rows: _Rows) -> tuple[float, Floats]:
    """Its value and its slope by r, α, a, b.

    A customer is alive with (α+T)^-(r+x), or gone since the last purchase with a/(b+n-1)·(α+t_x)^-(r+x), n being the
    chances to leave; ``gone`` is the weight of the second.
    """
    r, alpha, a, b = parameters
    n, customers = rows.chances, rows.customers
    shapes = r + np.arange(len(n))
    lasts = b + np.maximum(n, 1) - 1
    rates = gammaln(shapes) - gammaln(r) + r * np.log(alpha)
    by_rate = digamma(shapes) - digamma(r) + np.log(alpha)
    by_leaving = digamma(a + b) - digamma(a + b + n)
    with np.errstate(divide="ignore"):
        log_leaving = np.log(np.where(n > 0, a / lasts, 0.0))

    value = summed(customers, rates + betaln(a, b + n) - betaln(a, b))
    slope = np.array([
        summed(customers, by_rate), customers.sum() * r / alpha, summed(customers, by_leaving),
        summed(customers, by_leaving + digamma(b + n) - digamma(b)),
    ])  # fmt: skip
    for block in rows.blocks:
        shape, weight = shapes[block.frequency], block.weight
        known, until_last = alpha + block.age, alpha + block.recency
        log_known, by_known = np.log(known), shape / known
        log_rate = log_known - np.log(until_last)
        odds = log_leaving[block.frequency] + shape * log_rate
        # P(gone) and ln(1 + odds) from one exponential that is never too large: these two are most of the work.
        smaller = np.exp(-np.abs(odds))
        gone = weight * np.where(odds > 0, 1.0, smaller) / (1 + smaller)
        value += summed(weight, np.maximum(odds, 0) + np.log1p(smaller) - shape * log_known)
        slope += (
            summed(gone, log_rate) - summed(weight, log_known),
            summed(gone, by_known - shape / until_last) - summed(weight, by_known),
            gone.sum() / a,
            -summed(gone, (1 / lasts)[block.frequency]),
        )
    return value, slope
