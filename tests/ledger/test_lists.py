"""Lists in the ledger: frozen when opened, closed once, and what their closing means for the touches."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError
from tests.approvals import books
from tests.approvals.asked import NOW

from reactivation.ledger import lists, views
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import enrolments, list_items, list_signers, list_views, offer_codes

SIGNED, HELD = ("signed", None), ("held", "not_signed")


class TestOpening:
    def test_a_list_is_read_back_as_it_was_written(self, ledger: Ledger) -> None:
        """Row, items in their order, signers: nothing is lost on the way."""
        with ledger.begin() as conn:
            books.add_run(conn)
            for n in (1, 2):
                books.add_touch(conn, n)
            row = books.add_list(conn, "l-1", 2, 1, individual=(2,))

            assert lists.list_of(conn, "l-1") == lists.ListRow(**row)
            assert [(i.position, i.touch_id, i.individual) for i in lists.items_of(conn, "l-1")] == [
                (1, "t-2", True), (2, "t-1", False),
            ]  # fmt: skip
            assert [s.user_id for s in lists.signers_of(conn, "l-1")] == ["ada", "ben"]
            assert [one.list_id for one in lists.open_lists(conn)] == ["l-1"]
            assert set(books.states(conn).values()) == {("listed", None)}

    @pytest.mark.parametrize("table", [list_items, list_signers, list_views])
    def test_what_was_frozen_cannot_be_changed_or_removed(self, ledger: Ledger, table: object) -> None:
        """The database itself refuses."""
        with ledger.begin() as conn:
            books.add_run(conn)
            books.add_touch(conn, 1)
            books.add_list(conn, "l-1", 1)
            views.insert_view(conn, view_id="v-1", list_id="l-1", user_id="ada", touch_ids=["t-1"], now=NOW)

        with pytest.raises(DBAPIError), ledger.begin() as conn:
            conn.execute(update(table).values(list_id="l-2"))
        with pytest.raises(DBAPIError), ledger.begin() as conn:
            conn.execute(delete(table))

    def test_only_fresh_drafts_of_active_enrolments_are_asked_about(self, ledger: Ledger) -> None:
        """Touches of another run, or already listed, held or sent, are not drafts of this run to ask about."""
        with ledger.begin() as conn:
            books.add_run(conn)
            books.add_run(conn, "run-2")
            books.add_touch(conn, 1)
            books.add_touch(conn, 2, state="listed")
            books.add_touch(conn, 3, draft_run_id="run-2")
            books.add_touch(conn, 4, decision="review")

            assert lists.waiting_drafts(conn, books.RUN) == {"t-1": books.digest(1), "t-4": books.digest(4)}

    def test_an_enrolment_says_who_signs_and_how(self, ledger: Ledger) -> None:
        """Owner, segment and whether the person needs a decision of their own, for active enrolments only."""
        with ledger.begin() as conn:
            books.add_run(conn)
            books.add_touch(conn, 1)
            books.add_touch(conn, 2, decision="review")
            books.add_touch(conn, 3)
            conn.execute(update(enrolments).where(enrolments.c.enrolment_id == "e-3").values(state="ended"))

            assert lists.active_enrolments(conn, "customer_reactivation") == {
                "e-1": lists.Enrolled("own-ada", "household", "enrol", []),
                "e-2": lists.Enrolled("own-ada", "household", "review", ["high_value"]),
            }
            assert lists.active_enrolments(conn, "another") == {}


class TestAskedAbout:
    def test_a_touch_in_an_open_list_is_not_asked_about_twice(self, ledger: Ledger) -> None:
        """One question at a time for each touch and kind of list."""
        with ledger.begin() as conn:
            books.add_run(conn)
            books.add_touch(conn, 1)
            books.add_touch(conn, 2)
            books.add_list(conn, "l-1", 1)

            assert lists.asked_about(conn, books.RUN) == {("t-1", "content")}

    def test_what_an_earlier_run_asked_does_not_count(self, ledger: Ledger) -> None:
        """A touch is drafted anew because something held it: it is asked about anew too, even for the same bytes."""
        with ledger.begin() as conn:
            books.add_run(conn)
            books.add_run(conn, "run-2")
            books.add_touch(conn, 1)
            books.add_list(conn, "l-1", 1)
            books.answer(conn, "l-1", {"t-1": "signed"}, state="signed")
            conn.execute(update(lists.touches).values(state="drafted", draft_run_id="run-2"))

            assert lists.asked_about(conn, "run-2") == set()


class TestClosing:
    def test_a_signature_of_an_earlier_run_completes_nothing(self, ledger: Ledger) -> None:
        """The content was signed, held and drafted anew; the same bytes wait for a new answer to both questions."""
        with ledger.begin() as conn:
            books.add_run(conn)
            books.add_run(conn, "run-2")
            books.add_touch(conn, 1, offer_id="offer-credit-15")
            books.add_list(conn, "l-1", 1)
            books.answer(conn, "l-1", {"t-1": "signed"}, state="signed")
            conn.execute(update(lists.touches).values(state="drafted", draft_run_id="run-2"))
            books.add_list(conn, "l-2", 1, run_id="run-2")
            books.add_list(conn, "l-3", 1, run_id="run-2", kind="offer", offer_id="offer-credit-15")
            books.answer(conn, "l-3", {"t-1": "signed"}, state="signed", by="olu")
            assert books.states(conn) == {"t-1": ("listed", None)}

            books.answer(conn, "l-2", {"t-1": "held"}, state="held")
            assert books.states(conn) == {"t-1": HELD}

    def test_signed_and_held_items_part_ways(self, ledger: Ledger) -> None:
        """Each touch follows its own verdict."""
        with ledger.begin() as conn:
            books.add_run(conn)
            for n in (1, 2):
                books.add_touch(conn, n)
            books.add_list(conn, "l-1", 1, 2)
            books.answer(conn, "l-1", {"t-1": "signed", "t-2": "held"}, state="signed")

            assert books.states(conn) == {"t-1": SIGNED, "t-2": HELD}
            closed = lists.list_of(conn, "l-1")
            assert closed is not None
            assert (closed.state, closed.closed_at) == ("signed", NOW)
            assert lists.open_lists(conn) == []

    def test_a_touch_with_an_offer_needs_both_signatures(self, ledger: Ledger) -> None:
        """The first signature waits for the second, whichever comes first."""
        with ledger.begin() as conn:
            books.add_run(conn)
            books.add_touch(conn, 1, offer_id="offer-credit-15")
            books.add_list(conn, "l-1", 1)
            books.add_list(conn, "l-2", 1, kind="offer", offer_id="offer-credit-15")

            books.answer(conn, "l-1", {"t-1": "signed"}, state="signed")
            assert books.states(conn) == {"t-1": ("listed", None)}
            books.answer(conn, "l-2", {"t-1": "signed"}, state="signed", by="olu")
            assert books.states(conn) == {"t-1": SIGNED}

    def test_a_signature_whose_counterpart_cannot_come_is_held(self, ledger: Ledger) -> None:
        """A signed message whose offer nobody was asked about goes back to the next run."""
        with ledger.begin() as conn:
            books.add_run(conn)
            books.add_touch(conn, 1, offer_id="offer-credit-15")
            books.add_list(conn, "l-1", 1)
            books.answer(conn, "l-1", {"t-1": "signed"}, state="signed")

            assert books.states(conn) == {"t-1": ("held", "signature_missing")}

    def test_held_by_one_is_not_signed_by_the_other(self, ledger: Ledger) -> None:
        """When the offer is held, the owner's signature does not make the touch sendable."""
        with ledger.begin() as conn:
            books.add_run(conn)
            books.add_touch(conn, 1, offer_id="offer-credit-15")
            books.add_list(conn, "l-1", 1)
            books.add_list(conn, "l-2", 1, kind="offer", offer_id="offer-credit-15")
            books.answer(conn, "l-2", {"t-1": "held"}, state="held", by="olu")
            books.answer(conn, "l-1", {"t-1": "signed"}, state="signed")

            assert books.states(conn) == {"t-1": HELD}

    def test_one_rejection_is_enough(self, ledger: Ledger) -> None:
        """A rejected touch stays rejected, signed elsewhere or not."""
        with ledger.begin() as conn:
            books.add_run(conn)
            books.add_touch(conn, 1, offer_id="offer-credit-15")
            books.add_list(conn, "l-1", 1)
            books.add_list(conn, "l-2", 1, kind="offer", offer_id="offer-credit-15")
            books.answer(conn, "l-2", {"t-1": "rejected"}, state="rejected", by="olu")
            books.answer(conn, "l-1", {"t-1": "signed"}, state="signed")

            assert books.states(conn)["t-1"][0] == "rejected"

    def test_a_rejected_touch_gives_its_code_back(self, ledger: Ledger) -> None:
        """The code of an offer that will not be made is free again; one that was held keeps it for the next draft."""
        with ledger.begin() as conn:
            books.add_run(conn)
            for n in (1, 2):
                books.add_touch(conn, n, offer_id="offer-credit-15")
                conn.execute(
                    insert(offer_codes).values(
                        code=f"HF-{n}", offer_id="offer-credit-15", touch_id=f"t-{n}", state="reserved", changed_at=NOW
                    )
                )
            books.add_list(conn, "l-1", 1)
            books.add_list(conn, "l-2", 2)
            books.answer(conn, "l-1", {"t-1": "rejected"}, state="rejected")
            books.answer(conn, "l-2", {"t-2": "held"}, state="held")

            codes = conn.execute(select(offer_codes.c.code, offer_codes.c.state).order_by(offer_codes.c.code)).all()

        assert [tuple(row) for row in codes] == [("HF-1", "released"), ("HF-2", "reserved")]

    @pytest.mark.parametrize("state", ["claimed", "accepted", "cancelled", "expired"])
    def test_what_has_moved_on_is_left_alone(self, ledger: Ledger, state: str) -> None:
        """An answer changes nothing about a touch that was sent, or that ended for another reason."""
        with ledger.begin() as conn:
            books.add_run(conn)
            books.add_touch(conn, 1)
            books.add_list(conn, "l-1", 1)
            conn.execute(update(lists.touches).values(state=state))
            books.answer(conn, "l-1", {"t-1": "rejected"}, state="rejected")

            assert books.states(conn)["t-1"][0] == state

    def test_a_signature_for_other_bytes_signs_nothing(self, ledger: Ledger) -> None:
        """A touch that was drafted anew is not signed by an answer about its old bytes."""
        with ledger.begin() as conn:
            books.add_run(conn)
            books.add_touch(conn, 1)
            books.add_list(conn, "l-1", 1)
            conn.execute(update(lists.touches).values(draft_digest="f" * 64))
            books.answer(conn, "l-1", {"t-1": "signed"}, state="signed")

            assert books.states(conn)["t-1"][0] == "listed"

    def test_touches_of_other_lists_are_not_touched(self, ledger: Ledger) -> None:
        """Closing one list says nothing about another."""
        with ledger.begin() as conn:
            books.add_run(conn)
            for n in (1, 2):
                books.add_touch(conn, n)
            books.add_list(conn, "l-1", 1)
            books.add_list(conn, "l-2", 2)
            books.answer(conn, "l-1", {"t-1": "signed"}, state="signed")

            assert books.states(conn) == {"t-1": SIGNED, "t-2": ("listed", None)}
            assert [one.list_id for one in lists.open_lists(conn)] == ["l-2"]


class TestExpiry:
    def test_a_list_expires_at_its_instant(self, ledger: Ledger) -> None:
        """Open lists past their end, and only these."""
        with ledger.begin() as conn:
            books.add_run(conn)
            for n in (1, 2):
                books.add_touch(conn, n)
            books.add_list(conn, "l-1", 1, expires_at=NOW)
            books.add_list(conn, "l-2", 2, expires_at=NOW + timedelta(seconds=1))

            assert lists.expired_lists(conn, NOW) == ["l-1"]
