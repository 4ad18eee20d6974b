"""Owners who are away and questions nobody answers: who is asked instead, and that nothing is sent without a word."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from tests.builders import case, tables
from tests.office import FIRMS, NOW, PLAYBOOK, Office, by_itself, decide, decided, owners_say, state, with_message

from reactivation.ledger import lists, questions
from reactivation.ledger.tables import audit, touches
from reactivation.steps.answers import questions_to_ask
from reactivation.steps.deciding import asked_account
from reactivation.steps.dispatch import dispatch
from reactivation.steps.funnel import funnel

BEN = "roles: [marketing_owner, account_owner]"
AWAY = "away: [{since: 2026-11-16, until: 2026-11-30}]"


def signers(office: Office) -> set[str]:
    with office.workspace.ledger.begin() as conn:
        return {s.user_id for row in lists.open_lists(conn) for s in lists.signers_of(conn, row.list_id)}


def test_owner_who_is_away_is_stood_in_for_and_what_his_deputy_signs_is_sent(office: Office) -> None:
    """Ben is not asked while he is away, and Dora's signature counts."""
    owners_say(office, BEN, f"{BEN}, {AWAY}")
    office.run(now=NOW, playbook=PLAYBOOK)

    assert signers(office) == {"dora"}
    request, row, items = with_message(office)["a-oak"]
    assert "is signed: 1 signed" in office.answer(request, row, items, "Sign", by="dora", now=NOW)
    dispatch(office.workspace, NOW)
    assert len(office.outbox()) == 1


def everybody_leaves(office: Office) -> None:
    owners_say(office, BEN, f"{BEN}, {AWAY}")
    owners_say(office, "roles: [account_owner]", f"roles: [account_owner], {AWAY}")


def dora_is_back(office: Office, at: datetime) -> None:
    """And the next run is hers."""
    owners_say(office, f"[account_owner], {AWAY}", "[account_owner]")
    office.says(at=at)
    office.run(now=at, playbook=PLAYBOOK)


def test_when_nobody_is_there_nobody_is_enrolled_and_the_run_says_so(office: Office) -> None:
    """Nothing to look at piles up; the run after somebody is back begins it."""
    everybody_leaves(office)
    run_id = office.run(now=NOW, playbook=PLAYBOOK)

    assert state(office) == {}
    assert with_message(office) == {}
    assert funnel(office.workspace, run_id)["not begun: owner away"] == len(FIRMS)

    dora_is_back(office, NOW + timedelta(days=1))
    assert signers(office) == {"dora"}


def test_when_nobody_is_there_any_more_the_account_is_held_with_the_reason_and_asked_about_later(
    office: Office,
) -> None:
    """Asked before, and nobody answered: nothing is asked, nothing is sent; the run after somebody is back asks
    again."""
    office.run(now=NOW, playbook=PLAYBOOK)
    later = NOW + timedelta(days=4)
    everybody_leaves(office)
    questions_to_ask(office.workspace, later)
    office.says(at=later)
    office.run(now=later, playbook=PLAYBOOK)

    assert with_message(office, later) == {}
    with office.workspace.ledger.begin() as conn:
        first = select(touches.c.state, touches.c.reason).where(touches.c.number == 1)
        assert set(conn.execute(first).all()) == {("held", "owner_away")}
    dispatch(office.workspace, later)
    assert office.outbox() == []

    dora_is_back(office, later + timedelta(days=1))
    assert signers(office) == {"dora"}


def test_question_nobody_answered_is_asked_of_the_deputy_besides(office: Office) -> None:
    """With a message and without one; by the next run."""
    billing = case("k-oak", account_id="a-oak", kind="billing")
    office.says(cases=[*tables()["cases"], billing])
    office.run(now=NOW, playbook=PLAYBOOK)
    assert signers(office) == {"ben"}

    later = NOW + timedelta(days=4)
    questions_to_ask(office.workspace, later)
    office.says(at=later, cases=[*tables()["cases"], billing])
    office.run(now=later, playbook=PLAYBOOK)

    assert signers(office) == {"ben", "dora"}
    request, question_id, code = by_itself(office, later)["a-oak"]
    with office.workspace.ledger.begin() as conn:
        question = questions.question_of(conn, question_id)
        assert question is not None
        assert asked_account(office.workspace, conn, question).signers == {"ben", "dora"}
    assert "is decided: monitor" in decide(office, request, code, by="dora", at=later, decision="monitor")
    assert decided(office) == {"a-oak": "monitor"}


def test_account_whose_owner_cannot_be_asked_is_on_record(office: Office) -> None:
    """An open issue, and nobody there: no question, and the trail says so."""
    owners_say(office, BEN, f"{BEN}, {AWAY}")
    owners_say(office, "deputies: {account_owner: own-dora}", "")
    office.says(cases=[*tables()["cases"], case("k-oak", account_id="a-oak", kind="billing")])
    office.run(now=NOW, playbook=PLAYBOOK)

    with office.workspace.ledger.begin() as conn:
        told = set(conn.execute(select(audit.c.action, audit.c.subject)).all())
    assert ("account_not_asked", "a-oak") in told
    assert by_itself(office) == {}
