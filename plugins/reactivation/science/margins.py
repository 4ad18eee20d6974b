"""What an incentive may cost, and what it has to bring.

With V the value of an order, m the margin rate before any discount, δ the share of the order the incentive costs, c the
cost of the contact, p0 the conversion one rung below and p1 the conversion here, an incentive earns its cost when

    p1·V·(m - δ) - p0·V·m - c ≥ 0   ⇔   δ ≤ m·(1 - p0/p1) - c/(V·p1)

Source: METHODS.md section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reactivation.science.arrays import Floats, require


def largest_discount(
    margin_rate: npt.ArrayLike,
    uplift: npt.ArrayLike,
    order_value: npt.ArrayLike,
    conversion: npt.ArrayLike,
    *,
    contact_cost: float,
    margin_floor: float,
) -> Floats:
    """δ_max: the largest share of an order an incentive may cost, per customer; NaN where a part is unknown.

    ``uplift`` is p1 ÷ p0 (its lower credible bound where it was estimated, what was declared where it was not),
    ``conversion`` p1. Never below 0, and never so much that less than ``margin_floor`` of the order is left.
    """
    rate, value = np.asarray(margin_rate, dtype=float), np.asarray(order_value, dtype=float)
    times, converted = np.asarray(uplift, dtype=float), np.asarray(conversion, dtype=float)
    require(~(times <= 0) & ~(value <= 0), "an uplift and an order's value are above 0")
    require(~((converted <= 0) | (converted > 1)), "a conversion lies between 0 and 1, and some convert")
    earned = rate * (1 - 1 / times) - contact_cost / (value * converted)
    most: Floats = np.maximum(np.minimum(earned, rate - margin_floor), 0.0)
    return most


def required_uplift(
    margin_rate: npt.ArrayLike, discount: npt.ArrayLike, *, cost_per_margin: npt.ArrayLike = 0.0
) -> Floats:
    """The p1 ÷ p0 at which an incentive that costs ``discount`` of an order earns its cost; infinite where none does.

    ``cost_per_margin`` is c ÷ (V·p0·m): the contact's cost against what the rung below earns.
    """
    rate, off = np.asarray(margin_rate, dtype=float), np.asarray(discount, dtype=float)
    left = rate - off
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(left > 0, rate * (1 + np.asarray(cost_per_margin, dtype=float)) / left, np.inf)
    uplift: Floats = np.where(np.isnan(rate) | np.isnan(off), np.nan, needed)
    return uplift


@dataclass(frozen=True)
class CreditCost:
    """What one granted credit is expected to ``cost``, and the ``breakage``: the face value nobody comes for."""

    cost: float
    breakage: float


def credit_cost(face: float, redemption_rate: float, cost_of_goods: float = 1.0) -> CreditCost:
    """Of credit, or of points with the ``cost_of_goods`` as a share of their face (1: money's worth is paid out)."""
    require(face >= 0, "a face value is at least 0")
    require(0 <= redemption_rate <= 1 and 0 <= cost_of_goods <= 1, "a rate lies between 0 and 1")
    redeemed = face * redemption_rate
    return CreditCost(redeemed * cost_of_goods, face - redeemed)
