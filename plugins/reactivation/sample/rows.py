"""Many rows of many customers laid end to end, and instants for them in epoch seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reactivation.sample.dice import Dice, Whole

DAY = 86_400
HOUR = 3_600
_MOST_ROWS = 4096


@dataclass(frozen=True)
class Rows:
    """Whose each row is (position in the chunk), its place in that customer's list, its own number for the dice.

    A row's number is made of the customer's number and its place, so its luck does not depend on the chunk.
    """

    owner: Whole
    place: Whole
    number: Whole
    starts: Whole
    owner_number: Whole

    @classmethod
    def of(cls, numbers: Whole, counts: Whole) -> Rows:
        """``counts[i]`` rows, at most 4096, for the customer with number ``numbers[i]``."""
        starts = np.cumsum(counts) - counts
        owner = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(int(counts.sum())) - starts[owner]
        owner_number = numbers[owner]
        return cls(owner, place, owner_number * _MOST_ROWS + place, starts, owner_number)


def between(dice: Dice, stream: str, number: Whole, low: Whole, high: Whole | int) -> Whole:
    """An instant in ``[low, high)`` for each row; ``low`` where the two meet."""
    return low + dice.below(stream, number, np.maximum(np.asarray(high) - low, 1))


def by_daylight(dice: Dice, stream: str, number: Whole, instants: Whole, hours: int) -> Whole:
    """The same days, at an hour between eight and ``8 + hours``."""
    return instants // DAY * DAY + 8 * HOUR + dice.below(stream, number, hours * HOUR)
