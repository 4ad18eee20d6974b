"""Rows in one parameter stand in the table as if they had been entered one by one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError
from tests.ledgers import NOW, RUN_ID, begin

from reactivation.ledger.engine import Ledger
from reactivation.ledger.given import enter
from reactivation.ledger.tables import audit, measurement_events, steps


def _event(**changes: object) -> dict[str, object]:
    return {
        "event_id": "e-1", "run_id": None, "playbook": "p", "subject": "c-'1\"", "kind": "send", "outcome": "accepted",
        "reason": "ö\n\\", "occurred_at": NOW, "rules_version": "1",
    } | changes  # fmt: skip


def test_texts_instants_and_nothing_come_back_as_they_were(ledger: Ledger) -> None:
    """Quotes, line ends and letters beyond ASCII among them."""
    with ledger.begin() as conn:
        assert enter(conn, measurement_events, [_event(), _event(event_id="e-2", reason=None)]) == 2
        found = conn.execute(select(measurement_events).order_by(measurement_events.c.event_id)).all()
    assert [dict(row._mapping) for row in found] == [_event(), _event(event_id="e-2", reason=None)]


def test_json_stays_json(ledger: Ledger) -> None:
    """It is read as what it was."""
    with ledger.begin() as conn:
        begin(conn)
        counts = {"due": 3, "reasons": {"ramp": 1}, "none": None}
        row = {"run_id": RUN_ID, "step": "a_step", "state": "succeeded", "manifest_digest": "d" * 64, "counts": counts,
               "ended_at": NOW}  # fmt: skip
        assert enter(conn, steps, [row]) == 1
        assert conn.scalar(select(steps.c.counts).where(steps.c.step == "a_step")) == counts


def test_a_repeat_is_nothing_new(ledger: Ledger) -> None:
    """Where that is asked for; the others of the same statement are entered."""
    with ledger.begin() as conn:
        assert enter(conn, measurement_events, [_event()], ignore_repeats=True) == 1
        assert enter(conn, measurement_events, [_event(), _event(event_id="e-2")], ignore_repeats=True) == 1
        assert enter(conn, measurement_events, [], ignore_repeats=True) == 0


def test_rows_are_numbered_in_the_order_given(ledger: Ledger) -> None:
    """The audit trail tells what happened first."""
    subjects = [f"s-{number}" for number in range(50, 0, -1)]
    rows = [{"at": NOW, "actor": "a", "action": "b", "subject": one, "details": "{}"} for one in subjects]
    with ledger.begin() as conn:
        enter(conn, audit, rows)
        told = conn.scalars(select(audit.c.subject).where(audit.c.action == "b").order_by(audit.c.seq)).all()
    assert list(told) == subjects


def test_what_has_no_words_of_its_own_is_refused(ledger: Ledger) -> None:
    """An amount would lose its digits."""
    with pytest.raises((TypeError, StatementError)), ledger.begin() as conn:
        enter(conn, measurement_events, [_event(outcome=Decimal("1.10"))])
