"""How long it takes, when some are still waiting: Kaplan and Meier's curve.

Who has not come back yet is censored at the last moment they were seen, not dropped: leaving them out would make every
campaign look faster than it is. Source: Kaplan & Meier (1958), JASA 53; METHODS.md section 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reactivation.science.arrays import Flags, Floats, Whole, require, require_one_length


@dataclass(frozen=True, eq=False)
class Survival:
    """A row per time at which somebody came back, ascending: how many still waited just before (``at_risk``), how many
    came back then, and the share still waiting after."""

    times: Floats
    at_risk: Whole
    events: Whole
    waiting: Floats

    @property
    def median(self) -> float | None:
        """The first time by which half have come back; none while more than half are waiting."""
        # A share that should be exactly a half is a product of fractions, and may be a rounding error above it.
        by = np.flatnonzero(self.waiting <= 0.5 + 1e-12)
        return float(self.times[by[0]]) if by.size else None

    def returned_by(self, time: float) -> float:
        """The share that has come back by then."""
        reached = int(np.searchsorted(self.times, time, side="right"))
        return 1 - float(self.waiting[reached - 1]) if reached else 0.0


def kaplan_meier(durations: Floats, happened: Flags) -> Survival:
    """One row per person: time until they came back or, where ``happened`` is false, until they were last seen waiting.

    Who was last seen at a time at which others came back counts as waiting at it.
    """
    require_one_length(durations=durations, happened=happened)
    require(np.asarray(durations) >= 0, "a duration is at least 0")
    times, events = np.unique(durations[happened], return_counts=True)
    at_risk = len(durations) - np.searchsorted(np.sort(durations), times, side="left")
    waiting: Floats = np.cumprod(1 - events / at_risk, dtype=np.float64)
    return Survival(times.astype(float), at_risk.astype(np.int64), events.astype(np.int64), waiting)
