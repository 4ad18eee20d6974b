"""How fast a provider is called, without a clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledgers import NOW

from reactivation.delivery.pace import Pace, wait_of


def test_places_are_handed_out_one_after_the_other() -> None:
    """Two a second: the first at once, the second half a second later."""
    pace = Pace(per_second=2)
    assert [pace.take(100.0, patience=10) for _ in range(4)] == [0, 0.5, 1.0, 1.5]


def test_a_burst_goes_at_once() -> None:
    """Three at once, then at the pace."""
    pace = Pace(per_second=2, burst=3)
    assert [pace.take(100.0, patience=10) for _ in range(5)] == [0, 0, 0, 0.5, 1.0]


def test_who_will_not_wait_takes_no_place() -> None:
    """He is told how long it would be, and the place stays free for who comes then."""
    pace = Pace(per_second=1)
    pace.take(100.0, patience=0.5)
    assert pace.take(100.0, patience=0.5) == 1.0
    assert pace.take(101.0, patience=0.5) == 0


def test_who_is_to_be_left_alone_gets_nobody() -> None:
    """Until the wait is over; a shorter one later does not end it."""
    pace = Pace(per_second=100)
    pace.leave_alone(100.0, timedelta(seconds=30))
    pace.leave_alone(101.0, timedelta(seconds=1))
    assert pace.take(110.0, patience=1) == 20
    assert pace.take(130.0, patience=1) == 0


@given(
    per_second=st.integers(1, 50),
    burst=st.integers(1, 5),
    steps=st.lists(st.integers(0, 2000), min_size=1, max_size=60),
)
def test_no_second_ever_has_more_than_its_share(per_second: int, burst: int, steps: list[int]) -> None:
    """However calls arrive: in no second start more than the rate and one burst."""
    pace, now, starts = Pace(per_second, burst), 0.0, []
    for step in steps:
        now += step / 1000
        wait = pace.take(now, patience=0.5)
        if wait <= 0.5:
            starts.append(now + wait)
    for start in starts:
        assert sum(start <= other < start + 1 - 1e-6 for other in starts) <= per_second + burst


@pytest.mark.parametrize(("headers", "wait"), [
    ({"Retry-After": "3"}, 3), ({"Retry-After": "0.5"}, 0.5), ({"Retry-After": "-4"}, 0),
    ({"Retry-After": "Tue, 03 Mar 2026 11:01:00 GMT"}, 60), ({"Retry-After": "Tue, 03 Mar 2026 10:00:00 GMT"}, 0),
    ({"Retry-After": "99999999"}, 86_400), ({"Retry-After": "nan"}, None), ({"Retry-After": "inf"}, None),
    ({"X-RateLimit-Reset": str(NOW.timestamp() + 5)}, 5), ({"RateLimit-Reset": "2"}, 2), ({}, None),
])  # fmt: skip
def test_a_wait_is_read_or_it_is_none(headers: dict[str, str], wait: float | None) -> None:
    """Seconds, dates and epochs; never below nothing, never above a day."""
    assert wait_of(headers, NOW) == (None if wait is None else timedelta(seconds=wait))
