"""Questions and the requests that show them: bound once, for good."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, delete, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from tests.approvals import books
from tests.approvals.asked import NOW

from reactivation.ledger import questions
from reactivation.ledger.engine import Ledger
from reactivation.ledger.questions import RequestId
from reactivation.ledger.tables import answers, item_verdicts, request_bindings
from reactivation.ledger.tables import questions as questions_table
from reactivation.ledger.together import answer

FIRST = RequestId("ask_people", "scheduled__2026-11-17T11:00:00+00:00", "ask", 0)
SECOND = RequestId("ask_people", "scheduled__2026-11-17T11:00:00+00:00", "ask", 1)


@pytest.fixture
def asked(ledger: Ledger) -> Ledger:
    """A ledger with two open lists of one touch each."""
    with ledger.begin() as conn:
        books.add_run(conn)
        for n in (1, 2):
            books.add_touch(conn, n)
        books.add_list(conn, "l-1", 1)
        books.add_list(conn, "l-2", 2, expires_at=NOW + timedelta(days=2))
    return ledger


class TestBinding:
    def test_says_which_question_a_request_shows_and_back(self, asked: Ledger) -> None:
        """The binding is found from either side."""
        with asked.begin() as conn:
            questions.bind(conn, FIRST, "q-l-1", NOW)

            assert questions.bound_question(conn, FIRST) == "q-l-1"
            assert questions.bound_question(conn, SECOND) is None
            assert questions.request_of(conn, "q-l-1") == FIRST
            assert questions.request_of(conn, "q-l-2") is None

    def test_a_question_is_shown_by_one_request(self, asked: Ledger) -> None:
        """The database refuses a second request for the same question, and a second question for a request."""
        with asked.begin() as conn:
            questions.bind(conn, FIRST, "q-l-1", NOW)

        for request, question in ((SECOND, "q-l-1"), (FIRST, "q-l-2")):
            with pytest.raises(IntegrityError), asked.begin() as conn:
                questions.bind(conn, request, question, NOW)

    def test_a_binding_cannot_be_changed_or_removed(self, asked: Ledger) -> None:
        """Whoever edits what a request shows meets the database."""
        with asked.begin() as conn:
            questions.bind(conn, FIRST, "q-l-1", NOW)

        with pytest.raises(DBAPIError), asked.begin() as conn:
            conn.execute(update(request_bindings).values(question_id="q-l-2"))
        with pytest.raises(DBAPIError), asked.begin() as conn:
            conn.execute(delete(request_bindings))


class TestWaiting:
    def test_only_open_unasked_questions_in_time_are_to_ask(self, asked: Ledger) -> None:
        """The one that ends first comes first; asked and expired ones do not come."""
        with asked.begin() as conn:
            assert questions.unasked_questions(conn, NOW, 10) == ["q-l-2", "q-l-1"]
            assert questions.unasked_questions(conn, NOW, 1) == ["q-l-2"]
            assert questions.unasked_questions(conn, NOW + timedelta(days=2), 10) == ["q-l-1"]

            questions.bind(conn, FIRST, "q-l-2", NOW)
            assert questions.unasked_questions(conn, NOW, 10) == ["q-l-1"]

    def test_counts_the_requests_that_still_wait(self, asked: Ledger) -> None:
        """A request whose list was answered waits no longer."""
        with asked.begin() as conn:
            assert questions.open_requests(conn) == 0
            questions.bind(conn, FIRST, "q-l-1", NOW)
            questions.bind(conn, SECOND, "q-l-2", NOW)
            assert questions.open_requests(conn) == 2

            books.answer(conn, "l-1", {"t-1": "signed"}, state="signed")
            assert questions.open_requests(conn) == 1
            assert questions.question_ids_of_lists(conn) == {"l-2": "q-l-2"}


class TestAnswers:
    def test_closing_the_list_closes_its_question(self, asked: Ledger) -> None:
        """An answered question is answered; a held one is held."""
        with asked.begin() as conn:
            books.answer(conn, "l-1", {"t-1": "signed"}, state="signed")
            books.answer(conn, "l-2", {"t-2": "held"}, state="held")

            first, second = questions.question_of(conn, "q-l-1"), questions.question_of(conn, "q-l-2")

        assert first is not None
        assert second is not None
        assert (first.state, first.closed_at) == ("answered", NOW)
        assert (second.state, second.closed_at) == ("held", NOW)

    def test_a_touch_is_judged_once_in_a_list(self, asked: Ledger) -> None:
        """A second verdict on the same item is refused by the database."""
        with asked.begin() as conn:
            books.answer(conn, "l-1", {"t-1": "held"}, state="held")
            assert questions.verdicts_of(conn, "l-1") == {"t-1": "held"}

        with pytest.raises(IntegrityError), asked.begin() as conn:
            questions.insert_verdicts(conn, "l-1", "a-l-1", {"t-1": "signed"})

    @pytest.mark.parametrize("table", [answers, item_verdicts])
    def test_answers_and_verdicts_cannot_be_changed(self, asked: Ledger, table: object) -> None:
        """What was answered stays what was answered."""
        with asked.begin() as conn:
            books.answer(conn, "l-1", {"t-1": "held"}, state="held")

        with pytest.raises(DBAPIError), asked.begin() as conn:
            conn.execute(update(table).values(answer_id="a-9"))
        with pytest.raises(DBAPIError), asked.begin() as conn:
            conn.execute(delete(table))


def _signatures(conn: Connection, touch_id: str, number: int) -> list[questions.SignatureRow]:
    _, found = answer(conn, questions.signed_of({touch_id: books.digest(number)}))
    return found[touch_id]


class TestSignatures:
    def test_belong_to_exactly_the_bytes(self, asked: Ledger) -> None:
        """The signature of one digest is none of another."""
        with asked.begin() as conn:
            books.answer(conn, "l-1", {"t-1": "signed"}, state="signed")

            (signature,) = _signatures(conn, "t-1", 1)
            assert (signature.responder, signature.is_signer, signature.kind) == ("ada", True, "content")
            assert _signatures(conn, "t-1", 2) == []
            assert _signatures(conn, "t-2", 2) == []

    def test_say_whether_the_responder_was_a_signer(self, asked: Ledger) -> None:
        """A stranger's verdict is recognised as one."""
        with asked.begin() as conn:
            books.answer(conn, "l-1", {"t-1": "signed"}, state="signed", by="mallory")

            (signature,) = _signatures(conn, "t-1", 1)

        assert not signature.is_signer


def test_the_questions_of_a_kind_that_can_still_be_answered(ledger: Ledger) -> None:
    """The one that expires first at the top; no other kind, none that is closed or too late."""
    ends = {"q-late": 2, "q-soon": 1, "q-over": 0, "q-closed": 3}
    with ledger.begin() as conn:
        for question_id, hours in ends.items():
            questions.insert_question(
                conn, question_id=question_id, kind="waive", subject="run-1", opened_at=NOW - timedelta(days=1),
                expires_at=NOW + timedelta(hours=hours),
            )  # fmt: skip
        conn.execute(
            update(questions_table)
            .where(questions_table.c.question_id == "q-closed")
            .values(state="held", closed_at=NOW)
        )
        found = questions.waiting_of_kind(conn, "waive", NOW)
        assert [one.question_id for one in found] == ["q-soon", "q-late"]
        assert questions.waiting_of_kind(conn, "another", NOW) == []
