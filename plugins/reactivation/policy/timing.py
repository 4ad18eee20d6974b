"""When a message may reach a person: the next legal instant, and whether an instant is legal.

One row is one recipient. The recipient's clock is a set of zones (address, profile, phone) and a moment must be legal
in all of them; unknown is no. Work is done once per distinct place, never per person.

Source: RULES.md, Timing; ARCHITECTURE.md, invariants 3 and 10.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TIME
from reactivation.policy.public_holidays import days_off
from reactivation.policy.timing_rules import WEEKDAYS, TimingRules, Window

__all__ = [
    "PLACE_COLUMNS", "Places", "TimingRules", "is_legal", "local_time", "next_legal_instant", "recipient_zone",
    "start_of_day",
]  # fmt: skip

#: What a table of recipients must have; other columns are ignored. ``zone_sources`` has "address" among its values
#: when an address gave a zone. Countries are ISO 3166 two-letter codes.
PLACE_COLUMNS = ("zones", "zone_sources", "country", "region", "phone_country")

_NO_PLACE = ("Etc/Unknown", "Factory")
_FIELD, _ITEM = "\x1f", "\x1e"
_MICROSECOND = np.dtype("datetime64[us]")
_NOT_A_TIME = np.datetime64("NaT", "us")
_Answer = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
#: Zones count as one when their offsets agree in every week of one fixed year, so that a row's answer never depends
#: on the batch it is in.
_SAMPLED_WEEKS = pd.date_range("2026-01-07T12:00", periods=52, freq="7D", tz="UTC")


@dataclass(frozen=True)
class Places:
    """The row numbers of each distinct place: recipients who are asked about again and again are grouped once."""

    groups: tuple[tuple[str, np.ndarray], ...]

    @classmethod
    def of(cls, table: pa.Table) -> Places:
        """The places of a table of recipients (``PLACE_COLUMNS``)."""
        return cls(tuple(_groups(_place_keys(table))))


def next_legal_instant(earliest: pa.Array, places: pa.Table | Places, rules: TimingRules) -> pa.Array:
    """The first legal instant at or after each ``earliest`` (UTC microseconds), row by row.

    Null where ``earliest`` is null, the place is unknown, or nothing is legal within ``look_ahead_days``.
    """
    wanted = _as_numpy(earliest)
    latest = wanted + np.timedelta64(rules.look_ahead_days, "D")

    def first_in(rows: np.ndarray, opens: np.ndarray, closes: np.ndarray) -> np.ndarray:
        position = np.searchsorted(closes, wanted[rows], side="right")
        found = np.append(opens, _NOT_A_TIME)[position]
        return np.where(found > wanted[rows], found, np.where(np.isnat(found), _NOT_A_TIME, wanted[rows]))

    result = _by_place(wanted, places, rules, first_in, _NOT_A_TIME)
    result[~(result <= latest)] = _NOT_A_TIME
    return _as_arrow(result)


def is_legal(instants: pa.Array, places: pa.Table | Places, rules: TimingRules) -> pa.Array:
    """Whether each instant (UTC microseconds) is legal at its place; an unknown instant or place is not."""
    asked = _as_numpy(instants)

    def inside(rows: np.ndarray, opens: np.ndarray, closes: np.ndarray) -> np.ndarray:
        position = np.searchsorted(closes, asked[rows], side="right")
        opening: np.ndarray = np.append(opens, _NOT_A_TIME)[position] <= asked[rows]
        return opening

    return pa.array(_by_place(asked, places, rules, inside, np.False_))


def recipient_zone(places: pa.Table) -> pa.Array:
    """The zone a person's calendar is kept in: the first of ``zones``; null where there is none."""
    zones = places["zones"].combine_chunks()
    return pc.list_element(pc.if_else(pc.greater(pc.list_value_length(zones), 0), zones, None), 0)


def local_time(instants: pa.Array, zones: pa.Array) -> pa.Array:
    """The wall clock of each instant in its zone, to the minute, as ``2026-03-03T10:00``; null where unknown."""
    minutes = _walls(instants, zones).astype("datetime64[m]")
    distinct, place = _distinct(minutes)
    texts = pa.array(np.datetime_as_string(distinct), pa.string(), mask=np.isnat(distinct))
    return texts.take(pa.array(place))


def start_of_day(instants: pa.Array, zones: pa.Array, plus_days: int | np.ndarray) -> pa.Array:
    """Local midnight of the day ``plus_days`` after each instant's local day, as an instant; null where unknown.

    ``plus_days`` is one number for all, or one for each row.
    """
    ahead = np.broadcast_to(np.asarray(plus_days, dtype="timedelta64[D]"), len(instants))
    days = _walls(instants, zones).astype("datetime64[D]") + ahead
    result = np.full(len(days), _NOT_A_TIME)
    for zone, rows in _known_zones(zones):
        distinct, place = _distinct(days[rows])
        midnights = _instants_of(pd.DatetimeIndex(distinct.astype(_MICROSECOND)), zone, opening=True)
        result[rows] = _plain(midnights)[place]
    return _as_arrow(result)


def _by_place(
    instants: np.ndarray, places: pa.Table | Places, rules: TimingRules, answer: _Answer, otherwise: np.generic
) -> np.ndarray:
    """``answer(rows, opens, closes)`` for the rows of each distinct place, ``otherwise`` where a place has no hours."""
    result = np.full(len(instants), otherwise)
    known = instants[~np.isnat(instants)]
    if not len(known):
        return result
    # Whole years, so that the hours of a place are worked out once for all the moments of a plan.
    first = (known.min().astype("datetime64[D]") - 2).astype("datetime64[Y]")
    last = (known.max().astype("datetime64[D]") + rules.look_ahead_days + 2).astype("datetime64[Y]")
    grouped = places if isinstance(places, Places) else Places.of(places)
    for place, rows in grouped.groups:
        opens, closes = _legal_hours(place, first, last, rules)
        if len(opens):
            result[rows] = answer(rows, opens, closes)
    result[np.isnat(instants)] = otherwise
    return result


def _place_keys(places: pa.Table) -> pa.ChunkedArray:
    zones, country, region, phone_country = (places[c] for c in ("zones", "country", "region", "phone_country"))
    sources = pc.binary_join(places["zone_sources"], _ITEM)
    has_address = pc.cast(pc.fill_null(pc.match_substring(sources, "address"), False), pa.string())
    return pc.binary_join_element_wise(
        pc.binary_join(zones, _ITEM), has_address, country, region, phone_country, _FIELD,
        null_handling="replace", null_replacement="",
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _legal_hours(
    place: str, first: np.datetime64, last: np.datetime64, rules: TimingRules
) -> tuple[np.ndarray, np.ndarray]:
    """The sorted, disjoint intervals ``[opens, closes)`` in UTC that are legal at the place in those local years."""
    days = np.arange(first.astype("datetime64[D]"), (last + 1).astype("datetime64[D]"))
    joined, has_address, country, region, phone_country = place.split(_FIELD)
    zones = tuple(sorted(set(joined.split(_ITEM))))
    offsets = {zone: _offsets(zone) for zone in zones}
    crowded = len(set(offsets.values())) > rules.zones_without_address and has_address != "true"
    off = days_off(((country, region), (phone_country if phone_country != country else "", "")), days)
    if crowded or off is None or None in offsets.values():
        return days[:0].astype(_MICROSECOND), days[:0].astype(_MICROSECOND)
    open_days = days[np.isin(_weekday(days), [WEEKDAYS.index(d) for d in rules.window.weekdays]) & ~off]
    legal = [_hours(zone, open_days, rules.window) for zone in zones]
    opens, closes = legal[0]
    for other_opens, other_closes in legal[1:]:
        opens, closes = _intersect(opens, closes, other_opens, other_closes)
    return opens, closes


def _weekday(days: np.ndarray) -> np.ndarray:
    result: np.ndarray = (days.astype(np.int64) + 3) % 7  # day 0 of the epoch was a Thursday
    return result


def _hours(zone: str, days: np.ndarray, window: Window) -> tuple[np.ndarray, np.ndarray]:
    dates = pd.DatetimeIndex(days.astype("datetime64[us]"))
    since_midnight = (pd.Timedelta(hours=t.hour, minutes=t.minute) for t in (window.opens, window.closes))
    opens, closes = (dates + offset for offset in since_midnight)
    return _plain(_instants_of(opens, zone, opening=True)), _plain(_instants_of(closes, zone, opening=False))


def _instants_of(walls: pd.DatetimeIndex, zone: str, *, opening: bool) -> pd.DatetimeIndex:
    """Wall clocks as instants; where a clock change makes one doubtful, the narrower window counts."""
    return walls.tz_localize(
        zone,
        ambiguous=np.full(len(walls), not opening),
        nonexistent="shift_forward" if opening else "shift_backward",
    ).tz_convert("UTC")


def _intersect(opens: np.ndarray, closes: np.ndarray, other_opens: np.ndarray,
               other_closes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    first = np.searchsorted(other_closes, opens, side="right")
    behind = np.searchsorted(other_opens, closes, side="left")
    overlaps = np.maximum(behind - first, 0)
    mine = np.repeat(np.arange(len(opens)), overlaps)
    theirs = np.arange(len(mine)) - np.repeat(np.cumsum(overlaps) - overlaps, overlaps) + np.repeat(first, overlaps)
    return np.maximum(opens[mine], other_opens[theirs]), np.minimum(closes[mine], other_closes[theirs])


@cache
def _offsets(zone: str) -> tuple[float, ...] | None:
    """The zone's offsets from UTC over a year, in seconds; ``None`` for what is no zone."""
    if zone in _NO_PLACE:
        return None
    try:
        clock = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return tuple((week.astimezone(clock).utcoffset()).total_seconds() for week in _SAMPLED_WEEKS.to_pydatetime())


def _walls(instants: pa.Array, zones: pa.Array) -> np.ndarray:
    """The wall clock of each instant in its zone; not a time where the instant or the zone is unknown."""
    utc = _as_numpy(instants)
    result = np.full(len(utc), _NOT_A_TIME)
    for zone, rows in _known_zones(zones):
        distinct, place = _distinct(utc[rows])
        result[rows] = _plain(pd.DatetimeIndex(distinct).tz_localize("UTC").tz_convert(zone).tz_localize(None))[place]
    return result


def _known_zones(zones: pa.Array) -> Iterator[tuple[str, np.ndarray]]:
    return ((zone, rows) for zone, rows in _groups(zones) if _offsets(zone) is not None)


def _distinct(moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct moments, and which of them each one is: clocks are slow to read, and a plan has few moments."""
    encoded = pa.array(moments.view(np.int64)).dictionary_encode()
    return encoded.dictionary.to_numpy().view(moments.dtype), encoded.indices.to_numpy()


def _groups(keys: pa.Array | pa.ChunkedArray) -> Iterator[tuple[str, np.ndarray]]:
    """Each distinct key that is not null, with its row numbers."""
    encoded = pa.chunked_array(keys).combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    encoded = encoded.dictionary_encode()
    unknown = len(encoded.dictionary)
    # The smallest kind of number sorts fastest.
    codes = pc.fill_null(encoded.indices, unknown).to_numpy(zero_copy_only=False).astype(np.min_scalar_type(unknown))
    order = np.argsort(codes, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=unknown + 1))])
    for number, key in enumerate(encoded.dictionary.to_pylist()):
        yield key, order[bounds[number] : bounds[number + 1]]


def _as_numpy(instants: pa.Array) -> np.ndarray:
    result: np.ndarray = pc.cast(instants, TIME).to_numpy(zero_copy_only=False).astype(_MICROSECOND)
    return result


def _as_arrow(instants: np.ndarray) -> pa.Array:
    return pa.array(instants, type=pa.timestamp("us"), mask=np.isnat(instants)).cast(TIME)


def _plain(index: pd.DatetimeIndex) -> np.ndarray:
    naive = index.tz_localize(None) if index.tz is not None else index
    result: np.ndarray = naive.to_numpy().astype(_MICROSECOND)
    return result
