"""A reply nobody recognised holds until a person has said what it is."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.builders import KEYS
from tests.told import ANN, LATER, NUMBER, address, company, exits, of, taken, text, texts

from reactivation.approvals.form import HOLD_ALL
from reactivation.ledger import questions, replies
from reactivation.ledger.engine import Ledger
from reactivation.ledger.questions import QuestionRow, RequestId
from reactivation.ledger.tables import answers, audit
from reactivation.steps.answers import bind_request, questions_to_ask, record_answer
from reactivation.steps.labelling import KIND, LABEL, asked_reply
from reactivation.steps.workspace import Workspace

REQUEST = RequestId("ask_people", "asset__2", "ask", 0)
WORDS = "Lose my number, will you"


@pytest.fixture
def held(tmp_path: Path, ledger: Ledger) -> Workspace:
    """One of three people answered by text what nobody recognises."""
    made = company(tmp_path / "home", ledger)
    texts(made, ANN)
    taken(made, text(WORDS))
    return made


def asked(held: Workspace, at: datetime = LATER) -> list[QuestionRow]:
    questions_to_ask(held, at)
    with held.ledger.begin() as conn:
        return questions.waiting_of_kind(conn, KIND, at)


def answered(held: Workspace, label: str, option: str = LABEL, by: str = "ada", **changes: str) -> str:
    (question,) = asked(held)
    bind_request(held, REQUEST, question.question_id, LATER)
    with held.ledger.begin() as conn:
        code = asked_reply(held, conn, question).signing_code
    event: dict[str, Any] = {
        "chosen_options": [option], "params_input": {"signing_code": code, "label": label} | changes,
        "responded_at": LATER, "responded_by_user": {"id": by, "name": by}, "timedout": False,
    }  # fmt: skip
    return record_answer(held, REQUEST, event, LATER)


def holds(held: Workspace) -> bool:
    """Whether nothing may be sent to any address of the person."""
    keys = {KEYS.key_of(NUMBER), KEYS.key_of(address(ANN))}
    with held.ledger.begin() as conn:
        found, customers = replies.holding(conn, keys, {ANN})
    assert (found == keys) == (customers == {ANN})
    return bool(found)


def test_marketing_owners_are_asked_in_ids_and_codes(held: Workspace) -> None:
    """The words are in nothing Airflow sees, and in no row of the trail."""
    (question,) = asked(held)
    shown = bind_request(held, REQUEST, question.question_id, LATER)
    assert [signer.user_id for signer in shown.signers] == ["ada", "ben"]
    assert shown.page == f"/reactivation/questions/{question.question_id}"
    with held.ledger.begin() as conn:
        trail = [*conn.scalars(select(audit.c.details)), *map(json.dumps, conn.scalars(select(answers.c.form)))]
    for said in (shown.body, shown.subject, repr(shown), *trail):
        assert WORDS not in said
        assert NUMBER not in said
    assert holds(held)


@pytest.mark.parametrize(("label", "exit_"), [("opt_out", "opt_out"), ("complaint", "complaint")])
def test_a_label_that_forbids_suppresses_at_every_address(held: Workspace, label: str, exit_: str) -> None:
    """In the same moment as the hold ends."""
    assert answered(held, label).endswith(f"is labelled {label}")
    assert {(key, channel, reason) for key, _, channel, reason in of(held)} == {
        (KEYS.key_of(NUMBER), "*", exit_), (KEYS.key_of(address(ANN)), "*", exit_)
    }  # fmt: skip
    assert not holds(held)


@pytest.mark.parametrize("label", ["interest", "other"])
def test_another_label_ends_the_hold_and_permits_nothing(held: Workspace, label: str) -> None:
    """Nothing is suppressed, nothing is restored; the reply was an exit before."""
    answered(held, label)
    assert not holds(held)
    assert of(held) == []
    assert exits(held) == {ANN: "re_engaged"}
    assert asked(held, LATER + timedelta(days=2)) == []


@pytest.mark.parametrize(("label", "changes", "refusal"), [
    ("", {}, "label_missing"), ("fine", {}, "label_missing"), ("interest", {"by": "cleo"}, "not_a_signer"),
    ("interest", {"signing_code": "00000000"}, "signing_code_differs"),
])  # fmt: skip
def test_nothing_else_ends_it(held: Workspace, label: str, changes: dict[str, str], refusal: str) -> None:
    assert refusal in answered(held, label, **changes)
    assert holds(held)


def test_who_held_it_is_asked_again_tomorrow(held: Workspace) -> None:
    """Silence and *Hold all* leave the hold."""
    assert "holds" in answered(held, "", option=HOLD_ALL)
    assert asked(held, LATER + timedelta(hours=23)) == []
    assert len(asked(held, LATER + timedelta(days=1))) == 1
    assert holds(held)
