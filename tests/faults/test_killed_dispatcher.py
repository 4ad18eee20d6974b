"""A dispatcher is killed (SIGKILL) at every point and at random instants; afterwards each touch has gone out once."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from tests.faults.agreeing import each_exactly_once
from tests.faults.killing import POINTS, SPAN, is_killed, noticed, start
from tests.sending import NOW, Ready

from reactivation.steps.dispatch import dispatch

INSTANTS = sorted(random.Random(20261117).sample(range(1, SPAN), 20))  # noqa: S311


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_and_run_again_each_touch_goes_out_once(ready: Ready, point: str) -> None:
    """The same clock, at once: no lease has to run out for the next dispatcher to go on."""
    once_a_batch = POINTS[point][1] not in ("send", "_send", "link")
    process = start(ready.home, ready.url, NOW, point=point, nth=2 if once_a_batch else 3)
    assert is_killed(process), "the dispatcher must have died there"
    assert len(ready.files()) < len(ready.states()), "it must have died in the middle"
    noticed(ready.workspace.ledger)
    dispatch(ready.workspace, NOW)
    each_exactly_once(ready)


@pytest.mark.parametrize("instant", INSTANTS)
def test_killed_at_a_random_instant_and_run_again_each_touch_goes_out_once(ready: Ready, instant: int) -> None:
    """Twenty instants between the first claim and the end, on each database."""
    process = start(ready.home, ready.url, NOW, counted=instant)
    assert is_killed(process), "the dispatcher must have died"
    noticed(ready.workspace.ledger)
    dispatch(ready.workspace, NOW)
    each_exactly_once(ready)


def test_the_span(ready: Ready, tmp_path: Path) -> None:
    """The random instants lie within what a dispatcher does, and cover most of it."""
    counted = tmp_path / "calls"
    process = start(ready.home, ready.url, NOW, count_into=counted)
    process.join(timeout=120)
    assert process.exitcode == 0
    assert SPAN <= int(counted.read_text()) < 1.4 * SPAN


def test_killed_again_and_again(ready: Ready) -> None:
    """Five dispatchers in a row die at different points; the sixth finds what is left."""
    points = ["in the claim, after an intent", "when the message is half written", "when the message has its name",
              "in the transaction that records the outcomes", "when the calls are won"]  # fmt: skip
    for point in points:
        assert is_killed(start(ready.home, ready.url, NOW, point=point, nth=2))
        noticed(ready.workspace.ledger)
    dispatch(ready.workspace, NOW)
    each_exactly_once(ready)


@pytest.mark.parametrize("seed", range(4))
def test_three_at_once_two_of_them_killed(ready: Ready, seed: int) -> None:
    """One goes on beside two that die; whatever these leave is taken up afterwards, at the latest by the next run."""
    chance = random.Random(seed)  # noqa: S311
    instants = [chance.randrange(1, SPAN // 2), chance.randrange(1, SPAN // 2), None]
    processes = [start(ready.home, ready.url, NOW, counted=instant) for instant in instants]
    for process in processes:
        process.join(timeout=200)
    assert processes[-1].exitcode == 0
    noticed(ready.workspace.ledger)
    dispatch(ready.workspace, NOW + timedelta(seconds=1))
    each_exactly_once(ready)


def test_three_at_once_share_the_work(ready: Ready) -> None:
    """Nobody dies, nobody fails, and nothing goes out twice."""
    processes = [start(ready.home, ready.url, NOW) for _ in range(3)]
    for process in processes:
        process.join(timeout=200)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    noticed(ready.workspace.ledger)
    dispatch(ready.workspace, NOW + timedelta(seconds=1))
    each_exactly_once(ready)
