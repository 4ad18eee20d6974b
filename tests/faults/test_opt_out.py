"""An opt-out arrives at each point of a send. Committed before the call is won it prevents it, claimed or not; after
that it is recorded as crossed. Either way nothing goes to that person afterwards, and everybody else gets his message.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from tests.fakes.running import Running
from tests.faults.agreeing import send, sendgrid, taken
from tests.faults.killing import BY_HTTP, meanwhile
from tests.sending import NOW, Ready

from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import events
from reactivation.steps.unsubscribe import unsubscribe

PREVENTED = ("when everything is judged", "in the claim, after an intent", "when the claim is committed")
CROSSED = ("in the transaction that wins calls", "when the calls are won", "when a call is answered")

pytestmark = pytest.mark.parametrize("ready", ["postgresql"], indirect=True)


@pytest.fixture
def provider(ready: Ready, tmp_path: Path) -> Iterator[Running]:
    with sendgrid(ready, tmp_path) as fake:
        yield fake


def _wanted(ledger: Ledger) -> bool:
    """Whether somebody waits for the lock of permission: then he has it before any transaction that begins later."""
    waiting = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with ledger.begin() as conn:
        return bool(conn.scalar(waiting))


def _opted_out_at(ready: Ready, provider: Running, monkeypatch: pytest.MonkeyPatch, point: str, touch_id: str) -> None:
    """Everything due is sent while the recipient of a touch uses its link: by the time the dispatcher goes on it is
    committed, or waits for the transaction under way to end."""
    began = time.monotonic()
    own = Ready(ready.home, ready.url)
    committed: list[threading.Thread] = []

    def now() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - began)

    def opted_out() -> None:
        thread = threading.Thread(target=lambda: unsubscribe(own.workspace, touch_id, now()))
        thread.start()
        committed.append(thread)
        while thread.is_alive() and not _wanted(ready.workspace.ledger):
            thread.join(0.01)

    with monkeypatch.context() as patched:
        meanwhile(BY_HTTP[point], 1, opted_out, patched.setattr)
        send(ready, provider, NOW)
    (thread,) = committed
    thread.join()
    own.close()


@pytest.mark.parametrize("point", [*PREVENTED, *CROSSED])
def test_it_prevents_the_call_or_is_recorded_as_crossed(
    ready: Ready, provider: Running, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Everyone who is due is in the one batch it arrives in."""
    touch = next(row for row in ready.rows("touches") if row.number == 1)
    _opted_out_at(ready, provider, monkeypatch, point, touch.touch_id)
    with ready.workspace.ledger.begin() as conn:
        (no,) = conn.execute(select(events).where(events.c.kind == "unsubscribe")).all()
    assert no.crossed is (point in CROSSED)
    assert len(taken(provider)) == len(ready.states()) - (point in PREVENTED)
    sent_to_them = [row.state for row in ready.rows("sends") if row.touch_id == touch.touch_id]
    assert sent_to_them == (["accepted"] if point in CROSSED else [])
    theirs = {row.number: row.state for row in ready.rows("touches") if row.enrolment_id == touch.enrolment_id}
    assert theirs.pop(1) == ("accepted" if point in CROSSED else "cancelled")
    assert set(theirs.values()) == {"cancelled"}
