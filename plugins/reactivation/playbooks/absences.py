"""Days on which an owner's questions would reach nobody: he is away, and so is everybody who could stand in for him."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from reactivation.playbooks.owners import SIGNS_FOR, Owners

_DAY = timedelta(days=1)
#: Whoever is away for good is away until a day nobody lives to see; the coming year is enough to be warned of.
_AHEAD = timedelta(days=366)


@dataclass(frozen=True)
class Gap:
    """Nobody is asked for an owner in a role from ``first`` to ``last``, both included."""

    owner_id: str
    role: str
    first: date
    last: date

    def __str__(self) -> str:
        return (
            f"{self.owner_id} is away as {self.role} from {self.first} to {self.last}, and nobody who is there stands "
            "in: what is asked of him then is held. Name a delegate with that role who is there, or a deputy for it"
        )


def gaps(owners: Owners, today: date) -> Iterator[Gap]:
    """Every gap of the year from ``today`` on, by owner and role."""
    last = today + _AHEAD
    for owner_id, owner in sorted(owners.by_id.items()):
        days = {day for absence in owner.away for day in _days(max(absence.since, today), min(absence.until, last))}
        for role in sorted({role for role in SIGNS_FOR.values() if role in owner.roles}):
            nobody = {day for day in days if not owners.asked_for(owner_id, role, day)}
            starts = sorted(day for day in nobody if day - _DAY not in nobody)
            ends = sorted(day for day in nobody if day + _DAY not in nobody)
            yield from (Gap(owner_id, role, first, end) for first, end in zip(starts, ends, strict=True))


def _days(first: date, last: date) -> Iterator[date]:
    return (first + number * _DAY for number in range((last - first).days + 1))
