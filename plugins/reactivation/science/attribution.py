"""Which touches a reactivation is put down to.

Only eligible touches (delivered) before it and within the window count; a reactivation without one is nobody's. By
default the last one has all of it. Attribution divides what happened among touches; what would have happened without
any is told by the holdout (``incrementality``) and belongs beside it.

Source: METHODS.md section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from reactivation.science.arrays import Floats, Whole, require, require_one_length

Rule = Literal["last", "position", "linear"]

#: First and last touch of three or more; those between share the rest. Two share evenly.
_ENDS = 0.4


@dataclass(frozen=True, eq=False)
class Moments:
    """One row per touch, or per reactivation: a customer's whole number and a time in any one unit (say, seconds)."""

    customer: Whole
    at: Whole

    def __post_init__(self) -> None:
        require_one_length(customer=self.customer, at=self.at)


@dataclass(frozen=True, eq=False)
class Credit:
    """One row per reactivation and touch with a share in it: positions in the columns given, and the ``share``.

    Ordered by reactivation, then by time; the shares of a reactivation sum to 1.
    """

    reactivation: Whole
    touch: Whole
    share: Floats


def attribute(reactivations: Moments, touches: Moments, window: int, rule: Rule = "last") -> Credit:
    """A touch counts from the moment after it until ``window`` after it, inclusive. Of touches at one time, the one
    later in the columns is the later one."""
    require(window > 0, "a window is longer than nothing")
    order = np.lexsort((touches.at, touches.customer))
    customer, at = touches.customer[order], touches.at[order]
    first = _places(customer, at, reactivations.customer, reactivations.at - window)
    end = _places(customer, at, reactivations.customer, reactivations.at)
    count = end - first
    whose = np.repeat(np.arange(len(count)), count)
    position = np.arange(len(whose)) - np.repeat(np.cumsum(count) - count, count)
    share = _shares(position, count[whose], rule)
    some = share > 0
    return Credit(whose[some], order[first[whose] + position][some], share[some])


def _places(customer: Whole, at: Whole, of: Whole, time: Whole) -> Whole:
    """Before how many of the sorted touches each (customer, time) belongs."""
    everything = np.lexsort((
        np.r_[np.ones(len(at), np.int8), np.zeros(len(time), np.int8)], np.r_[at, time], np.r_[customer, of],
    ))  # fmt: skip
    asked = everything >= len(at)
    before = np.cumsum(~asked)
    places = np.empty(len(time), dtype=np.int64)
    places[everything[asked] - len(at)] = before[asked]
    return places


def _shares(position: Whole, count: Whole, rule: Rule) -> Floats:
    last = position == count - 1
    even: Floats = np.divide(1.0, count)
    if rule == "last":
        alone: Floats = last.astype(np.float64)
        return alone
    if rule == "linear":
        return even
    between = (1 - 2 * _ENDS) / np.maximum(count - 2, 1)
    shares: Floats = np.where(count <= 2, even, np.where(last | (position == 0), _ENDS, between))
    return shares
