"""Enrolments and their touches: begun, held back, expired, ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from tests.ledgers import NOW, PLAYBOOK, RUN_ID, a_key, add_touch, an_id, begin, enrol

from reactivation.contract.digests import digest
from reactivation.ledger import enrolments, touches
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import audit, enrolment_keys, measurement_events, offer_codes
from reactivation.ledger.tables import touches as touches_table


@pytest.fixture
def book(ledger: Ledger) -> Ledger:
    """A ledger with one run."""
    with ledger.begin() as conn:
        begin(conn)
    return ledger


def _states(ledger: Ledger) -> dict[int, tuple[str, str | None]]:
    with ledger.begin() as conn:
        columns = (touches_table.c.number, touches_table.c.state, touches_table.c.reason)
        return {row.number: (row.state, row.reason) for row in conn.execute(select(*columns))}


def test_one_person_is_in_one_playbook_at_a_time(book: Ledger) -> None:
    """A second enrolment on an occupied address key is refused; after the first has ended it is not."""
    with book.begin() as conn:
        first = enrol(conn, "C001", keys=[a_key("zoe"), a_key("+44 20")])
    with pytest.raises(IntegrityError), book.begin() as conn:
        enrol(conn, "C002", keys=[a_key("zoe")])
    with book.begin() as conn:
        assert enrolments.active_keys(conn).to_pylist() == sorted([a_key("zoe"), a_key("+44 20")])
        assert enrolments.end_enrolment(conn, first, reason="no_response", actor="record_outcomes", now=NOW)
        assert enrolments.active_keys(conn).to_pylist() == []
        enrol(conn, "C002", keys=[a_key("zoe")])


def test_ending_cancels_what_is_open_and_keeps_what_was_sent(book: Ledger) -> None:
    """Open touches are cancelled, their codes given back; sent, refused and claimed ones stay what they are."""
    open_ones = dict(enumerate(enrolments.OPEN, 1))
    closed = {6: "accepted", 7: "claimed"}
    with book.begin() as conn:
        one = enrol(conn, "C001")
        for number, state in {**open_ones, **closed}.items():
            touch_id = add_touch(conn, one, "C001", number, state=state)
            conn.execute(
                insert(offer_codes),
                {"code": f"HF-{number}", "offer_id": "offer-credit-15", "touch_id": touch_id, "state": "reserved",
                 "changed_at": NOW},
            )  # fmt: skip
        assert enrolments.end_enrolment(
            conn, one, reason="reactivated", because="purchase", actor="record_outcomes", now=NOW
        )
    assert _states(book) == {
        **dict.fromkeys(open_ones, ("cancelled", "reactivated")), 6: ("accepted", None), 7: ("claimed", None),
    }  # fmt: skip
    with book.begin() as conn:
        codes = {row.code: row.state for row in conn.execute(select(offer_codes.c.code, offer_codes.c.state))}
        assert codes == {**{f"HF-{n}": "released" for n in open_ones}, "HF-6": "reserved", "HF-7": "reserved"}
        assert conn.scalars(select(enrolment_keys.c.active)).all() == [False]
        ended = enrolments.enrolments_of(conn, [one])[one]
        assert (ended.state, ended.ended_at, ended.exit_reason) == ("ended", NOW, "reactivated")
        told = conn.execute(select(measurement_events)).one()
        assert (told.kind, told.outcome, told.reason, told.subject) == ("exit", "reactivated", "purchase", "C001")
        written = conn.execute(select(audit).where(audit.c.action == "enrolment_ended")).one()
        assert (written.subject, '"touches_cancelled":5' in written.details) == (one, True)


def test_an_enrolment_ends_once(book: Ledger) -> None:
    """The first reason stays; the second end changes and tells nothing."""
    with book.begin() as conn:
        one = enrol(conn, "C001")
        assert enrolments.end_enrolment(conn, one, reason="opted_out", actor="record_outcomes", now=NOW)
        assert not enrolments.end_enrolment(conn, one, reason="no_response", actor="record_outcomes", now=NOW)
        assert enrolments.enrolments_of(conn, [one])[one].exit_reason == "opted_out"
        assert len(conn.execute(select(measurement_events)).all()) == 1


def test_past_due_touches_expire_and_give_their_code_back(book: Ledger) -> None:
    """A window that has closed is over for good, signed or not; an open one and a sent one are left alone."""
    past = {"not_before": NOW - timedelta(days=6), "not_after": NOW}
    with book.begin() as conn:
        one = enrol(conn, "C001")
        late = add_touch(conn, one, "C001", 1, state="signed", **past)
        add_touch(conn, one, "C001", 2, state="held", **past)
        add_touch(conn, one, "C001", 3, state="signed")
        add_touch(conn, one, "C001", 4, state="accepted", **past)
        add_touch(conn, one, "C001", 5, state="claimed", **past)
        conn.execute(
            insert(offer_codes),
            {"code": "HF-1", "offer_id": "offer-credit-15", "touch_id": late, "state": "reserved", "changed_at": NOW},
        )
        assert touches.expire(conn, actor="dispatch", now=NOW) == 2
        assert touches.expire(conn, actor="dispatch", now=NOW) == 0
        assert conn.scalar(select(offer_codes.c.state)) == "released"
    assert _states(book) == {
        1: ("expired", "was_signed"), 2: ("expired", "was_held"), 3: ("signed", None), 4: ("accepted", None),
        5: ("claimed", None),
    }  # fmt: skip


def test_a_touch_moves_only_from_the_state_it_was_read_in(book: Ledger) -> None:
    """Who comes late with an older view of a touch changes nothing."""
    with book.begin() as conn:
        touch_id = add_touch(conn, enrol(conn, "C001"), "C001")
        read = touches.touches_of(conn, [touch_id])[0]
        assert touches.set_state(conn, [read], "held", reason="source_stale", actor="dispatch", now=NOW) == 1
        assert touches.set_state(conn, [read], "cancelled", reason="other", actor="dispatch", now=NOW) == 0
    assert _states(book) == {1: ("held", "source_stale")}


def test_drafting_records_the_bytes_and_never_touches_what_is_signed(book: Ledger) -> None:
    """Planned, drafted and held touches take the new digest; a listed or signed one does not."""
    states = {1: "planned", 2: "drafted", 3: "held", 4: "listed", 5: "signed"}
    with book.begin() as conn:
        one = enrol(conn, "C001")
        ids = {n: add_touch(conn, one, "C001", n, state=s, draft_digest=digest("old")) for n, s in states.items()}
        assert len(touches.draftable(conn, PLAYBOOK)) == 3
        digests = {touch_id: digest(n) for n, touch_id in ids.items()}
        assert touches.set_drafted(conn, digests, run_id=RUN_ID, now=NOW) == 3
        assert touches.set_drafted(conn, {}, run_id=RUN_ID, now=NOW) == 0
        found = {t.number: (t.state, t.draft_digest) for t in touches.touches_of(conn, list(ids.values()))}
    assert found == {
        **{n: ("drafted", digest(n)) for n in (1, 2, 3)}, 4: ("listed", digest("old")), 5: ("signed", digest("old")),
    }  # fmt: skip


def test_what_intake_asks(book: Ledger) -> None:
    """How many began since, who is active, what owners will see, what offers may cost."""
    with book.begin() as conn:
        ada = enrol(conn, "C001")
        ben = enrol(conn, "C002", owner_id="own-ben", enrolled_at=NOW - timedelta(days=2))
        gone = enrol(conn, "C003")
        add_touch(conn, ada, "C001", 1, state="planned")
        add_touch(conn, ada, "C001", 3, state="listed", offer_id="offer-credit-15")
        add_touch(conn, ben, "C002", 3, state="accepted", offer_id="offer-credit-15")
        add_touch(conn, gone, "C003", 3, state="planned", offer_id="offer-credit-15")
        enrolments.end_enrolment(conn, gone, reason="opted_out", actor="record_outcomes", now=NOW)

        assert enrolments.begun_since(conn, NOW - timedelta(days=1), PLAYBOOK) == 2
        assert enrolments.begun_since(conn, NOW - timedelta(days=1)) == 2
        assert enrolments.begun_since(conn, NOW - timedelta(days=9), "another_playbook") == 0
        assert enrolments.active_of(conn, PLAYBOOK)["enrolment_id"].to_pylist() == sorted([ada, ben])
        assert enrolments.active_of(conn, "another_playbook").num_rows == 0
        assert touches.planned_by_owner(conn, PLAYBOOK) == {"own-ada": 2}
        assert touches.outstanding_offers(conn) == {"offer-credit-15": 2}


def test_nothing_to_insert_is_nothing(book: Ledger) -> None:
    """Empty plans are ordinary."""
    with book.begin() as conn:
        enrolments.insert_enrolments(conn, [])
        enrolments.insert_keys(conn, [])
        touches.insert_touches(conn, [])
        assert enrolments.keys_of(conn, [an_id("nobody")]) == {an_id("nobody"): {}}
