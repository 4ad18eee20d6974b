"""How long it takes to come back, with those still waiting counted as waiting.

Source: METHODS.md section 5; ``science.survival``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reactivation.measures.counting import Row
from reactivation.measures.figures import NOT_ENOUGH, Figure, rounded
from reactivation.science.survival import Survival, kaplan_meier

MEASURE = "time_to_reactivate"
#: The whole days at which the curve is read.
POINTS = (7, 14, 30, 60, 90)
FEWER_THAN_HALF = "fewer than half are back"


def waiting_figures(waits: list[Row]) -> list[Figure]:
    """The median and the curve; ``waits``: days, returned and enrolments, as ``measured_waits`` counts them.

    The rate at a point is Kaplan and Meier's: of everybody, had all been seen so long. It is therefore not ``count`` ÷
    ``of``, which are those who are known to be back by then and all who were written to.
    """
    numbers = [row["enrolments"] for row in waits]
    days = np.repeat(np.array([row["days"] for row in waits], dtype=np.float64), numbers)
    returned = np.repeat(np.array([row["returned"] for row in waits], dtype=np.bool_), numbers)
    if not days.size:
        return [Figure(MEASURE, count=0, of=0, note=NOT_ENOUGH)]
    curve, back = kaplan_meier(days, returned), int(returned.sum())
    waiting = f"{days.size - back:,} not back yet"
    unknown = None if curve.median is not None else FEWER_THAN_HALF
    whole = Figure(
        MEASURE, count=back, of=int(days.size), days=curve.median, note=", ".join(filter(None, (unknown, waiting)))
    )
    return [whole, *(_at(curve, point, whole, longest=float(days.max())) for point in POINTS)]


def _at(curve: Survival, point: int, whole: Figure, *, longest: float) -> Figure:
    """The share that is back by a day; of a day that nobody has been seen until, nothing is said."""
    back = int(curve.events[curve.times <= point].sum())
    figure = replace(whole, by=f"by day {point}", count=back, days=None, note=None)
    if longest < point and curve.waiting[-1:].tolist() != [0.0]:
        return replace(figure, note=NOT_ENOUGH)
    return replace(figure, rate=rounded(curve.returned_by(point)))
