"""There is no exception past a gate, and whoever asked for one is on record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.steps.six import NOW, PLAYBOOK, Six

from reactivation.ledger import seals
from reactivation.ledger.engine import Ledger
from reactivation.ledger.runs import StepError
from reactivation.ledger.tables import audit, enrolments
from reactivation.steps.exceptions import refuse_exception


@pytest.fixture
def six(tmp_path: Path, ledger: Ledger) -> Six:
    made = Six(tmp_path / "home", ledger)
    made.snapshot()
    return made


def asked(six: Six, customer: str) -> str:
    return refuse_exception(six.workspace, customer, PLAYBOOK, user="ada", now=NOW)


def recorded(six: Six) -> list[Any]:
    query = select(audit.c.actor, audit.c.subject, audit.c.details).where(audit.c.action == "exception_refused")
    with six.ledger.begin() as conn:
        return list(conn.execute(query))


def test_it_is_refused_with_the_reason_and_recorded_with_who_asked(six: Six) -> None:
    """By the decision of the last run; nothing else changes."""
    six.decided()
    told = asked(six, "c-dov")
    [row] = recorded(six)
    assert told.startswith("refused, and recorded: there is no exception for c-dov (suppress because of suppressed:")
    assert (row.actor, row.subject) == ("ada", "c-dov")
    assert '"decision":"suppress"' in str(row.details).replace(" ", "")
    with six.ledger.begin() as conn:
        assert conn.execute(select(enrolments)).all() == []
        assert seals.verify(conn).intact


def test_somebody_who_is_no_candidate_is_refused_too(six: Six) -> None:
    """There is nothing to be excepted from, and still it was asked."""
    six.decided()
    assert "(not_a_candidate)" in asked(six, "c-nobody")
    assert len(recorded(six)) == 1


def test_before_any_decision_there_is_nothing_to_refuse(six: Six) -> None:
    """The message says what to do first."""
    with pytest.raises(StepError):
        asked(six, "c-dov")
