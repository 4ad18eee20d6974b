"""What the models know of a customer: how often, how recently and since when they bought.

``frequency`` x is the number of distinct purchase days less one (purchases of one day are one occasion), ``recency``
t_x the days from the first purchase to the last, ``age`` T the days from the first purchase to the instant asked for.

Source: Fader, Hardie & Lee (2005), Marketing Science 24(2); METHODS.md section 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reactivation.science.arrays import Flags, Whole, require, require_one_length


@dataclass(frozen=True, eq=False)
class Histories:
    """One row per customer, all in whole days. Raises ``ScienceError`` for a row that no customer can have."""

    frequency: Whole
    recency: Whole
    age: Whole

    def __post_init__(self) -> None:
        require_one_length(frequency=self.frequency, recency=self.recency, age=self.age)
        require(self.frequency >= 0, "a frequency is at least 0")
        require((self.recency >= 0) & (self.recency <= self.age), "recency lies between 0 and age")
        require((self.frequency > 0) == (self.recency > 0), "who bought on one day only has frequency 0 and recency 0")
        require(self.frequency <= self.recency, "a day is one occasion, so frequency is at most recency")

    def __len__(self) -> int:
        return len(self.frequency)

    def where(self, rows: Flags | Whole) -> Histories:
        """The rows of a mask or of positions."""
        return Histories(self.frequency[rows], self.recency[rows], self.age[rows])

    @property
    def dormant_days(self) -> Whole:
        """Days since the last purchase."""
        days: Whole = self.age - self.recency
        return days


@dataclass(frozen=True, eq=False)
class Distinct:
    """The different rows of some histories in a fixed order, how many customers each stands for, and whose is which:
    ``histories.frequency[row]`` gives every customer their own again."""

    histories: Histories
    weight: Whole
    row: Whole


def distinct(histories: Histories) -> Distinct:
    """Equal rows once. The order depends on the rows alone, so sums over them do not depend on who stands where."""
    if not len(histories):
        nothing = np.zeros(0, dtype=np.int64)
        return Distinct(histories, nothing, nothing)
    days = int(histories.age.max()) + 1
    key = (histories.frequency * days + histories.recency) * days + histories.age
    found, row, weight = np.unique(key, return_inverse=True, return_counts=True)
    frequency, within = np.divmod(found, days * days)
    recency, age = np.divmod(within, days)
    return Distinct(Histories(frequency, recency, age), weight.astype(np.int64), row.astype(np.int64))


def condense(customers: Whole, days: Whole, until: int) -> tuple[Whole, Histories]:
    """Who had bought by the end of day ``until``, ascending, and their histories as of that day.

    ``customers`` are whole numbers, ``days`` the numbers of the days they bought on; a row per purchase, in any order.
    """
    require_one_length(customers=customers, days=days)
    by_then = days <= until
    bought, who = days[by_then], customers[by_then]
    if not len(who):
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, Histories(nothing, nothing, nothing)
    since = int(bought.min())
    span = until - since + 1
    occasions = np.unique(who * span + (bought - since))
    customer, day = np.divmod(occasions, span)
    first = np.flatnonzero(np.r_[True, customer[1:] != customer[:-1]])
    last = np.r_[first[1:], len(customer)] - 1
    return customer[first], Histories(last - first, day[last] - day[first], (span - 1) - day[first])
