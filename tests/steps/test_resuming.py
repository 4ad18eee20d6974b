"""A stop ends by the answer of whoever looks after the campaigns, and by nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.steps.six import NOW, Six

from reactivation.approvals.form import HOLD_ALL
from reactivation.ledger import questions, stops
from reactivation.ledger.engine import Ledger
from reactivation.ledger.questions import QuestionRow, RequestId
from reactivation.ledger.stops import Stop
from reactivation.steps.answers import bind_request, questions_to_ask, record_answer
from reactivation.steps.resuming import KIND, RESUME, asked_stop

REQUEST = RequestId("ask_people", "asset__1", "ask", 0)


@pytest.fixture
def six(tmp_path: Path, ledger: Ledger) -> Six:
    return Six(tmp_path / "home", ledger)


@pytest.fixture
def stop(six: Six) -> Stop:
    """E-mail stopped by complaints."""
    return stopped(six)


def stopped(six: Six, actor: str = "dispatch") -> Stop:
    with six.ledger.begin() as conn:
        return stops.stop(conn, scope="channel:email", reason="deliverability:complaints", actor=actor, now=NOW)


def standing(six: Six) -> list[str]:
    with six.ledger.begin() as conn:
        return [one.stop_id for one in stops.standing(conn, NOW)]


def question(six: Six, stop: Stop) -> QuestionRow:
    with six.ledger.begin() as conn:
        found = questions.question_about(conn, KIND, stop.stop_id)
    assert found is not None
    return found


def code(six: Six, stop: Stop) -> str:
    """The signing code of the question about the stop, once a request shows it."""
    (question_id,) = questions_to_ask(six.workspace, NOW)
    bind_request(six.workspace, REQUEST, question_id, NOW)
    asked = question(six, stop)
    with six.ledger.begin() as conn:
        return asked_stop(six.workspace, conn, asked, NOW).signing_code


def event(signing_code: str, option: str = RESUME, by: str = "ada", reason: str = "cause_removed") -> dict[str, Any]:
    return {
        "chosen_options": [option], "params_input": {"signing_code": signing_code, "reason": reason},
        "responded_at": NOW, "responded_by_user": {"id": by, "name": by}, "timedout": False,
    }  # fmt: skip


class TestAsking:
    def test_marketing_owners_are_asked_about_a_stop(self, six: Six, stop: Stop) -> None:
        """The request says what is stopped and why, and leads to the page."""
        (question_id,) = questions_to_ask(six.workspace, NOW)
        shown = bind_request(six.workspace, REQUEST, question_id, NOW)
        assert [signer.user_id for signer in shown.signers] == ["ada", "ben"]
        assert shown.page == f"/reactivation/questions/{question_id}"
        assert "deliverability:complaints" in shown.subject
        assert (shown.options, shown.default) == ((RESUME, HOLD_ALL), HOLD_ALL)
        assert question(six, stop).subject == stop.stop_id

    def test_once_a_day(self, six: Six, stop: Stop) -> None:
        """Whoever held it is asked again tomorrow, not in an hour."""
        record_answer(six.workspace, REQUEST, event(code(six, stop), HOLD_ALL), NOW)
        assert questions_to_ask(six.workspace, NOW + timedelta(hours=23)) == []
        assert len(questions_to_ask(six.workspace, NOW + timedelta(days=1))) == 1

    def test_nobody_is_asked_about_a_stop_that_has_ended(self, six: Six) -> None:
        """There is nothing to resume."""
        assert questions_to_ask(six.workspace, NOW) == []


class TestAnswering:
    def test_an_answer_ends_it(self, six: Six, stop: Stop) -> None:
        """With the code and a reason."""
        told = record_answer(six.workspace, REQUEST, event(code(six, stop)), NOW)
        assert told == f"stop {stop.stop_id} has ended"
        assert standing(six) == []

    @pytest.mark.parametrize(("changes", "refusal"), [
        ({"by": "cleo"}, "not_a_signer"), ({"signing_code": "00000000"}, "signing_code_differs"),
        ({"reason": ""}, "reason_missing"), ({"option": "Sign"}, "option_unknown"), ({"option": HOLD_ALL}, None),
    ])  # fmt: skip
    def test_nothing_else_does(self, six: Six, stop: Stop, changes: dict[str, str], refusal: str | None) -> None:
        """And the stop says why it stands."""
        answer = event(**({"signing_code": code(six, stop)} | changes))
        told = record_answer(six.workspace, REQUEST, answer, NOW)
        assert told == f"stop {stop.stop_id} stands" + (f" ({refusal})" if refusal else "")
        assert standing(six) == [stop.stop_id]

    def test_who_stopped_it_does_not_resume_it_alone(self, six: Six) -> None:
        """Author is not signer."""
        stop = stopped(six, actor="ada")
        told = record_answer(six.workspace, REQUEST, event(code(six, stop), by="ada"), NOW)
        assert "author_may_not_sign" in told
        assert standing(six) == [stop.stop_id]
