"""The clock is set back: between two dispatches, between a claim and its outcome, and beside one that is at work.

A dispatcher asks what time it is once and counts from there on a clock that nobody sets. So what may go wrong is that
the next one, or one beside it, believes it is earlier.
"""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from tests.faults.agreeing import each_exactly_once
from tests.faults.killing import POINTS, is_killed, meanwhile, noticed, start
from tests.sending import NOW, Ready

from reactivation.steps.dispatch import DispatchSummary, dispatch

#: Still within everybody's hours.
EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(minutes=1)


def test_between_two_dispatches(ready: Ready) -> None:
    """What the earlier one sent is not sent again; what it left goes out, at the latest when it is due again."""
    assert dispatch(ready.workspace, NOW, limit=5).accepted == 5
    again = dispatch(ready.workspace, EARLIER).accepted
    assert len(ready.files()) == 5 + again
    dispatch(ready.workspace, LATER)
    each_exactly_once(ready)


def test_between_a_claim_and_its_outcome(ready: Ready) -> None:
    """Whoever died had claimed in what is the future now; it is gone, whatever its lease says."""
    assert is_killed(start(ready.home, ready.url, NOW, point="when the message has its name"))
    noticed(ready.workspace.ledger)
    dispatch(ready.workspace, EARLIER)
    assert {row.state for row in ready.rows("sends")} <= {"accepted"}
    dispatch(ready.workspace, LATER)
    each_exactly_once(ready)


def test_beside_one_that_is_at_work(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease holds: one whose clock is behind takes nothing from it."""
    beside: list[DispatchSummary] = []

    def another() -> None:
        own = Ready(ready.home, ready.url)
        other = threading.Thread(target=lambda: beside.append(dispatch(own.workspace, EARLIER)))
        other.start()
        other.join()
        own.close()

    with monkeypatch.context() as patched:
        meanwhile(POINTS["when the claim is committed"], 1, another, patched.setattr)
        assert dispatch(ready.workspace, NOW).accepted == len(ready.states())
    assert [(one.accepted, one.recovered) for one in beside] == [(0, 0)]
    each_exactly_once(ready)
