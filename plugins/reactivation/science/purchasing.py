"""How customers buy and silently leave: MBG/NBD, and BG/NBD as an option.

While somebody is a customer they buy at their own rate λ, gamma(r, α) over customers; after a purchase they leave for
good with their own chance p, beta(a, b). In MBG/NBD the first purchase of all may be the last; in BG/NBD it never is,
which is why BG/NBD holds everybody without a repeat purchase for alive.

Source: Batislam, Denizel & Filiztekin (2007), IJRM 24(3); Fader, Hardie & Lee (2005), Marketing Science 24(2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, hyp2f1

from reactivation.science.arrays import Floats, Whole
from reactivation.science.histories import Histories

Model = Literal["mbg_nbd", "bg_nbd"]

#: So close to a = 1 or a + b + n = 1 the expectation is 0 ÷ 0 or 0 · ∞; beside it, it is the same to six digits.
_NEAR = 1e-6


@dataclass(frozen=True)
class Purchasing:
    """The parameters of one population. ``alpha`` is in days; the others have no unit."""

    model: Model
    r: float
    alpha: float
    a: float
    b: float


def chances_to_leave(model: Model, frequency: Whole) -> Whole:
    """After how many purchases whoever bought so often may have left and, being alive, did not."""
    chances: Whole = frequency + (1 if model == "mbg_nbd" else 0)
    return chances


def log_odds_gone(model: Purchasing, histories: Histories) -> Floats:
    """ln of P(gone) ÷ P(alive); -inf for who had no chance to leave (BG/NBD without a repeat purchase)."""
    chances = chances_to_leave(model.model, histories.frequency)
    rate = np.log((model.alpha + histories.age) / (model.alpha + histories.recency))
    odds = np.log(model.a / (model.b + np.maximum(chances, 1) - 1)) + (model.r + histories.frequency) * rate
    gone: Floats = np.where(chances > 0, odds, -np.inf)
    return gone


def p_alive(model: Purchasing, histories: Histories) -> Floats:
    """P(still a customer), per customer. Shown, never ranked by: it says nothing of whether they will buy soon."""
    alive: Floats = expit(-log_odds_gone(model, histories))
    return alive


def p_active(model: Purchasing, histories: Histories, days: float) -> Floats:
    """P(at least one purchase in the next ``days``), per customer."""
    waited = model.alpha + histories.age
    none = (waited / (waited + days)) ** (model.r + histories.frequency)
    active: Floats = p_alive(model, histories) * (1 - none)
    return active


def expected_purchases(model: Purchasing, histories: Histories, days: float) -> Floats:
    """E[Y(t)], the purchases to expect in the next ``days``, per customer.

    The hypergeometric function of the papers' formula is written by Euler's transformation: its numbers stay small
    however often somebody bought, where the original is 0 · ∞.
    """
    a = model.a if abs(model.a - 1) > _NEAR else 1 + _NEAR
    waited = model.alpha + histories.age
    total = a + model.b + chances_to_leave(model.model, histories.frequency) - 1
    total = np.where(np.abs(total) > _NEAR, total, _NEAR)
    same = total - model.r - histories.frequency
    still = (waited / (waited + days)) ** (a - 1) * hyp2f1(same, a - 1, total, days / (waited + days))
    purchases: Floats = p_alive(model, histories) * total / (a - 1) * (1 - still)
    return purchases
