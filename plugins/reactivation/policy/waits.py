"""How a late touch moves those after it: a wait is counted from when the touch before was really sent.

The days between two touches are the playbook's, on the recipient's calendar. A touch that was not sent was not tried,
and moves nothing. Windows keep their length, up to the next touch; nothing ever moves to an earlier moment.

Source: PLAYBOOKS.md (days are defaults; "after it was really sent"); RULES.md, Timing (caps).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import FLAG, TEXT, TIME, WHOLE
from reactivation.policy.arrays import earliest_of, latest_of
from reactivation.policy.timing import PLACE_COLUMNS, TimingRules, next_legal_instant, start_of_day

#: Touches of enrolments that may still go out; ``fixed``: signed for the window it has, which therefore stays.
COURSE = pa.schema([
    ("enrolment_id", TEXT), ("number", WHOLE), ("not_before", TIME), ("not_after", TIME), ("zone", TEXT),
    ("fixed", FLAG),
])  # fmt: skip
#: The last touch of an enrolment that reached the person, or may have, and when.
SENT = pa.schema([("enrolment_id", TEXT), ("number", WHOLE), ("at", TIME)])


def earliest_after(sent_at: pa.Array, zones: pa.Array, days: int | np.ndarray, rules: TimingRules) -> pa.Array:
    """When the wait of ``days`` after a send is over, caps included; null where the send or the zone is unknown."""
    apart = pa.scalar(timedelta(hours=rules.caps.any_hours), pa.duration("us"))
    return latest_of(start_of_day(sent_at, zones, days), pc.add(sent_at, apart))


def moved(course: pa.Table, sent: pa.Table, places: pa.Table, days: Mapping[int, int], rules: TimingRules) -> pa.Table:
    """``course`` (``COURSE``) with the windows as they are after what was ``sent`` (``SENT``), in its order.

    ``places``: enrolment_id and ``PLACE_COLUMNS``; where a person's is unknown a touch moves without being moved on to
    legal hours, which are asked for when it is drafted and sent. ``days``: the playbook's day of each number.
    """
    ids = course["enrolment_id"].unique()
    at, day = _last(sent, ids, days)
    there = places.take(pc.index_in(ids, places["enrolment_id"].combine_chunks())).select(PLACE_COLUMNS)
    before, after = (course[name].combine_chunks() for name in ("not_before", "not_after"))
    starts: list[tuple[pa.Array, pa.Array]] = []
    for number in sorted(days):
        place = _places_of(course, ids, number)
        planned, fixed, zone = (course[name].combine_chunks().take(place) for name in ("not_before", "fixed", "zone"))
        wish = earliest_after(at, zone, days[number] - day, rules)
        late = pc.fill_null(pc.and_(pc.greater(wish, planned), pc.invert(fixed)), False)
        legal = next_legal_instant(pc.if_else(late, wish, None), there, rules)
        start = pc.if_else(late, pc.coalesce(legal, wish), planned)
        starts.append((place, start))
        in_vain = pc.fill_null(
            pc.and_(fixed, pc.greater_equal(wish, course["not_after"].combine_chunks().take(place))), False
        )
        known = pc.and_(pc.is_valid(start), pc.invert(in_vain))
        at = pc.if_else(pc.and_(known, pc.is_valid(at)), latest_of(pc.coalesce(wish, start), start), at)
        day = np.where(known.to_numpy(False), days[number], day)
    return _with_windows(course, before, after, starts)


def _last(sent: pa.Table, ids: pa.Array, days: Mapping[int, int]) -> tuple[pa.Array, np.ndarray]:
    """When each enrolment's last touch was sent, and the day of that touch; a touch the playbook has no more counts as
    of its first day."""
    found = pc.index_in(ids, sent["enrolment_id"].combine_chunks())
    numbers, days_of = pa.array(days.keys(), WHOLE), pa.array(days.values(), WHOLE)
    at = sent["at"].combine_chunks().take(found)
    day = days_of.take(pc.index_in(sent["number"].combine_chunks().take(found), numbers))
    return at, pc.fill_null(day, 0).to_numpy(False)


def _places_of(course: pa.Table, ids: pa.Array, number: int) -> pa.Array:
    """For each enrolment where its row of that number stands in ``course``; null for none."""
    rows = np.flatnonzero(pc.equal(course["number"], number).to_numpy())
    here = course["enrolment_id"].combine_chunks().take(pa.array(rows))
    return pa.array(rows, WHOLE).take(pc.index_in(ids, here))


def _with_windows(
    course: pa.Table, before: pa.Array, after: pa.Array, starts: list[tuple[pa.Array, pa.Array]]
) -> pa.Table:
    """``course`` with the new starts; each window as long as it was, and over where the enrolment's next begins."""
    new_before, new_after = before.to_numpy(False).copy(), after.to_numpy(False).copy()
    following = pa.nulls(len(starts[0][1]) if starts else 0, TIME)
    for place, start in reversed(starts):
        length = pc.subtract(after.take(place), before.take(place))
        end = earliest_of(pc.add(start, length), following)
        held = pc.is_valid(place).to_numpy(False)
        moves = ~pc.fill_null(course["fixed"].combine_chunks().take(place), True).to_numpy(False)
        rows = place.filter(pa.array(moves)).to_numpy(False)
        new_before[rows] = start.filter(pa.array(moves)).to_numpy(False)
        new_after[rows] = end.filter(pa.array(moves)).to_numpy(False)
        following = pc.if_else(pa.array(held), start, following)
    renewed = {"not_before": pa.array(new_before, TIME), "not_after": pa.array(new_after, TIME)}
    return pa.table({name: renewed.get(name, course[name]) for name in course.column_names})
