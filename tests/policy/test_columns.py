"""Whole columns at once: unknown is no, and nobody's row moves."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactivation.contract.tables import TEXT, TEXTS, TIME
from reactivation.policy import columns

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001


def texts(*values: str | None) -> pd.Series:
    return columns.series(pa.array(values, TEXT))


def moments(*values: datetime | None) -> pd.Series:
    return columns.series(pa.array(values, TIME))


def test_choose_takes_the_first_case_that_holds_and_an_unknown_one_does_not() -> None:
    """Cases are asked in order, row by row."""
    conditions = columns.series(pa.array([True, None, False])), columns.series(pa.array([True, True, None]))

    chosen = columns.choose([(conditions[0], "first"), (conditions[1], texts("a", "b", "c"))], "otherwise")

    assert chosen.tolist() == ["first", "b", "otherwise"]


def test_listed_keeps_rows_that_have_nothing() -> None:
    """A row without values is an empty list, not a missing row."""
    assert columns.arrow(columns.listed(texts("x", None, None), texts("y", "z", None))).to_pylist() == [
        ["x", "y"], ["z"], [],
    ]  # fmt: skip


def test_contains_compares_whole_codes() -> None:
    """A code inside another code is not that code."""
    lists = columns.series(pa.array([["hard_bounce", "opt_out"], ["opt_out_by_phone"], [], None], TEXTS))

    assert columns.contains(lists, "opt_out").tolist() == [True, False, False, False]


def test_first_value_of_nothing_is_unknown() -> None:
    """Empty lists and missing ones have no first value."""
    lists = columns.series(pa.array([["a", "b"], [], None], TEXTS))

    assert columns.arrow(columns.first_value(lists)).to_pylist() == ["a", None, None]


def test_the_length_of_nothing_is_none() -> None:
    """Empty lists and missing ones have no values."""
    lists = columns.series(pa.array([["a", "b"], [], None], TEXTS))

    assert columns.lengths(lists).tolist() == [2, 0, 0]


@given(st.lists(st.lists(st.none() | st.sampled_from(["a", "b"]), min_size=3, max_size=3), min_size=1, max_size=8))
def test_listed_is_what_one_would_write_by_hand(rows: list[list[str | None]]) -> None:
    """For any pattern of empty values."""
    listed = columns.listed(*(texts(*column) for column in zip(*rows, strict=True)))

    assert columns.arrow(listed).to_pylist() == [[value for value in row if value is not None] for row in rows]


@given(MOMENTS, MOMENTS)
def test_whole_days_are_rounded_down_and_never_negative(since: datetime, until: datetime) -> None:
    """The same as whole days of a time difference."""
    assert columns.whole_days(moments(since, None), until).tolist()[0] == max((until - since).days, 0)


@given(MOMENTS, st.integers(0, 60))
def test_months_later_is_the_same_day_or_the_last_of_a_shorter_month(moment: datetime, months: int) -> None:
    """By the calendar, with the time of day kept."""
    year, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + year, month + 1
    day = min(moment.day, calendar.monthrange(year, month)[1])

    later = columns.plus_months(columns.instants(moments(moment)), np.asarray([months]))

    assert columns.arrow(columns.as_instants(later)).to_pylist() == [moment.replace(year=year, month=month, day=day)]


@pytest.mark.parametrize(
    ("moment", "months", "expected"),
    [("2026-01-31", 1, "2026-02-28"), ("2028-01-31", 1, "2028-02-29"), ("2026-08-31", 6, "2027-02-28"),
     ("2024-02-29", 24, "2026-02-28"), ("2026-12-31", 6, "2027-06-30"), ("2026-11-30", 24, "2028-11-30")],
)  # fmt: skip
def test_where_the_day_does_not_exist_a_consent_ends_on_the_last_of_the_month(
    moment: str, months: int, expected: str
) -> None:
    """By chance alone such a day seldom comes up."""
    given_on, ends = (datetime.fromisoformat(f"{day}T08:30:00+00:00") for day in (moment, expected))

    later = columns.plus_months(columns.instants(moments(given_on)), np.asarray([months]))

    assert columns.arrow(columns.as_instants(later)).to_pylist() == [ends]


def test_money_is_exact() -> None:
    """Ten-thousandths become amounts without rounding."""
    assert columns.money(np.asarray([12_345, -7, 0])).to_pylist() == [Decimal("1.2345"), Decimal("-0.0007"), Decimal(0)]


def test_later_and_latest_keep_unknown_apart() -> None:
    """The latest of what is known; later than unknown is unknown."""
    now = datetime(2026, 3, 1, tzinfo=UTC)

    assert columns.arrow(columns.latest(moments(now, None), moments(None, None))).to_pylist() == [now, None]
    assert columns.arrow(columns.later(moments(now, None), timedelta(hours=48))).to_pylist() == [
        now + timedelta(hours=48), None,
    ]  # fmt: skip


def test_a_column_that_comes_twice_is_refused() -> None:
    """No column silently hides another."""
    frame = pd.DataFrame({"value_tier": texts("high")})

    with pytest.raises(ValueError, match="value_tier"):
        columns.beside(frame, frame)
