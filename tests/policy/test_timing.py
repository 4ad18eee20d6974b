"""When a message may reach a person (RULES.md, Timing)."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from reactivation import paths
from reactivation.contract.tables import TIME
from reactivation.policy.timing import (
    TimingRules,
    is_legal,
    local_time,
    next_legal_instant,
    recipient_zone,
    start_of_day,
)  # fmt: skip
from reactivation.policy.timing_rules import Weekday, Window

DECLARED = yaml.safe_load((paths.RULES / "timing.yaml").read_text(encoding="utf-8"))
RULES = TimingRules.model_validate(DECLARED)

Place = dict[str, Any]

PLACES: tuple[Place, ...] = (
    {"zones": ["Europe/London"], "country": "GB", "region": "ENG"},
    {"zones": ["Europe/Berlin", "Europe/London"], "country": "DE", "region": "Bavaria"},
    {"zones": ["America/New_York"], "country": "US", "region": "US-NY"},
    {"zones": ["America/Los_Angeles", "America/New_York"], "country": "US", "region": "CA"},
    {"zones": ["Australia/Lord_Howe"], "country": "AU", "region": "NSW"},
    {"zones": ["Pacific/Auckland", "Pacific/Honolulu"], "country": "NZ", "region": "AUK"},
    {"zones": ["America/Toronto"], "country": "CA", "region": "ON", "phone_country": "US"},
    {"zones": ["Africa/Casablanca"], "country": "MA", "region": None},
)

#: Clocks of every kind: half hours and quarters, a change of half an hour, changes at midnight, on a Thursday or in
#: Ramadan, none at all, and both sides of the date line.
ZONES = [
    "Africa/Cairo", "Africa/Casablanca", "Africa/Johannesburg", "America/Anchorage", "America/Asuncion",
    "America/Chicago", "America/Denver", "America/Havana", "America/Los_Angeles", "America/Mexico_City",
    "America/New_York", "America/Nuuk", "America/Phoenix", "America/Santiago", "America/Sao_Paulo", "America/St_Johns",
    "America/Toronto", "Antarctica/Troll", "Asia/Beirut", "Asia/Gaza", "Asia/Jerusalem", "Asia/Kathmandu",
    "Asia/Kolkata", "Asia/Tokyo", "Atlantic/Azores", "Atlantic/Canary", "Australia/Adelaide", "Australia/Eucla",
    "Australia/Lord_Howe", "Australia/Sydney", "Europe/Berlin", "Europe/Chisinau", "Europe/Dublin", "Europe/Lisbon",
    "Europe/London", "Europe/Madrid", "Europe/Paris", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Easter",
    "Pacific/Honolulu", "Pacific/Kiritimati", "Pacific/Marquesas", "Pacific/Norfolk",
]  # fmt: skip
COUNTRIES = [
    "AT", "AU", "BR", "CA", "CH", "CL", "DE", "EG", "ES", "FR", "GB", "IE", "IL", "IN", "IT", "JP", "MA", "MX", "NL",
    "NO", "NZ", "PL", "PT", "SE", "US", "ZA",
]  # fmt: skip
DAYS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(365 + 365 + 366)]

INSTANTS = st.integers(0, 3 * 366 * 24 * 3600).map(lambda second: at("2026-01-01") + timedelta(seconds=second))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def places(*rows: Place) -> pa.Table:
    full = [{"zone_sources": ["address"], "country": "GB", "region": "ENG", "phone_country": None, **r} for r in rows]
    texts = pa.list_(pa.string())
    return pa.Table.from_pylist(full, schema=pa.schema([
        ("zones", texts), ("zone_sources", texts), ("country", pa.string()), ("region", pa.string()),
        ("phone_country", pa.string()),
    ]))  # fmt: skip


def next_for(earliest: str, **place: object) -> datetime | None:
    return next_legal_instant(pa.array([at(earliest)], TIME), places(place), RULES)[0].as_py()


def legal_at(instant: str, **place: object) -> bool:
    return is_legal(pa.array([at(instant)], TIME), places(place), RULES)[0].as_py()


@cache
def calendar_of(country: str, region: str | None, year: int) -> holidays.HolidayBase:
    return holidays.country_holidays(country, subdiv=region, years=year)


def everywhere_in(country: str) -> list[tuple[str, str | None]]:
    return [(country, None), *((country, part) for part in holidays.country_holidays(country).subdivisions)]


@cache
def holidays_of(country: str, region: str | None, phone_country: str | None, day: date) -> bool:
    """The oracle: a person's public holidays, asked of the library one day at a time. It names regions in the country's
    own words: an English name is not known, and an unknown region is every region."""
    region = {"Bavaria": None, "US-NY": "NY"}.get(region or "", region)
    asked = [(country, region)] if region else everywhere_in(country)
    if phone_country and phone_country != country:
        asked += everywhere_in(phone_country)
    return any(day in calendar_of(*one, day.year) for one in asked)


def plainly_legal(instant: datetime, place: Place) -> bool:
    """The oracle: the rule of RULES.md, read off the wall clock of every zone."""
    walls = [instant.astimezone(ZoneInfo(zone)) for zone in place["zones"]]
    where = (place["country"], place["region"], place.get("phone_country"))
    return all(w.weekday() < 5 and 10 <= w.hour < 17 and not holidays_of(*where, w.date()) for w in walls)


def somebody(chance: random.Random) -> Place:
    """A person by chance: one to four clocks, mostly neighbours, a country, and perhaps a region and a phone."""
    ordered = sorted(ZONES, key=lambda zone: DAYS[0].astimezone(ZoneInfo(zone)).utcoffset())
    first, many = chance.randrange(len(ZONES)), chance.choice([1, 1, 2, 3, 4])
    near = ordered[max(0, first - 5) : first + 6]
    country = chance.choice(COUNTRIES)
    return {
        "zones": chance.sample(chance.choice([near, near, near, ZONES]), k=many), "country": country,
        "region": chance.choice([None, *holidays.country_holidays(country).subdivisions]),
        "phone_country": chance.choice([None, country, chance.choice(COUNTRIES)]),
    }  # fmt: skip


def moments_of(place: Place, chance: random.Random) -> list[datetime]:
    """Three by chance on every date of 2026-2028, and every quarter of an hour of the days when a clock changes."""
    anywhen = [day + timedelta(seconds=chance.randrange(86_400)) for day in DAYS for _ in range(3)]
    changes = [
        day for day in DAYS for zone in map(ZoneInfo, place["zones"])
        if day.astimezone(zone).utcoffset() != (day + timedelta(days=1)).astimezone(zone).utcoffset()
    ]  # fmt: skip
    return anywhen + [day + timedelta(minutes=15 * number) for day in changes for number in range(-48, 144)]


class TestEveryDate:
    """The found instant is legal everywhere, and nothing legal was passed over."""

    @pytest.mark.parametrize("place", PLACES, ids=lambda p: "+".join(p["zones"]))
    def test_every_day_of_three_years_finds_a_legal_instant(self, place: Place) -> None:
        """From midnight UTC of each day of 2026-2028, clock changes included, the instant found is legal."""
        starts = [at("2026-01-01") + timedelta(days=d) for d in range(3 * 365 + 1)]
        table = places(*[place] * len(starts))
        found = next_legal_instant(pa.array(starts, TIME), table, RULES)
        assert found.null_count == 0
        assert pc.all(is_legal(found, table, RULES)).as_py()
        instants = found.to_pylist()
        assert all(plainly_legal(i, place) for i in set(instants))
        assert all(i >= s for i, s in zip(instants, starts, strict=True))

    @pytest.mark.parametrize("seed", range(48))
    def test_what_is_allowed_is_legal_by_every_clock_of_anybody(self, seed: int) -> None:
        """On every date of 2026-2028, by ``zoneinfo`` and ``holidays``: any instant asked about, and the one found."""
        chance = random.Random(seed)  # noqa: S311  (nothing secret)
        place = somebody(chance)
        moments = moments_of(place, chance)
        table = places(*[place] * len(moments))
        allowed = is_legal(pa.array(moments, TIME), table, RULES).to_pylist()
        found = next_legal_instant(pa.array(moments, TIME), table, RULES).to_pylist()

        assert allowed == [plainly_legal(moment, place) for moment in moments], place
        assert all(plainly_legal(moment, place) for moment in set(found) - {None}), place

    @given(st.sampled_from(PLACES), INSTANTS)
    @settings(max_examples=60, deadline=None)
    def test_nothing_legal_lies_before_the_instant_found(self, place: Place, instant: datetime) -> None:
        """Every quarter of an hour between the wish and the instant found is illegal by the plain rule."""
        found = next_legal_instant(pa.array([instant], TIME), places(place), RULES)[0].as_py()
        passed_over = [instant + timedelta(minutes=15 * n) for n in range((found - instant) // timedelta(minutes=15))]
        assert plainly_legal(found, place)
        assert not any(plainly_legal(earlier, place) for earlier in passed_over)

    @given(st.sampled_from(PLACES), INSTANTS)
    @settings(max_examples=150, deadline=None)
    def test_legal_means_what_the_wall_clocks_say(self, place: Place, instant: datetime) -> None:
        """``is_legal`` agrees with the plain rule at any instant."""
        assert is_legal(pa.array([instant], TIME), places(place), RULES)[0].as_py() == plainly_legal(instant, place)

    @given(st.lists(st.tuples(st.sampled_from(PLACES), st.integers(0, 3 * 365 * 24 * 60)), min_size=1, max_size=12))
    @settings(max_examples=30, deadline=None)
    def test_a_row_does_not_depend_on_its_batch(self, rows: list[tuple[Place, int]]) -> None:
        """One row alone gets what it gets among others."""
        starts = [at("2026-01-01") + timedelta(minutes=m) for _, m in rows]
        together = next_legal_instant(pa.array(starts, TIME), places(*[p for p, _ in rows]), RULES).to_pylist()
        alone = [
            next_legal_instant(pa.array([s], TIME), places(p), RULES)[0].as_py()
            for s, (p, _) in zip(starts, rows, strict=True)
        ]
        assert together == alone


class TestWindow:
    """Mon-Fri 10:00-17:00 by the recipient's clock."""

    def test_ten_is_inside_and_seventeen_is_outside(self) -> None:
        """The window is half open."""
        assert legal_at("2026-02-03T10:00", zones=["Europe/London"])
        assert not legal_at("2026-02-03T09:59:59.999999", zones=["Europe/London"])
        assert legal_at("2026-02-03T16:59:59.999999", zones=["Europe/London"])
        assert not legal_at("2026-02-03T17:00", zones=["Europe/London"])

    def test_an_instant_inside_the_window_is_kept(self) -> None:
        """A legal wish is granted as it is, to the microsecond."""
        assert next_for("2026-02-03T11:17:03.000004", zones=["Europe/London"]) == at("2026-02-03T11:17:03.000004")

    def test_friday_evening_waits_for_monday(self) -> None:
        """Weekends are never legal."""
        assert next_for("2026-02-06T17:00", zones=["Europe/London"]) == at("2026-02-09T10:00")

    def test_the_clock_change_moves_the_window_in_utc(self) -> None:
        """London's window opens at 10:00 UTC in winter and at 09:00 UTC from 30 March 2026."""
        assert next_for("2026-03-27T18:00", zones=["Europe/London"]) == at("2026-03-30T09:00")
        assert next_for("2026-03-26T18:00", zones=["Europe/London"]) == at("2026-03-27T10:00")

    def test_two_zones_share_only_their_common_hours(self) -> None:
        """Los Angeles and New York have 13:00-17:00 New York time in common."""
        zones = ["America/Los_Angeles", "America/New_York"]
        assert next_for("2026-02-03T00:00", zones=zones, country="US", region="NY") == at("2026-02-03T18:00")
        assert not legal_at("2026-02-03T22:00", zones=zones, country="US", region="NY")


class TestHolidays:
    """No public holiday of the country, or of the region."""

    def test_a_regional_holiday_counts_in_its_region_only(self) -> None:
        """Epiphany (Tuesday 6 January 2026) is off in Bavaria and a working day in Berlin."""
        assert not legal_at("2026-01-06T11:00", zones=["Europe/Berlin"], country="DE", region="BY")
        assert legal_at("2026-01-06T11:00", zones=["Europe/Berlin"], country="DE", region="BE")

    @pytest.mark.parametrize("region", [None, "Middle-earth"])
    def test_an_unknown_region_has_every_regions_holidays(self, region: str | None) -> None:
        """Not knowing the region closes the day that any region has off."""
        assert not legal_at("2026-01-06T11:00", zones=["Europe/Berlin"], country="DE", region=region)

    @pytest.mark.parametrize("region", ["SCT", "Scotland", "scotland", "GB-SCT"])
    def test_a_region_is_read_by_code_or_name(self, region: str | None) -> None:
        """2 January 2026 is a holiday in Scotland, not in England."""
        assert not legal_at("2026-01-02T11:00", zones=["Europe/London"], region=region)
        assert legal_at("2026-01-02T11:00", zones=["Europe/London"], region="England")

    def test_the_phones_country_counts_too(self) -> None:
        """A Canadian address with a US phone rests on Thanksgiving Thursday, 26 November 2026."""
        place = {"zones": ["America/Toronto"], "country": "CA", "region": "ON"}
        assert legal_at("2026-11-26T16:00", **place)
        assert not legal_at("2026-11-26T16:00", **place, phone_country="US")

    def test_the_phones_country_adds_nothing_at_home(self) -> None:
        """A British phone at an English address does not bring Scotland's holidays."""
        assert legal_at("2026-01-02T11:00", zones=["Europe/London"], phone_country="GB")


class TestUnknownIsNo:
    """A person whose clock or calendar is not known gets nothing."""

    @pytest.mark.parametrize("place", [
        {"zones": None},
        {"zones": []},
        {"zones": ["Etc/Unknown"]},
        {"zones": ["Europe/London", "Etc/Unknown"]},
        {"zones": ["Europe/Londres"]},
        {"zones": ["../etc/passwd"]},
        {"zones": ["Europe"]},
        {"zones": ["Europe/London"], "country": None},
        {"zones": ["Europe/London"], "country": "XX"},
        {"zones": ["Europe/London"], "phone_country": "XX"},
        {"zones": ["Asia/Tokyo", "America/New_York"], "country": "JP", "region": None},
    ], ids=str)  # fmt: skip
    def test_no_instant_is_ever_found(self, place: Place) -> None:
        """No zone, no known zone, no known country, or no hour in common."""
        assert next_for("2026-02-03T00:00", **place) is None
        assert not any(legal_at(f"2026-02-03T{hour:02}:30", **place) for hour in range(24))

    def test_a_missing_wish_finds_nothing(self) -> None:
        """A null instant is neither legal nor moved."""
        nothing = pa.array([None], TIME)
        table = places({"zones": ["Europe/London"]})
        assert next_legal_instant(nothing, table, RULES).to_pylist() == [None]
        assert is_legal(nothing, table, RULES).to_pylist() == [False]

    def test_no_rows_are_no_answer(self) -> None:
        """An empty table gives an empty answer."""
        assert len(next_legal_instant(pa.array([], TIME), places(), RULES)) == 0

    def test_five_zones_need_an_address(self) -> None:
        """A toll-free number alone does not tell where a person is; an address among the sources does."""
        zones = ["America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Phoenix"]
        place = {"zones": zones, "country": "US", "region": "NY"}
        assert next_for("2026-02-03T00:00", **place, zone_sources=["phone"]) is None
        assert next_for("2026-02-03T00:00", **place, zone_sources=["address", "phone"]) == at("2026-02-03T18:00")

    def test_zones_with_equal_offsets_count_once(self) -> None:
        """Six names of London's clock are one zone."""
        zones = [f"Europe/{n}" for n in ("London", "Guernsey", "Isle_of_Man", "Jersey", "Belfast", "Lisbon")]
        assert next_for("2026-02-03T00:00", zones=zones, zone_sources=["phone"]) == at("2026-02-03T10:00")


class TestLocalClock:
    """What a person's own clock and calendar say."""

    def test_the_local_time_is_the_first_zones(self) -> None:
        """The zone is the first one, the clock is written to the minute."""
        table = places({"zones": ["Europe/Berlin", "Europe/London"]}, {"zones": []}, {"zones": ["Etc/Unknown"]})
        zones = recipient_zone(table)
        assert zones.to_pylist() == ["Europe/Berlin", None, "Etc/Unknown"]
        instants = pa.array([at("2026-07-01T08:30:59")] * 3, TIME)
        assert local_time(instants, zones).to_pylist() == ["2026-07-01T10:30", None, None]

    @pytest.mark.parametrize(("instant", "days", "midnight"), [
        ("2026-03-27T10:00", 4, "2026-03-30T22:00"),
        ("2026-10-23T21:59", 2, "2026-10-24T22:00"),
        ("2026-10-23T22:01", 2, "2026-10-25T23:00"),
    ])  # fmt: skip
    def test_days_are_counted_on_the_local_calendar(self, instant: str, days: int, midnight: str) -> None:
        """Berlin's midnight after so many local days, across both clock changes."""
        found = start_of_day(pa.array([at(instant)], TIME), pa.array(["Europe/Berlin"]), days)
        assert found.to_pylist() == [at(midnight)]

    def test_a_midnight_that_does_not_exist_starts_the_day_late(self) -> None:
        """Beirut's clocks jump at midnight of 29 March 2026: the day begins at 01:00."""
        found = start_of_day(pa.array([at("2026-03-28T10:00")], TIME), pa.array(["Asia/Beirut"]), 1)
        assert found.to_pylist() == [at("2026-03-28T22:00")]


def as_window(opens: str, closes: str, *weekdays: str) -> dict[str, object]:
    return {"opens": opens, "closes": closes, "weekdays": list(weekdays)}


#: The table of RULES.md, Timing, written out: from which hour to which a message is legal at a place.
HOURS = {
    "US": (8, 21),
    **dict.fromkeys(
        ["US-FL", "US-OK", "US-MD", "US-OR", "US-NJ", "US-WA", "US-AL", "US-LA", "US-MS", "US-MA", "US-WY"], (8, 20)
    ),
    **dict.fromkeys(["US-CT", "US-IN", "US-NV"], (9, 20)),
    "US-KY": (10, 21), "US-RI": (9, 18), "US-ME": (9, 17), "US-TX": (8, 21), "US-SD": (8, 21), "US-UT": (8, 21),
    "FR": (0, 24),
}  # fmt: skip
NO_SUNDAY = ("US-AL", "US-LA", "US-MS", "US-SD", "US-UT", "US-RI", "US-ME", "FR")


def law(place: str, weekday: str) -> tuple[int, int]:
    """The same with what differs at the weekend; from 0 to 0 where no hour is legal."""
    if (weekday == "sun" and place in NO_SUNDAY) or (weekday == "sat" and place == "US-ME"):
        return 0, 0
    return (12, 21) if (place, weekday) == ("US-TX", "sun") else HOURS[place]


class TestLegalHours:
    """The state and country table: why the default window needs no look into it."""

    @pytest.mark.parametrize("place", HOURS)
    @pytest.mark.parametrize("weekday", ["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
    def test_the_rows_say_what_the_law_says(self, place: str, weekday: Weekday) -> None:
        """Hour by hour but for the last of the day, for every place with a row and every weekday."""
        rows = [row for row in RULES.legal_hours if {place, place[:2]} & set(row.places)]
        allowed = [
            hour for hour in range(23)
            if all(row.allow(Window(opens=time(hour), closes=time(hour + 1), weekdays=(weekday,))) for row in rows)
        ]  # fmt: skip
        assert allowed == list(range(*law(place, weekday)))[:23]

    def test_no_row_is_of_another_place(self) -> None:
        """What the table knows is what is written out above."""
        assert {place for row in RULES.legal_hours for place in row.places} == set(HOURS)

    @pytest.mark.parametrize("weekday", RULES.window.weekdays)
    def test_the_default_window_is_inside_every_row(self, weekday: str) -> None:
        """That is why nobody's state is looked up: what the default allows is legal wherever a person may be."""
        opens, closes = RULES.window.opens.hour, RULES.window.closes.hour
        assert (opens, closes) == (10, 17)
        assert all(law(place, weekday)[0] <= opens and closes <= law(place, weekday)[1] for place in HOURS)
        assert all(row.allow(RULES.window) for row in RULES.legal_hours)

    def test_nothing_wider_would_be(self) -> None:
        """An hour earlier, an hour later, or a day of the weekend: each is refused by some row."""
        wider = [(9, 17, "mon"), (10, 18, "mon"), (10, 17, "sat"), (10, 17, "sun")]
        for opens, closes, weekday in wider:
            window = Window.model_validate({"opens": time(opens), "closes": time(closes), "weekdays": [weekday]})
            assert not all(row.allow(window) for row in RULES.legal_hours)


class TestRules:
    """A rules file may tighten the default, never widen it."""

    @pytest.mark.parametrize(("window", "row"), [
        (("09:59", "17:00", "mon"), r"US-KY on mon, tue"),
        (("10:00", "17:01", "mon"), r"US-ME on mon, tue, wed, thu, fri \["),
        (("10:00", "17:00", "mon", "sat"), r"US-ME on sat, sun \["),
        (("10:00", "17:00", "sun"), r"US-ME on sat, sun; of US-TX on sun; of US-AL, .*US-RI on sun; of FR on sun \["),
        (("08:00", "21:00", "fri"), r"US-FL, .*; of US-CT, .*; of US-KY .*; of US-RI .*; of US-ME on mon"),
        (("07:59", "10:30", "tue"), r"US on mon"),
    ], ids=str)  # fmt: skip
    def test_a_window_wider_than_the_law_is_refused_with_the_row(self, window: tuple[str, ...], row: str) -> None:
        """Whose law it is, and on which weekdays; with the line of the window when the rules are read."""
        with pytest.raises(ValidationError, match=rf"is wider than the legal hours of (.*; of )?{row}"):
            TimingRules.model_validate({**DECLARED, "window": as_window(*window)})

    @pytest.mark.parametrize("window", [
        ("09:59", "17:00", "mon"), ("10:00", "17:01", "mon"), ("10:00", "17:00", "mon", "sat"),
    ], ids=str)  # fmt: skip
    def test_rows_that_allow_more_widen_nothing(self, window: tuple[str, ...]) -> None:
        """Only a signed setting may widen the window, whatever stands in the table."""
        everything = [{"places": ["US"], "opens": "00:00", "closes": "23:59"}]
        with pytest.raises(ValidationError, match="wider than Mon-Fri 10:00-17:00"):
            TimingRules.model_validate({**DECLARED, "legal_hours": everything, "window": as_window(*window)})

    @pytest.mark.parametrize(("closes", "row"), [("12:00", {}), ("17:00", {"opens": "10:00"}), ("17:00", {
        "opens": "20:00", "closes": "08:00",
    })], ids=str)  # fmt: skip
    def test_hours_that_are_none_are_refused(self, closes: str, row: dict[str, str]) -> None:
        """A window or a row opens before it closes, and a row has both or neither."""
        changed = {"window": as_window("12:00", closes, "mon"), "legal_hours": [{"places": ["FR"], **row}]}
        with pytest.raises(ValidationError, match=r"no time at all|the hours of FR on mon"):
            TimingRules.model_validate({**DECLARED, **changed})

    @pytest.mark.parametrize("opens", ["10:00Z", "10:00+01:00", "10:00:30", "10:00:00.5"])
    def test_a_window_is_of_wall_clocks_to_the_minute(self, opens: str) -> None:
        """One in a zone is nobody's wall clock, and seconds would be dropped."""
        with pytest.raises(ValidationError, match="expected a recipient's wall clock to the minute"):
            TimingRules.model_validate({**DECLARED, "window": as_window(opens, "17:00", "mon")})

    def test_a_narrower_window_is_obeyed(self) -> None:
        """Tuesdays, 11:00-12:00."""
        narrow = {**DECLARED, "window": {"opens": "11:00", "closes": "12:00", "weekdays": ["tue"]}}
        table = places({"zones": ["Europe/London"]})
        found = next_legal_instant(pa.array([at("2026-02-03T12:00")], TIME), table, TimingRules.model_validate(narrow))
        assert found.to_pylist() == [at("2026-02-10T11:00")]
