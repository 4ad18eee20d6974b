"""How people respond to the rungs of the incentive ladder, and when a segment's rung may rise.

Rung 0 is no incentive; each next one costs more. Conversions have beta posteriors (Jeffreys' prior). More incentive is
taken to convert at least as many: what the counts say otherwise is smoothed away. A segment stays at its rung until the
next one is more profitable with a probability above .9; every rise is a new offer, to be signed.

To know p0 and p1 at all, a small share of people (5 to 10 %) is put on the neighbouring rungs by chance. Nobody is
offered more than the top of the signed ladder or than the margin guard allows: of what is signed, chance withholds.

Source: METHODS.md section 2; Barlow et al. (1972) on isotonic regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, isotonic_regression
from scipy.special import betainc, betaincinv

from reactivation.science.arrays import Floats, Whole, require, require_one_length
from reactivation.science.errors import ScienceError

CREDIBILITY = 0.95
#: So sure one has to be that the next rung earns more.
SURE = 0.9
#: From fewer people on either of two rungs nothing is concluded: the prior would speak, and it knows nothing.
LEAST_SENT = 100

_PRIOR = 0.5
#: So many equally likely values stand for a posterior; the error of a probability is far below a thousandth.
_POINTS = 2_000
#: Between these any uplift lies that so many people as there are could show.
_UPLIFTS = (1e-15, 1e15)


@dataclass(frozen=True, eq=False)
class Rungs:
    """One row per rung, the cheapest first. ``cost`` is the share of an order the incentive costs when it is used,
    ``contact_cost`` is in shares of an order too."""

    sent: Whole
    converted: Whole
    cost: Floats
    contact_cost: Floats

    def __post_init__(self) -> None:
        require_one_length(sent=self.sent, converted=self.converted, cost=self.cost, contact_cost=self.contact_cost)
        require((self.converted >= 0) & (self.converted <= self.sent), "conversions are at most as many as were sent")
        require(np.diff(self.cost) >= 0, "a higher rung costs at least as much")


@dataclass(frozen=True)
class Rise:
    """Which ``rung`` a segment is to be at, and how ``sure`` one is that the next one earns more; ``None`` where there
    is none above, or too few people were put on it."""

    rung: int
    sure: float | None


def smoothed(sent: Whole, converted: Whole) -> Floats:
    """Conversion by rung, never falling: the isotonic regression of the rates, weighted by what was sent.

    A rung nobody was put on has the conversion of the one below it, and no weight.
    """
    require_one_length(sent=sent, converted=converted)
    tried = sent > 0
    conversion = np.zeros(len(sent))
    if tried.any():
        conversion[tried] = isotonic_regression(converted[tried] / sent[tried], weights=sent[tried]).x
    never_falling: Floats = np.maximum.accumulate(conversion)
    return never_falling


def lower_uplift(sent: int, converted: int, base_sent: int, base_converted: int) -> float:
    """The uplift p1 ÷ p0 that the true one exceeds with a probability of ``CREDIBILITY``."""
    for count, of in ((converted, sent), (base_converted, base_sent)):
        if not 0 <= count <= of:
            raise ScienceError(f"{count} of {of} cannot be")
    base = _points(_PRIOR + base_converted, _PRIOR + base_sent - base_converted)

    def too_much(log_uplift: float) -> float:
        below = betainc(_PRIOR + converted, _PRIOR + sent - converted, np.minimum(np.exp(log_uplift) * base, 1.0))
        return float(below.mean()) - (1 - CREDIBILITY)

    low, high = (float(np.log(uplift)) for uplift in _UPLIFTS)
    return float(np.exp(brentq(too_much, low, high)))


def p_earns_more(rungs: Rungs, lower: int, higher: int, margin_rate: float) -> float:
    """P(the higher rung's profit per person is above the lower one's), from the smoothed conversions."""
    conversion = smoothed(rungs.sent, rungs.converted)
    left = margin_rate - rungs.cost
    alpha = _PRIOR + rungs.sent * conversion
    beta = _PRIOR + rungs.sent * (1 - conversion)
    if left[higher] <= 0:
        return 0.0
    base = _points(alpha[lower], beta[lower])
    extra = rungs.contact_cost[higher] - rungs.contact_cost[lower]
    needed = np.clip((base * left[lower] + extra) / left[higher], 0.0, 1.0)
    return float(1 - betainc(alpha[higher], beta[higher], needed).mean())


def rung_to_use(rungs: Rungs, current: int, top: int, margin_rate: float) -> Rise:
    """The rung after ``current`` where that surely earns more, else ``current``.

    ``top`` is the highest rung that is signed and within the margin guard; a segment above it comes down to it.
    """
    if current >= top:
        return Rise(top, None)
    if min(rungs.sent[current], rungs.sent[current + 1]) < LEAST_SENT:
        return Rise(current, None)
    sure = p_earns_more(rungs, current, current + 1, margin_rate)
    return Rise(current + 1 if sure > SURE else current, sure)


def shares(rung: int, top: int, explored: float) -> Floats:
    """Which share of a segment at ``rung`` is put on each rung from 0 to ``top``: ``explored`` of them, by chance, on
    the rung below and on the one above, so that p0 and p1 of the next decision are of people alike."""
    if not 0 <= rung <= top:
        raise ScienceError(f"rung {rung} is not between 0 and {top}")
    if not 0 <= explored < 0.5:
        raise ScienceError(f"{explored} of the people on each of two rungs is too much to explore")
    share = np.zeros(top + 1)
    share[max(rung - 1, 0) : rung + 2] = explored
    share[rung] = 1 - (share.sum() - share[rung])
    return share


def _points(alpha: float, beta: float) -> Floats:
    points: Floats = betaincinv(alpha, beta, (np.arange(_POINTS) + 0.5) / _POINTS)
    return points
