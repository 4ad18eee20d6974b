"""The honest fallback: how many came back, by how long they had been quiet and how often they had bought.

Nothing is modelled: the rate of a cell is what was seen in the days held out, drawn towards its dormancy band's, and
that towards everybody's, as far as the cell has few customers.

Source: METHODS.md section 1 (empirical hazard by dormancy band and frequency).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reactivation.science.arrays import Flags, Floats, Whole, require_one_length
from reactivation.science.errors import ScienceError
from reactivation.science.histories import Histories

#: Lower bounds of the columns, in purchase days after the first: none, one, two or three, more.
FREQUENCIES = (0, 1, 2, 4)
#: As many customers of the wider group speak with those of a cell.
DRAWN_BY = 10.0
#: With fewer customers not even the overall rate says much.
LEAST_CUSTOMERS = 100


@dataclass(frozen=True, eq=False)
class Hazards:
    """Rows by dormancy band, columns by frequency: ``customers`` seen, how many ``returned``, and the ``rate`` used."""

    from_days: Whole
    from_frequency: Whole
    customers: Whole
    returned: Whole
    rate: Floats


def learn_hazards(
    then: Histories, returned: Flags, from_days: Sequence[int], from_frequency: Sequence[int] = FREQUENCIES
) -> Hazards:
    """From histories as of the beginning of the days held out, and who bought in them.

    ``from_days`` and ``from_frequency`` are lower bounds, ascending from 0.
    """
    require_one_length(then=then.frequency, returned=returned)
    days, frequency = (np.asarray(bounds, dtype=np.int64) for bounds in (from_days, from_frequency))
    for name, bounds in (("from_days", days), ("from_frequency", frequency)):
        if not len(bounds) or bounds[0] != 0 or np.any(np.diff(bounds) <= 0):
            raise ScienceError(f"{name} has to ascend from 0, not {bounds.tolist()}")
    cell = _cells(then, days, frequency)
    shape, size = (len(days), len(frequency)), len(days) * len(frequency)
    customers = np.bincount(cell, minlength=size).reshape(shape)
    back = np.bincount(cell[returned], minlength=size).reshape(shape)
    overall = back.sum() / max(customers.sum(), 1)
    by_band = _drawn(back.sum(axis=1), customers.sum(axis=1), overall)
    return Hazards(days, frequency, customers, back, _drawn(back, customers, by_band[:, None]))


def hazard(hazards: Hazards, histories: Histories) -> Floats:
    """The rate of each customer's cell."""
    rate: Floats = hazards.rate.ravel()[_cells(histories, hazards.from_days, hazards.from_frequency)]
    return rate


def _cells(histories: Histories, from_days: Whole, from_frequency: Whole) -> Whole:
    band = np.searchsorted(from_days, histories.dormant_days, side="right") - 1
    column = np.searchsorted(from_frequency, histories.frequency, side="right") - 1
    cells: Whole = band * len(from_frequency) + column
    return cells


def _drawn(returned: Whole, customers: Whole, towards: Floats | float) -> Floats:
    rate: Floats = (returned + DRAWN_BY * towards) / (customers + DRAWN_BY)
    return rate
