"""Up to which step of the incentive ladder a person may be offered something: the segment's, or by chance a neighbour.

A segment begins low, and a person raises it when the response says so. Chance puts a small share of its people on the
step below and on the one above, so that the response to each is that of people alike; nobody is ever put on a step
above the highest that the playbook makes an offer at. The margin guard, the budget and the signatures stand beside it.

Source: framework 003 (incentive optimizer); METHODS.md section 2; decision records 0024 and 0028.
"""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TEXT
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.touches import Touch
from reactivation.playbooks.words import Rung
from reactivation.policy.columns import arrow, constant, numbers, series
from reactivation.science.response import shares

RUNGS: tuple[str, ...] = get_args(Rung)
#: What a touch above a person's step is skipped for.
HELD_BACK = "rung"
_POINTS = 2**32


def ladder_of(playbook: Playbook) -> tuple[str, ...]:
    """No incentive, and the steps at which the playbook makes an offer, the smallest first: on a step at which nothing
    is offered people would be explored for nothing."""
    offered = {touch.incentive for touch in playbook.touches if touch.offer is not None}
    return tuple(step for step in RUNGS if step == RUNGS[0] or step in offered)


def place_on(ladder: tuple[str, ...], rung: str) -> int:
    """Where a declared step stands on a ladder: at the highest of its steps that is not above it."""
    return max(place for place, step in enumerate(ladder) if RUNGS.index(step) <= RUNGS.index(rung))


def rungs(points: pd.Series, segments: pd.Series, playbook: Playbook) -> pd.Series:
    """The step of each candidate, by chance around that of his business segment; nothing without an optimizer.

    ``points``: the first 32 bits of a hash of his own, so that he stays where he is while the segment does.
    """
    optimizer, ladder = playbook.optimizer, ladder_of(playbook)
    if optimizer is None:
        return constant(None, len(points))
    place, chance = np.full(len(points), -1), numbers(points, unknown=0)
    for segment, rung in optimizer.rungs.items():
        mine = np.flatnonzero(pc.fill_null(pc.equal(arrow(segments), segment), False).to_numpy(zero_copy_only=False))
        share = shares(place_on(ladder, rung), len(ladder) - 1, optimizer.explored)
        place[mine] = np.searchsorted(np.cumsum(share)[:-1] * _POINTS, chance[mine], side="right")
    return series(pa.array(ladder, TEXT).take(pa.array(np.maximum(place, 0), mask=place < 0)))


def held_back(touch: Touch, people: pa.Table) -> pa.Array | bool:
    """Whose step is below the touch's incentive. ``people`` has ``rung``, null for whom nothing limits."""
    if touch.incentive not in RUNGS:
        return False
    allowed = pa.array(RUNGS[RUNGS.index(touch.incentive) :], TEXT)
    return pc.and_(pc.is_valid(people["rung"]), pc.invert(pc.is_in(people["rung"], allowed)))
