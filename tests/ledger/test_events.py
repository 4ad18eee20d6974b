"""What came back, and whether it crossed a send; tags."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

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
        sends.intend(conn, [row])
        sends.win_calls(conn, [row["send_id"]], worker="w", now=NOW + timedelta(seconds=1))
        sends.finish(conn, [sends.Outcome(row["send_id"], "accepted")], now=SENT)
    return Event("engagements:E1", "C001", a_key("C001"), one, None, "unsubscribe", "email", NOW, "source")


def _record(ledger: Ledger, event: Event, at: datetime) -> bool:
    with ledger.begin() as conn:
        events.record(conn, [event], stops={"unsubscribe"}, now=at)
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
        assert events.record(conn, [opt_out, opt_out], stops=(), now=NOW) == [opt_out]
        assert events.record(conn, [replace(opt_out, kind="click")], stops=(), now=NOW) == []
        assert conn.scalars(select(rows.c.kind)).all() == ["unsubscribe"]


def test_an_event_of_somebody_never_enrolled_crosses_nothing(ledger: Ledger, opt_out: Event) -> None:
    """It is recorded all the same."""
    assert not _record(ledger, replace(opt_out, enrolment_id=None), NOW + timedelta(hours=1))


def test_what_stops_no_send_crosses_none(ledger: Ledger, opt_out: Event) -> None:
    """An open of an hour before the send would have changed nothing."""
    assert not _record(ledger, replace(opt_out, kind="open", occurred_at=NOW), NOW + timedelta(hours=1))


def test_a_purchase_keeps_its_money_to_the_penny(ledger: Ledger, opt_out: Event) -> None:
    """Exact on both databases."""
    bought = replace(
        opt_out, event_id="purchases:B1", kind="order", amount=Decimal("96.01"), currency="GBP",
        discount=Decimal("0.0001"),
    )  # fmt: skip
    undone = replace(opt_out, event_id="cancelled:B1", kind="cancelled", about="purchases:B1")
    with ledger.begin() as conn:
        events.record(conn, [bought, undone], stops=(), now=NOW)
        found = conn.execute(select(rows).order_by(rows.c.event_id.desc())).all()
    assert [(row.amount, row.currency, row.discount, row.about) for row in found] == [
        (Decimal("96.01"), "GBP", Decimal("0.0001"), None), (None, None, None, "purchases:B1")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "cancelled", "bought"),
    [(1, False, True), (1, True, False), (-1, False, False)],
    ids=["yes", "undone", "old"],
)
def test_who_has_bought_since_an_enrolment_began(
    ledger: Ledger, opt_out: Event, days: int, cancelled: bool, bought: bool
) -> None:
    """A cancelled purchase is none, and one before was known."""
    order = replace(opt_out, event_id="purchases:B1", kind="order", occurred_at=NOW + timedelta(days=days))
    undone = replace(opt_out, event_id="cancelled:B1", kind="cancelled", about="purchases:B1")
    with ledger.begin() as conn:
        events.record(conn, [order, *([undone] if cancelled else [])], stops=(), now=NOW)
        found = events.bought_since_enrolled(conn, [str(opt_out.enrolment_id)])
    assert found == ({opt_out.enrolment_id} if bought else set())


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
        assert tags.bearers(conn, "no_response") == []
        assert tags.put(conn, customer_id="C001", tag="no_response", actor="x", now=later)
        assert not tags.put(conn, customer_id="C001", tag="no_response", actor="y", now=later + timedelta(hours=1))
        assert tags.standing(conn, "no_response", {"C002"}) == set()
        assert [tuple(row) for row in tags.bearers(conn, "no_response")] == [("C001", "no_response", later)]
        assert tags.standing(conn, "no_response") == {"C001"}
