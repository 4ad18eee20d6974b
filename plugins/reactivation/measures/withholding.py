"""What each touch adds: those from whom chance did not withhold it against those from whom it did.

Source: METHODS.md section 4; ``science.incrementality``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from reactivation import paths
from reactivation.evidence import open_engine
from reactivation.measures.counting import Row
from reactivation.measures.figures import NOT_ENOUGH, Figure, ends, rounded, share
from reactivation.science.incrementality import Group, increment

MEASURE = "touch_value"


def touch_value_figures(
    drawn: pa.Table, bought: pa.Table, days: Mapping[int, int], *, skipped_share: float, reactivated_days: int,
    now: datetime,
) -> list[Figure]:  # fmt: skip
    """The difference of the two rates of each touch, what it is made of and how sure one can be of it.

    Tables as ``ledger.compared`` gives them; ``days``: the day of each touch by number; ``skipped_share``: what the
    playbook means to skip of each (between 0 and 1).
    """
    touches = pa.table({"number": pa.array(list(days), pa.int64()), "day": pa.array(list(days.values()), pa.int64())})
    with open_engine() as engine:
        engine.register("drawn", drawn)
        engine.register("bought", bought)
        engine.register("touches", touches)
        window = {"reactivated_days": reactivated_days, "now": now}
        rows = engine.sql(paths.sql("measured_touch_value"), params=window).to_arrow_table().to_pylist()
    return [
        figure
        for number in days
        for figure in _of_touch(number, [row for row in rows if row["number"] == number], skipped_share)
    ]


def _of_touch(number: int, rows: list[Row], skipped_share: float) -> Iterator[Figure]:
    part = f"touch {number}"
    kept, skipped = (_group(rows, skipped=skipped) for skipped in (False, True))
    people = kept.assigned + skipped.assigned
    if not kept.assigned or not skipped.assigned:
        yield Figure(MEASURE, part, of=people, note=NOT_ENOUGH)
        return
    found = increment(kept, skipped, skipped_share)
    unfinished = sum(row["unfinished"] for row in rows)
    seen = f"{unfinished:,} of {people:,} not yet seen to the end of their window" if unfinished else None
    low, high = ends(found.interval)
    yield Figure(
        MEASURE, part, of=people, rate=_maybe(found.difference), low=low, high=high,
        note="; ".join(note for note in (found.note, seen) if note) or None,
    )  # fmt: skip
    yield share(MEASURE, kept.returned, kept.assigned, f"{part}, not skipped")
    yield share(MEASURE, skipped.returned, skipped.assigned, f"{part}, skipped at random")
    yield Figure(MEASURE, f"{part}, smallest difference that would show", of=people, rate=_maybe(found.smallest))
    yield replace(
        share(MEASURE, skipped.assigned, people, f"{part}, share skipped"),
        note=f"meant {skipped_share:.1%}, p = {found.sample_ratio_p:.3f}",
    )


def _group(rows: list[Row], *, skipped: bool) -> Group:
    mine = [row for row in rows if row["skipped"] is skipped]
    return Group(sum(row["assigned"] for row in mine), sum(row["returned"] for row in mine))


def _maybe(rate: float | None) -> float | None:
    return None if rate is None else rounded(rate)
