"""A send of unknown outcome is settled by a look-up or by a person, and never by time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.postman import Postman, goes_by
from tests.sending import NOW, Ready

from reactivation.approvals.form import HOLD_ALL
from reactivation.delivery import Result
from reactivation.ledger import questions
from reactivation.ledger.questions import QuestionRow, RequestId
from reactivation.steps.answers import bind_request, questions_to_ask, record_answer
from reactivation.steps.confirming import CONFIRM, KIND, asked_send
from reactivation.steps.dispatch import dispatch

#: The provider has been called by then.
LATER = NOW + timedelta(minutes=1)
REQUEST = RequestId("ask_people", "asset__2", "ask", 0)


@pytest.fixture
def postman(ready: Ready) -> Postman:
    """A provider that broke off once, and one touch of unknown outcome."""
    made = Postman(lambda _: Result("unknown", reason="timed_out"))
    goes_by(ready, made)
    assert dispatch(ready.workspace, NOW, limit=1).unknown == 1
    made.answer = lambda _: Result("accepted", reference="m-2")
    return made


def asked(ready: Ready, after: timedelta = timedelta(0)) -> list[QuestionRow]:
    """The questions about sends of unknown outcome that are open then."""
    questions_to_ask(ready.workspace, LATER + after)
    with ready.workspace.ledger.begin() as conn:
        return questions.waiting_of_kind(conn, KIND, LATER + after)


def answered(ready: Ready, outcome: str, option: str = CONFIRM, by: str = "ada", **changes: str) -> str:
    (question,) = asked(ready)
    bind_request(ready.workspace, REQUEST, question.question_id, LATER)
    with ready.workspace.ledger.begin() as conn:
        code = asked_send(ready.workspace, conn, question).signing_code
    event: dict[str, Any] = {
        "chosen_options": [option], "params_input": {"signing_code": code, "outcome": outcome} | changes,
        "responded_at": LATER, "responded_by_user": {"id": by, "name": by}, "timedout": False,
    }  # fmt: skip
    return record_answer(ready.workspace, REQUEST, event, LATER)


def state(ready: Ready) -> str:
    (row,) = ready.rows("sends")
    return str(row.state)


class TestAsking:
    def test_marketing_owners_are_asked_about_each(self, ready: Ready, postman: Postman) -> None:
        """In ids and codes; the request leads to a page."""
        (question,) = asked(ready)
        shown = bind_request(ready.workspace, REQUEST, question.question_id, LATER)
        (row,) = ready.rows("sends")
        assert question.subject == row.send_id
        assert [signer.user_id for signer in shown.signers] == ["ada", "ben"]
        assert shown.page == f"/reactivation/questions/{question.question_id}"
        assert "@" not in shown.body + shown.subject

    def test_not_while_a_look_up_may_still_tell(
        self, ready: Ready, postman: Postman, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The provider says for how long."""
        monkeypatch.setattr(Postman, "look_up_for", timedelta(hours=1))
        assert asked(ready) == []
        assert len(asked(ready, timedelta(hours=2))) == 1

    def test_once_a_day_until_it_is_settled(self, ready: Ready, postman: Postman) -> None:
        """Who held it is asked again tomorrow."""
        assert "stays unknown" in answered(ready, "", option=HOLD_ALL)
        assert asked(ready, timedelta(hours=23)) == []
        assert len(asked(ready, timedelta(days=1))) == 1


class TestAnswering:
    def test_sent_closes_it(self, ready: Ready, postman: Postman) -> None:
        """The touch counts as sent, by a person's word, and is not sent again."""
        assert answered(ready, "sent").endswith("is confirmed as sent")
        (row,) = ready.rows("sends")
        assert (row.state, row.reason) == ("accepted", "confirmed_by_person")
        calls = len(postman.had)
        dispatch(ready.workspace, LATER)
        assert len(postman.had) == calls + len(ready.states()) - 1
        assert len(set(postman.had)) == len(postman.had)

    def test_after_not_sent_it_may_go_again(self, ready: Ready, postman: Postman) -> None:
        """Signed as before, and out with the next run."""
        assert answered(ready, "not_sent").endswith("is confirmed as not_sent")
        assert ready.rows("sends") == []
        assert set(dict(ready.states().values())) == {"signed"}
        assert dispatch(ready.workspace, LATER).accepted == len(ready.states())

    @pytest.mark.parametrize(("outcome", "changes", "refusal"), [
        ("", {}, "outcome_missing"), ("perhaps", {}, "outcome_missing"), ("sent", {"by": "cleo"}, "not_a_signer"),
        ("not_sent", {"signing_code": "00000000"}, "signing_code_differs"),
    ])  # fmt: skip
    def test_nothing_else_settles_it(
        self, ready: Ready, postman: Postman, outcome: str, changes: dict[str, str], refusal: str
    ) -> None:
        """Nor does silence."""
        assert refusal in answered(ready, outcome, **changes)
        assert state(ready) == "unknown"

    def test_what_a_look_up_settled_meanwhile_needs_no_word(self, ready: Ready, postman: Postman) -> None:
        """A late answer changes nothing that is known by then."""
        (question,) = asked(ready)
        bind_request(ready.workspace, REQUEST, question.question_id, LATER)
        postman.found = Result("accepted", reference="m-1")
        dispatch(ready.workspace, LATER, limit=0)
        event = {
            "chosen_options": [CONFIRM], "params_input": {"signing_code": "", "outcome": "not_sent"},
            "responded_at": LATER, "responded_by_user": {"id": "ada", "name": "ada"}, "timedout": False,
        }  # fmt: skip
        assert "settled_already" in record_answer(ready.workspace, REQUEST, event, LATER)
        assert state(ready) == "accepted"
