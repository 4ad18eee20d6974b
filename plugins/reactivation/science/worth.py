"""What a customer is expected to bring in the next H days, with its parts kept.

Source: METHODS.md section 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from reactivation.science.arrays import Floats, require, require_one_length


@dataclass(frozen=True, eq=False)
class Worth:
    """One row per customer, NaN where a part is unknown: expected ``purchases`` × expected ``order_value`` (money) ×
    ``margin_rate`` (before any discount) is ``value``, the expected margin."""

    purchases: Floats
    order_value: Floats
    margin_rate: Floats
    value: Floats


def expected_worth(purchases: Floats, order_value: Floats, margin_rate: Floats) -> Worth:
    """The margin to expect without doing anything. A rate above 1 or a negative part is refused; a negative margin
    rate is what a customer who costs money has."""
    require_one_length(purchases=purchases, order_value=order_value, margin_rate=margin_rate)
    require(~(purchases < 0) & ~(order_value < 0), "purchases and their value are at least 0")
    require(~(margin_rate > 1), "a margin is at most the whole of the revenue")
    return Worth(purchases, order_value, margin_rate, purchases * order_value * margin_rate)
