"""A wait is counted from when the touch before was really sent (PLAYBOOKS.md: days are defaults)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reactivation import paths
from reactivation.contract.tables import TEXT, TEXTS, TIME
from reactivation.policy.timing import TimingRules, is_legal
from reactivation.policy.waits import COURSE, SENT, earliest_after, moved

RULES = TimingRules.model_validate(yaml.safe_load((paths.RULES / "timing.yaml").read_text(encoding="utf-8")))
DAYS = {1: 0, 2: 4, 3: 9, 4: 15}
PLACES = pa.schema([
    ("enrolment_id", TEXT), ("zones", TEXTS), ("zone_sources", TEXTS), ("country", TEXT), ("region", TEXT),
    ("phone_country", TEXT),
])  # fmt: skip
LONDON = {"zones": ["Europe/London"], "zone_sources": ["address"], "country": "GB", "region": "ENG"}


def at(day: int, hour: int = 10) -> datetime:
    """An hour of a day of November 2026, whose first is a Sunday."""
    return datetime(2026, 11, 1, hour, tzinfo=UTC) + timedelta(days=day - 1)


def course(*rows: tuple[int, datetime, datetime], fixed: tuple[int, ...] = (), enrolment: str = "e-1") -> pa.Table:
    listed = [
        {"enrolment_id": enrolment, "number": n, "not_before": opens, "not_after": closes, "zone": "Europe/London",
         "fixed": n in fixed}
        for n, opens, closes in rows
    ]  # fmt: skip
    return pa.Table.from_pylist(listed, schema=COURSE)


def sent(number: int, when: datetime, enrolment: str = "e-1") -> pa.Table:
    return pa.Table.from_pylist([{"enrolment_id": enrolment, "number": number, "at": when}], schema=SENT)


def places(*enrolments: str) -> pa.Table:
    return pa.Table.from_pylist([{"enrolment_id": one, **LONDON} for one in enrolments], schema=PLACES)


def windows(rows: pa.Table, told: pa.Table, where: pa.Table | None = None) -> list[tuple[datetime, datetime]]:
    found = moved(rows, told, places("e-1") if where is None else where, DAYS, RULES).to_pylist()
    return [(row["not_before"], row["not_after"]) for row in found]


#: Touches 2, 3 and 4 as planned for a first touch on Tuesday 3 November.
PLANNED = ((2, at(9), at(14)), (3, at(16), at(21)), (4, at(23), at(28)))


class TestMoved:
    def test_a_touch_sent_in_time_moves_nothing(self) -> None:
        """On the planned day, at another hour."""
        assert windows(course(*PLANNED), sent(1, at(3, 16))) == [row[1:] for row in PLANNED]

    def test_nothing_sent_moves_nothing(self) -> None:
        """An unsent touch was not tried."""
        assert windows(course(*PLANNED), SENT.empty_table()) == [row[1:] for row in PLANNED]

    def test_a_late_touch_moves_those_after_it(self) -> None:
        """Sent a week late, on Tuesday the 10th: each waits its days from the one before, moved off the weekends."""
        assert windows(course(*PLANNED), sent(1, at(10, 15))) == [
            (at(16), at(21)), (at(23), at(28)), (at(30), at(35)),
        ]  # fmt: skip

    def test_a_little_late_is_made_up_for_by_a_weekend(self) -> None:
        """Sent on Friday the 6th, touch 2 moves by a day; touch 3 was to be on Monday anyway."""
        assert windows(course(*PLANNED), sent(1, at(6, 15))) == [(at(10), at(15)), *(row[1:] for row in PLANNED[1:])]

    def test_the_wait_is_of_the_touch_really_sent_before(self) -> None:
        """Touch 2 expired unsent and touch 1 went out a week late: touch 3 waits nine days from touch 1."""
        assert windows(course(*PLANNED[1:]), sent(1, at(10))) == [(at(19), at(24)), (at(25), at(30))]

    def test_a_touch_the_playbook_has_no_more_counts_as_of_its_first_day(self) -> None:
        """Touch 8 of another version went out on Tuesday the 10th: touch 2 waits four days from it."""
        assert windows(course(*PLANNED[:1]), sent(8, at(10))) == [(at(16), at(21))]

    def test_what_is_signed_keeps_its_window(self) -> None:
        """And what comes after it waits as if it went out when its own wait is over."""
        found = windows(course((2, at(5), at(12)), (3, at(10), at(15)), fixed=(2,)), sent(1, at(6)))
        assert found == [(at(5), at(12)), (at(16), at(21))]

    def test_a_signed_touch_that_will_expire_moves_nothing(self) -> None:
        """Its window ends before its wait is over: it will not be sent."""
        found = windows(course((2, at(5), at(9)), (3, at(16), at(21)), fixed=(2,)), sent(1, at(6)))
        assert found == [(at(5), at(9)), (at(16), at(21))]

    def test_a_signed_touch_whose_wait_is_over_as_its_window_ends_will_expire(self) -> None:
        """Of touches a day apart each waits 48 hours: sent on Tuesday at 10, the signed one could go on Thursday at 10.
        Its window ends then, so that touch 3 waits from Tuesday; a minute longer, and it waits from Thursday."""
        for minutes, third in ((0, at(12)), (1, at(16))):
            closes = at(12) + timedelta(minutes=minutes)
            rows = course((2, at(5), closes), (3, at(6), at(11)), fixed=(2,))
            found = moved(rows, sent(1, at(10)), places("e-1"), {1: 0, 2: 1, 3: 2}, RULES)
            assert found["not_before"].to_pylist() == [at(5), third]

    def test_a_window_ends_where_the_moved_next_begins(self) -> None:
        """Long windows never overlap."""
        found = windows(course((2, at(9), at(16)), (3, at(16), at(30))), sent(1, at(9)))
        assert found == [(at(13), at(18)), (at(18), at(30) + timedelta(days=2))]

    def test_each_enrolment_is_moved_by_its_own_sends(self) -> None:
        """Two side by side, in the order given."""
        rows = pa.concat_tables([course(PLANNED[0], enrolment="e-2"), course(PLANNED[0])])
        told = pa.concat_tables([sent(1, at(3), "e-2"), sent(1, at(10))])
        found = moved(rows, told, places("e-1", "e-2"), DAYS, RULES).to_pylist()
        assert [(row["enrolment_id"], row["not_before"]) for row in found] == [("e-2", at(9)), ("e-1", at(16))]

    def test_without_a_known_place_the_day_moves_all_the_same(self) -> None:
        """Legal hours are asked for again at the draft and at the send."""
        assert windows(course(PLANNED[0]), sent(1, at(10)), places())[0][0] == at(14, 0)

    @given(st.lists(st.integers(0, 400), min_size=1, max_size=4), st.integers(1, 3))
    def test_moves_keep_every_limit(self, hours: list[int], number: int) -> None:
        """Whenever it was sent: legal, 48 hours and the playbook's days apart, not overlapping, never earlier."""
        told = pa.concat_tables([sent(number, at(2, 11) + timedelta(hours=h), f"e-{n}") for n, h in enumerate(hours)])
        ids = [f"e-{n}" for n in range(len(hours))]
        later = [row for row in PLANNED if row[0] > number]
        rows = pa.concat_tables([course(*later, enrolment=one) for one in ids])
        found = moved(rows, told, places(*ids), DAYS, RULES).to_pylist()
        last = {row["enrolment_id"]: (row["at"], DAYS[number], row["at"]) for row in told.to_pylist()}
        for row, planned in zip(found, later * len(ids), strict=True):
            sent_at, day, closed = last[row["enrolment_id"]]
            zone = pa.array(["Europe/London"])
            assert row["not_before"] >= max(planned[1], closed, sent_at + timedelta(hours=48))
            wait = earliest_after(pa.array([sent_at], TIME), zone, DAYS[row["number"]] - day, RULES)[0].as_py()
            assert wait <= row["not_before"] < row["not_after"]
            assert is_legal(pa.array([row["not_before"]], TIME), places("e"), RULES)[0].as_py()
            last[row["enrolment_id"]] = (row["not_before"], DAYS[row["number"]], row["not_after"])


def test_a_wait_is_over_on_the_recipients_day() -> None:
    """Four days after a Wednesday evening in Auckland, which was Wednesday morning in London; never under 48 hours."""
    zones = pa.array(["Pacific/Auckland"])
    over = earliest_after(pa.array([datetime(2026, 11, 4, 3, tzinfo=UTC)], TIME), zones, 4, RULES)
    assert over.to_pylist() == [datetime(2026, 11, 7, 11, tzinfo=UTC)]
    soon = earliest_after(pa.array([datetime(2026, 11, 4, 3, tzinfo=UTC)], TIME), zones, 1, RULES)
    assert soon.to_pylist() == [datetime(2026, 11, 6, 3, tzinfo=UTC)]
