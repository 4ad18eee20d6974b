"""Intents, calls and outcomes: at most one send per touch, whoever dies."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from tests.ledgers import NOW, a_send, add_touch, begin, enrol

from reactivation.ledger import enrolments, sends
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import audit, measurement_events, offer_codes, touches
from reactivation.ledger.tables import sends as rows
from reactivation.ledger.together import answer
from reactivation.ledger.touches import touches_of


@pytest.fixture
def touch_ids(ledger: Ledger) -> list[str]:
    """Three due, signed touches of three customers."""
    with ledger.begin() as conn:
        begin(conn)
        return [
            add_touch(conn, enrol(conn, customer), customer, not_before=NOW - timedelta(hours=hours))
            for customer, hours in (("C001", 3), ("C002", 2), ("C003", 1))
        ]


def _reserve(ledger: Ledger, worker: str = "w", **how: Any) -> list[str]:
    with ledger.begin() as conn:
        found = sends.reserve(conn, worker=worker, gone=how.pop("gone", ()), now=NOW, limit=how.pop("limit", 25), **how)
        return [touch.touch_id for touch in found]


def _intend(ledger: Ledger, touch_id: str, worker: str = "w") -> str:
    row = a_send(touch_id, "C001", worker)
    with ledger.begin() as conn:
        sends.intend(conn, [row])
    return str(row["send_id"])


def _touch(ledger: Ledger, touch_id: str) -> tuple[str, str | None]:
    with ledger.begin() as conn:
        row = conn.execute(select(touches.c.state, touches.c.reason).where(touches.c.touch_id == touch_id)).one()
        return row.state, row.reason


def test_the_oldest_due_touches_are_reserved_once(ledger: Ledger, touch_ids: list[str]) -> None:
    """A second dispatcher gets the rest; one that is gone holds nothing."""
    assert _reserve(ledger, "first", limit=2) == touch_ids[:2]
    assert _reserve(ledger, "second") == touch_ids[2:]
    assert _reserve(ledger, "third") == []
    with ledger.begin() as conn:
        assert sends.reservers(conn) == {"first", "second"}
    assert _reserve(ledger, "third", gone={"first"}) == touch_ids[:2]
    with ledger.begin() as conn:
        sends.let_go(conn, "third")
    with ledger.begin() as conn:
        first = touches_of(conn, touch_ids[:1])[0]
    assert _reserve(ledger, "fourth", after=first) == [touch_ids[1]]
    assert _reserve(ledger, "fifth", only=touch_ids[:2]) == [touch_ids[0]]


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "listed"}, {"state": "held"}, {"state": "claimed"}, {"state": "accepted"},
        {"not_before": NOW + timedelta(seconds=1)}, {"not_before": NOW - timedelta(days=9), "not_after": NOW},
    ],
)  # fmt: skip
def test_only_signed_touches_inside_their_window_are_due(ledger: Ledger, changes: dict[str, Any]) -> None:
    """Not a second before, not a second after, and in no other state."""
    with ledger.begin() as conn:
        begin(conn)
        add_touch(conn, enrol(conn, "C001"), "C001", **changes)
    assert _reserve(ledger) == []


def test_touches_of_an_ended_enrolment_are_not_due(ledger: Ledger, touch_ids: list[str]) -> None:
    """Neither reserved nor locked for a claim, even if the touch still says signed."""
    assert _reserve(ledger) == touch_ids
    with ledger.begin() as conn:
        one = conn.scalar(select(touches.c.enrolment_id).where(touches.c.touch_id == touch_ids[0]))
        enrolments.end_enrolment(conn, str(one), reason="opted_out", actor="x", now=NOW)
        conn.execute(touches.update().where(touches.c.touch_id == touch_ids[0]).values(state="signed", reserved_by="w"))
        assert answer(conn, sends.claimable(ledger.dialect, touch_ids, "w")) == set(touch_ids[1:])
        assert answer(conn, sends.claimable(ledger.dialect, touch_ids, "another")) == set()


def test_a_touch_has_one_send(ledger: Ledger, touch_ids: list[str]) -> None:
    """The second intent is refused by the database itself."""
    _intend(ledger, touch_ids[0])
    assert _touch(ledger, touch_ids[0]) == ("claimed", None)
    with pytest.raises(IntegrityError):
        _intend(ledger, touch_ids[0], "another")


def test_one_dispatcher_wins_the_call(ledger: Ledger, touch_ids: list[str]) -> None:
    """Its own intent, once; a stranger's never; one taken back never."""
    send_id = _intend(ledger, touch_ids[0])
    with ledger.begin() as conn:
        assert not sends.win_calls(conn, [send_id], worker="another", now=NOW)
        assert sends.win_calls(conn, [send_id], worker="w", now=NOW)
        assert not sends.win_calls(conn, [send_id], worker="w", now=NOW)
    other = _intend(ledger, touch_ids[1])
    with ledger.begin() as conn:
        found = next(s for s in sends.unfinished(conn, ["intent"]) if s.send_id == other)
        assert sends.take_back(conn, [found], reason="dispatcher_gone", now=NOW)
        assert not sends.win_calls(conn, [other], worker="w", now=NOW)


def test_an_intent_never_called_can_be_taken_back_and_intended_again(ledger: Ledger, touch_ids: list[str]) -> None:
    """The touch is signed as before; a call that was won cannot be taken back."""
    _intend(ledger, touch_ids[0])
    with ledger.begin() as conn:
        (left,) = sends.unfinished(conn)
        assert sends.take_back(conn, [left], reason="dispatcher_gone", now=NOW)
        assert not sends.take_back(conn, [left], reason="dispatcher_gone", now=NOW)
    assert _touch(ledger, touch_ids[0]) == ("signed", None)
    send_id = _intend(ledger, touch_ids[0], "another")
    with ledger.begin() as conn:
        sends.win_calls(conn, [send_id], worker="another", now=NOW)
        (called,) = sends.unfinished(conn)
        assert (called.state, called.called_at) == ("called", NOW)
        assert not sends.take_back(conn, [called], reason="dispatcher_gone", now=NOW)
        assert sends.unfinished(conn, ["intent"]) == []


@pytest.mark.parametrize(
    ("state", "code"), [("accepted", "committed"), ("refused", "released"), ("unknown", "reserved")]
)
def test_an_outcome_settles_touch_and_code(ledger: Ledger, touch_ids: list[str], state: str, code: str) -> None:
    """With a measurement event and an audit row; a code that may have gone out is never given away again."""
    with ledger.begin() as conn:
        conn.execute(insert(offer_codes), {
            "code": "HF-1", "offer_id": "offer-credit-15", "touch_id": touch_ids[0], "state": "reserved",
            "changed_at": NOW,
        })  # fmt: skip
    send_id = _intend(ledger, touch_ids[0])
    with ledger.begin() as conn:
        assert not sends.finish(conn, [sends.Outcome(send_id, state)], now=NOW), "nothing ends that was not called"
        sends.win_calls(conn, [send_id], worker="w", now=NOW)
        assert sends.finish(conn, [sends.Outcome(send_id, state, "r.eml")], now=NOW)
        assert not sends.finish(conn, [sends.Outcome(send_id, "unknown")], now=NOW)
        assert conn.scalar(select(offer_codes.c.state)) == code
        told = conn.execute(select(measurement_events)).one()
        assert (told.kind, told.outcome, told.subject) == ("send", state, "C001")
        assert conn.scalars(select(audit.c.action)).all()[-1] == f"send_{state}"
        assert sends.providers_used(conn) == {"outbox"}
    assert _touch(ledger, touch_ids[0]) == (state, None)


def test_an_unknown_outcome_may_be_settled_later_and_a_known_one_stays(ledger: Ledger, touch_ids: list[str]) -> None:
    """Unknown becomes accepted when the provider is found to have it; accepted never becomes anything else."""
    send_id = _intend(ledger, touch_ids[0])
    with ledger.begin() as conn:
        sends.win_calls(conn, [send_id], worker="w", now=NOW)
        assert sends.finish(conn, [sends.Outcome(send_id, "unknown", reason="timed_out")], now=NOW)
        assert sends.finish(conn, [sends.Outcome(send_id, "accepted")], now=NOW + timedelta(hours=1))
        assert not sends.finish(conn, [sends.Outcome(send_id, "refused")], now=NOW)
        assert conn.scalar(select(rows.c.state)) == "accepted"
    assert _touch(ledger, touch_ids[0]) == ("accepted", None)


def test_a_ledger_that_never_called_anybody_used_no_provider(ledger: Ledger, touch_ids: list[str]) -> None:
    """An intent alone is no use."""
    _intend(ledger, touch_ids[0])
    with ledger.begin() as conn:
        assert sends.providers_used(conn) == set()
