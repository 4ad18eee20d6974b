"""CDNOW as the papers use it: days, values, and what happened after a day. Tests are skipped where the file is not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from tests.sample.real import real_file

from reactivation.sample.histories.cdnow import read_cdnow
from reactivation.science.histories import Histories, condense
from reactivation.science.scoring import HeldOut

Whole = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: More than the number of any day, so that customer and day are one whole number.
_SPAN = 100_000

SAMPLE, MASTER = "CDNOW_sample.txt", "CDNOW_master.txt"


@dataclass(frozen=True, eq=False)
class Purchases:
    """One row per purchase: customer, number of the day, dollars."""

    customer: Whole
    day: Whole
    value: Floats

    def as_of(self, day: str) -> tuple[Whole, Histories]:
        """Who had bought by the end of a day, and their histories."""
        return condense(self.customer, self.day, number(day))

    def days_after(self, day: str, days: int) -> Whole:
        """The purchase days of each of those customers in the so many days after it."""
        after = (self.day > number(day)) & (self.day <= number(day) + days)
        occasions = np.unique(self.customer[after] * _SPAN + self.day[after]) // _SPAN
        customers, _ = self.as_of(day)
        return np.searchsorted(occasions, customers, "right") - np.searchsorted(occasions, customers, "left")

    def held_out(self, day: str, days: int) -> HeldOut:
        """What was known on a day, and who bought in the so many days after it."""
        return HeldOut(self.as_of(day)[1], self.days_after(day, days) > 0, days)

    def repeat_values(self, day: str) -> tuple[Floats, Whole]:
        """The mean value of a repeat purchase day, and how many there were, of each customer as of a day."""
        known = self.day <= number(day)
        occasions, row = np.unique(self.customer[known] * _SPAN + self.day[known], return_inverse=True)
        value, customer = np.bincount(row, self.value[known]), occasions // _SPAN
        first = np.r_[True, customer[1:] != customer[:-1]]
        _, whose = np.unique(customer, return_inverse=True)
        count = np.bincount(whose) - 1
        total = np.bincount(whose, np.where(first, 0.0, value))
        return total / np.maximum(count, 1), count


@cache
def purchases(name: str) -> Purchases:
    """The purchases of one of the two files."""
    table = read_cdnow(real_file(name)).purchases
    at = table["occurred_at"].to_numpy().astype("datetime64[D]")
    return Purchases(
        np.array(table["customer_id"].to_pylist(), dtype=np.int64), at.astype(np.int64),
        table["amount"].to_numpy().astype(np.float64),
    )  # fmt: skip


def number(day: str) -> int:
    """The number of a day, for the columns above."""
    return int(np.datetime64(day, "D").astype(np.int64))
