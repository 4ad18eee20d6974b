"""What came back, and whether it crossed a send; tags."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from tests.ledgers import NOW, a_key, a_send, add_touch, begin, enrol

from reactivation.ledger import events, sends, tags
from reactivation.ledger.engine import Ledger
from reactivation.ledger.events import Event
from reactivation.ledger.tables import audit
from reactivation.ledger.tables import events as rows

SENT = NOW + timedelta(seconds=4)


@pytest.fixture
def opt_out(ledger: Ledger) -> Event:
    """An opt-out of a customer whose first touch was intended at ``NOW`` and accepted four seconds later."""
    with ledger.begin() as conn:
        begin(conn)
        one = enrol(conn, "C001")
        row = a_send(add_touch(conn, one, "C001"), "C001", "w")
        sends.intend(conn, row)
        sends.win_call(conn, row["send_id"], worker="w", now=NOW + timedelta(seconds=1))
        sends.finish(conn, row["send_id"], state="accepted", now=SENT)
    return Event("engagements:E1", "C001", a_key("C001"), one, None, "unsubscribe", "email", NOW, "source")


def _record(ledger: Ledger, event: Event, at: datetime) -> bool:
    with ledger.begin() as conn:
        events.record(conn, [event], now=at)
        return bool(conn.scalar(select(rows.c.crossed).where(rows.c.event_id == event.event_id)))


@pytest.mark.parametrize(
    ("occurred", "crossed"),
    [
        (NOW - timedelta(hours=1), True),
        (NOW + timedelta(seconds=2), True),
        (SENT, True),
        (SENT + timedelta(seconds=1), False),
    ],
)
def test_an_opt_out_that_the_send_no_longer_saw_crossed_it(
    ledger: Ledger, opt_out: Event, occurred: datetime, crossed: bool
) -> None:
    """Said before the message was handed over, known only after its intent; a later one is simply an answer."""
    assert _record(ledger, replace(opt_out, occurred_at=occurred), NOW + timedelta(hours=1)) is crossed
    with ledger.begin() as conn:
        written = conn.execute(select(audit.c.subject, audit.c.details).where(audit.c.action == "crossed")).all()
    assert len(written) == crossed
    for row in written:
        assert row.subject == "engagements:E1"
        assert '"intended_at":"2026-03-03T11:00:00.000000+00:00"' in row.details
        assert '"recorded_at":"2026-03-03T12:00:00.000000+00:00"' in row.details


def test_told_twice_it_is_nothing_new(ledger: Ledger, opt_out: Event) -> None:
    """The source's own id decides; the first telling stays as it was."""
    with ledger.begin() as conn:
        assert events.record(conn, [opt_out, opt_out], now=NOW) == [opt_out]
        assert events.record(conn, [replace(opt_out, kind="click")], now=NOW) == []
        assert conn.scalars(select(rows.c.kind)).all() == ["unsubscribe"]


def test_an_event_of_somebody_never_enrolled_crosses_nothing(ledger: Ledger, opt_out: Event) -> None:
    """It is recorded all the same."""
    assert not _record(ledger, replace(opt_out, enrolment_id=None), NOW + timedelta(hours=1))


def test_a_tag_is_set_once_and_can_be_taken_off(ledger: Ledger) -> None:
    """And set again later, with a row for each time."""
    later = NOW + timedelta(days=30)
    with ledger.begin() as conn:
        assert tags.put(conn, customer_id="C001", tag="no_response", actor="x", now=NOW)
        assert not tags.put(conn, customer_id="C001", tag="no_response", actor="x", now=NOW)
        assert tags.standing(conn, "no_response") == {"C001"}
        assert tags.take_off(conn, customer_id="C001", tag="no_response", actor="x", now=later)
        assert not tags.take_off(conn, customer_id="C001", tag="no_response", actor="x", now=later)
        assert tags.standing(conn, "no_response") == set()
        assert tags.put(conn, customer_id="C001", tag="no_response", actor="x", now=later)
        assert tags.standing(conn, "no_response") == {"C001"}
