"""How much and how fast a stranger may ask, in memory that has a bound."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from reactivation.public.limits import Pace, TooMuch, TooSlow, client_of, read_body


class Clock:
    """Seconds that go by when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class TestPace:
    def test_some_at_once_then_so_many_a_second(self) -> None:
        """And how long it would have to wait."""
        clock = Clock()
        pace = Pace(2, 3, clock=clock)
        assert [pace.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
        assert pace.wait("b") == 0
        clock.now = 0.5
        assert [pace.wait("a") for _ in range(2)] == [0, 0.5]

    def test_whoever_waits_gets_no_more_than_the_burst(self) -> None:
        """However long."""
        clock = Clock()
        pace = Pace(1, 2, clock=clock)
        clock.now = 1e6
        assert [bool(pace.wait("a")) for _ in range(3)] == [False, False, True]

    @given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 2)), max_size=60))
    def test_nobody_is_ever_let_through_faster(self, steps: list[tuple[int, float]]) -> None:
        """In any time, no more than the burst and the rate of that time."""
        clock = Clock()
        pace, passed = Pace(1, 4, clock=clock), [0, 0, 0, 0]
        for who, later in steps:
            clock.now += later
            passed[who] += not pace.wait(str(who))
            assert passed[who] <= 4 + clock.now + 1e-6

    def test_it_remembers_so_many_and_no_more(self) -> None:
        """The one that has been away longest is forgotten."""
        pace = Pace(0.001, 1, at_most=3, clock=Clock())
        for who in "abcad":
            pace.wait(who)
        assert len(pace) == 3
        assert [bool(pace.wait(who)) for who in ("a", "d", "b")] == [True, True, False]


@pytest.mark.parametrize(("one", "other", "same"), [
    ("203.0.113.7", "203.0.113.8", False),
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
    ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    ("::ffff:203.0.113.7", "203.0.113.7", True),
    ("testclient", "testclient", True),
])  # fmt: skip
def test_a_client_is_an_address_or_a_network(one: str, other: str, same: bool) -> None:
    """An IPv6 network is one client, since all its addresses are its owner's."""
    clients = [client_of(Request({"type": "http", "client": (host, 1), "headers": []})) for host in (one, other)]
    assert (clients[0] == clients[1]) is same


class TestBody:
    def test_it_is_read_to_its_limit(self) -> None:
        """One byte more is too much, whatever length is told."""
        assert _read([b"ab", b"cd"], longest=4) == b"abcd"
        with pytest.raises(TooMuch):
            _read([b"ab", b"cde"], longest=4)
        with pytest.raises(TooMuch):
            _read([], longest=4, told="5")

    @pytest.mark.parametrize("told", ["-1", "x", "1e9", ""])
    def test_a_length_that_is_none_is_not_believed(self, told: str) -> None:
        """What comes is counted."""
        with pytest.raises(TooMuch):
            _read([b"abcde"], longest=4, told=told)

    def test_who_does_not_go_on_is_left(self) -> None:
        """After its time; so is who leaves."""
        with pytest.raises(TooSlow):
            _read([b"a"], longest=4, within=0.01, ends=False)
        with pytest.raises(TooSlow):
            _read([b"a"], longest=4, leaves=True)


def _read(
    parts: list[bytes], *, longest: int, told: str | None = None, within: float = 5, ends: bool = True,
    leaves: bool = False,
) -> bytes:  # fmt: skip
    async def read() -> bytes:
        messages: Iterator[MutableMapping[str, Any]] = iter(
            [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        )

        async def receive() -> MutableMapping[str, Any]:
            for message in messages:
                return message
            if leaves:
                return {"type": "http.disconnect"}
            if not ends:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": b"", "more_body": False}

        headers = [] if told is None else [(b"content-length", told.encode())]
        return await read_body(Request({"type": "http", "headers": headers}, receive), longest=longest, within=within)

    return asyncio.run(read())
