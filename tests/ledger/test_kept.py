"""Whose evidence a run is, what went out, and when a person last had a message."""

from __future__ import annotations

from datetime import timedelta

from tests.ledgers import NOW, RUN_ID, a_key, a_send, add_touch, an_id, begin, enrol

from reactivation.contract.digests import digest
from reactivation.ledger import kept, sends
from reactivation.ledger.engine import Ledger

LATER_RUN = an_id("a later run")


def test_a_run_is_evidence_of_whom_it_enrolled_and_of_what_it_drafted_and_was_sent(ledger: Ledger) -> None:
    """The second touch is drafted by a later run than the one that enrolled."""
    with ledger.begin() as conn:
        begin(conn)
        begin(conn, run_id=LATER_RUN)
        for customer in ("C001", "C002"):
            one = enrol(conn, customer)
            touch = add_touch(conn, one, customer, 2, draft_run_id=LATER_RUN, draft_digest=digest(customer))
            if customer == "C001":
                sends.intend(conn, [a_send(touch, customer, "w", draft_digest=digest(customer))])
        assert kept.evidenced(conn, RUN_ID) == {"C001", "C002"}
        assert kept.evidenced(conn, LATER_RUN) == {"C001"}
        assert kept.sent_drafts(conn, LATER_RUN) == {digest("C001"): ("C001", NOW)}
        assert kept.sent_drafts(conn, RUN_ID) == {}


def test_the_last_message_is_that_to_any_address_of_the_person(ledger: Ledger) -> None:
    """Whoever of those behind the address was meant by it."""
    late = NOW + timedelta(days=3)
    with ledger.begin() as conn:
        begin(conn)
        enrol(conn, "C001", keys=[a_key("shared")], state="ended")
        twin = enrol(conn, "C002", keys=[a_key("own")])
        for number, (key, at) in enumerate([("own", NOW), ("shared", late)], start=1):
            touch = add_touch(conn, twin, "C002", number, address_key=a_key(key))
            sends.intend(conn, [a_send(touch, "C002", "w", address_key=a_key(key), intended_at=at)])
        enrol(conn, "C003")
        assert kept.last_sent(conn) == {"C001": late, "C002": NOW}
        assert set(kept.keys_of_customers(conn)) == {
            ("C001", a_key("shared")), ("C002", a_key("own")), ("C003", a_key("C003")),
        }  # fmt: skip
