"""How far enrolments have come, as columns: touches with their sends, what was offered, and windows that move."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, select
from tests.ledgers import NOW, PLAYBOOK, a_key, a_send, add_touch, begin, enrol

from reactivation.ledger import courses, enrolments, sends
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import audit, touches


@pytest.fixture
def book(ledger: Ledger) -> Ledger:
    with ledger.begin() as conn:
        begin(conn)
    return ledger


def _send(
    conn: Connection, touch_id: str, customer: str, state: str, *, hours: int = 0, channel: str = "email"
) -> None:
    at = NOW + timedelta(hours=hours)
    intent = a_send(touch_id, customer, "w-1", intended_at=at, lease_until=at + timedelta(minutes=9), channel=channel)
    sends.intend(conn, [intent])
    assert sends.win_calls(conn, [intent["send_id"]], worker="w-1", now=at)
    assert sends.finish(conn, [sends.Outcome(intent["send_id"], state)], now=at + timedelta(seconds=1))


def test_courses_tell_what_reached_the_person(book: Ledger) -> None:
    """Accepted and unknown sends have a time, a refused one has none; an enrolment's last is the last that has one."""
    with book.begin() as conn:
        ada, ben = enrol(conn, "C001"), enrol(conn, "C002")
        for number, state in enumerate(("accepted", "unknown", "refused"), start=1):
            _send(conn, add_touch(conn, ada, "C001", number), "C001", state, hours=50 * number)
        add_touch(conn, ada, "C001", 4, state="planned")
        add_touch(conn, ben, "C002", 1)
        rows = courses.of_active(conn, PLAYBOOK)
        last = courses.last_sent(rows).to_pylist()
        few = courses.of_enrolments(conn, [ben]).to_pylist()
    of_ada = [row for row in rows.to_pylist() if row["enrolment_id"] == ada]
    assert [(r["number"], r["state"], r["send_state"], r["sent_at"] is not None) for r in of_ada] == [
        (1, "accepted", "accepted", True), (2, "unknown", "unknown", True), (3, "refused", "refused", False),
        (4, "planned", None, False),
    ]  # fmt: skip
    assert last == [{"enrolment_id": ada, "number": 2, "at": NOW + timedelta(hours=100, seconds=1)}]
    assert [(row["customer_id"], row["number"]) for row in few] == [("C002", 1)]


def test_ended_enrolments_are_told_by_their_run_only(book: Ledger) -> None:
    """Active ones are still going on; a run's are all it began."""
    with book.begin() as conn:
        gone = enrol(conn, "C001")
        add_touch(conn, gone, "C001")
        enrolments.end_enrolment(conn, gone, reason="opted_out", actor="test", now=NOW)
        assert courses.of_active(conn).num_rows == 0
        [row] = courses.of_run(conn, enrolments.enrolments_of(conn, [gone])[gone].run_id).to_pylist()
    assert (row["state"], row["reason"]) == ("cancelled", "opted_out")


def test_what_was_offered_is_told_by_person_and_kind(book: Ledger) -> None:
    """Real sends with an offer, of whatever enrolment; refused ones and older ones are not told."""
    reward = {"incentive": "points_or_credit", "offer_id": "offer-credit-15"}
    with book.begin() as conn:
        for customer, state in (("C001", "accepted"), ("C002", "refused")):
            one = enrol(conn, customer)
            _send(conn, add_touch(conn, one, customer, 3, **reward), customer, state)
        assert courses.offers_sent(conn, NOW + timedelta(days=1)).num_rows == 0
        [row] = courses.offers_sent(conn, NOW - timedelta(days=30)).to_pylist()
    assert row == {
        "address_key": a_key("C001"), "incentive": "points_or_credit", "at": NOW + timedelta(seconds=1),
    }  # fmt: skip


def test_only_what_nobody_was_asked_about_moves(book: Ledger) -> None:
    """A planned touch gets its new window, with a line in the trail; a signed one keeps the one that was signed."""
    window = (NOW + timedelta(days=3), NOW + timedelta(days=8))
    with book.begin() as conn:
        one = enrol(conn, "C001")
        planned, signed = add_touch(conn, one, "C001", 2, state="planned"), add_touch(conn, one, "C001", 1)
        courses.move(conn, {planned: window, signed: window}, actor=PLAYBOOK, now=NOW)
        found = {row.touch_id: (row.not_before, row.not_after) for row in conn.execute(select(touches))}
        told = conn.scalars(select(audit.c.subject).where(audit.c.action == "touch_moved")).all()
    assert found[planned] == window
    assert found[signed] == (NOW - timedelta(hours=1), NOW + timedelta(days=5))
    assert told == [planned]


def test_texts_are_counted_apart(book: Ledger) -> None:
    """Those of the last days that reached, or may have reached, the person."""
    with book.begin() as conn:
        one = enrol(conn, "C001")
        for number, (channel, state) in enumerate((("sms", "accepted"), ("email", "accepted"), ("sms", "refused")), 1):
            _send(conn, add_touch(conn, one, "C001", number, channel=channel), "C001", state, channel=channel)
        assert sends.texted(conn, [a_key("C001")], NOW - timedelta(days=7)) == {a_key("C001"): 1}
        assert sends.texted(conn, [a_key("C001")], NOW + timedelta(days=7)) == {}
        assert courses.redeemed(conn) == set()
