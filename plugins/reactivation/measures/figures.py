"""One number of one measure, with what it is a share of, and its honest absence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from reactivation.science.proportions import Interval, wilson

NOT_ENOUGH = "not enough data"
_PLACES = 4


@dataclass(frozen=True)
class Figure:
    """``by`` is the part of the measure it is about (a reason, an offer, a week; ``None`` for the whole).

    ``rate`` is ``count`` ÷ ``of``, or revenue ÷ cost, or ``None`` with a note when that cannot be said. ``low`` and
    ``high`` are the ends of its 95 % interval, in the unit of the rate; a ratio of money has none.
    """

    measure: str
    by: str | None = None
    count: int | None = None
    of: int | None = None
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    days: float | None = None
    amount: Decimal | None = None
    cost: Decimal | None = None
    currency: str | None = None
    note: str | None = None


def share(measure: str, count: int, of: int, by: str | None = None, note: str | None = None) -> Figure:
    """``count`` of ``of``, as a rate with Wilson's interval where there is anything to take a share of."""
    if of == 0:
        return Figure(measure, by, count, of, note=NOT_ENOUGH)
    # Who said no need not have been delivered to: what can exceed its whole is a rate, and no share to be sure of.
    low, high = ends(wilson(count, of) if count <= of else None)
    return Figure(measure, by, count, of, rounded(count / of), low, high, note=note)


def ends(interval: Interval | None) -> tuple[float | None, float | None]:
    """Both ends of an interval, or neither."""
    return (None, None) if interval is None else (rounded(interval.low), rounded(interval.high))


def rounded(rate: float) -> float:
    """With as many places as are shown and kept."""
    return round(rate, _PLACES)


def shares(measure: str, counts: Mapping[str, int], of: int) -> list[Figure]:
    """One share per word, the largest first."""
    return [share(measure, n, of, by) for by, n in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]


def ratio(revenue: Decimal | None, cost: Decimal | None) -> float | None:
    """Revenue ÷ cost; ``None``, not infinity, where nothing was spent."""
    return None if revenue is None or not cost else rounded(float(revenue / cost))
