"""How long it takes: by hand, with those who wait."""

from __future__ import annotations

from typing import Any

import pytest

from reactivation.measures.figures import NOT_ENOUGH, Figure
from reactivation.measures.waiting import waiting_figures


def waits(*rows: tuple[int, bool, int]) -> list[dict[str, Any]]:
    return [dict(zip(("days", "returned", "enrolments"), row, strict=True)) for row in rows]


def by_part(*rows: tuple[int, bool, int]) -> dict[str | None, Figure]:
    return {figure.by: figure for figure in waiting_figures(waits(*rows))}


def test_who_waits_is_not_dropped() -> None:
    """Ten written to: one back on day 2, then 1 - 1/10 wait; two seen for 5 days only; two back on day 10, of the seven
    who were still seen: .9 × 5/7. The median of the three who are back would be 10 days; here fewer than half are."""
    found = by_part((2, True, 1), (5, False, 2), (10, True, 2), (40, False, 5))
    assert (found[None].count, found[None].of, found[None].days) == (3, 10, None)
    assert found[None].note == "fewer than half are back, 7 not back yet"
    points = {by: (figure.count, figure.rate, figure.note) for by, figure in found.items() if by}
    assert points == {
        "by day 7": (1, 0.1, None), "by day 14": (3, 0.3571, None), "by day 30": (3, 0.3571, None),
        "by day 60": (3, None, NOT_ENOUGH), "by day 90": (3, None, NOT_ENOUGH),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "days"),
    [([(3, True, 1)], 3), ([(3, True, 1), (4, True, 1)], 3), ([(3, True, 2), (9, False, 2)], 3),
     ([(3, True, 1), (4, True, 1), (50, True, 1)], 4), ([(1, False, 2), (3, True, 1), (9, False, 1)], 3)],
)  # fmt: skip
def test_the_median_is_when_half_are_back(rows: list[tuple[int, bool, int]], days: int) -> None:
    """Of those still seen at the time."""
    assert by_part(*rows)[None].days == days


def test_once_everybody_is_back_every_later_day_is_known() -> None:
    """Nobody is left to wait for."""
    assert by_part((3, True, 2))["by day 90"].rate == 1.0


def test_nobody_written_to_is_no_time() -> None:
    """Not zero days."""
    assert waiting_figures([]) == [Figure("time_to_reactivate", count=0, of=0, note=NOT_ENOUGH)]
