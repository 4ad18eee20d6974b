"""Whoever judges a run is killed (SIGKILL) at every point; judged again, it comes to the same verdict, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from tests.faults.killing import JUDGING, is_killed, judge
from tests.steps.six import NOW, Six

from reactivation.ledger import questions, runs, seals
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import questions as asked
from reactivation.steps.plan import plan_run
from reactivation.steps.readiness import NotReady, check_readiness


@pytest.fixture
def six(tmp_path: Path, ledger: Ledger) -> Six:
    made = Six(tmp_path / "home", ledger)
    made.snapshot()
    return made


#: Where the database decides what is left of it; before that there are only files.
IN_THE_LEDGER = ("in the transaction that records the verdict", "when the verdict is recorded")


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", JUDGING)
def test_a_run_that_is_ready_goes_on_all_the_same(six: Six, point: str) -> None:
    """The next try finds what the killed one left, or judges afresh; the plan follows."""
    _goes_on(six, point)


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("point", IN_THE_LEDGER)
def test_so_it_does_on_a_server(six: Six, point: str) -> None:
    """Whose open transaction ends with the process."""
    _goes_on(six, point)


def _goes_on(six: Six, point: str) -> None:
    run_id = six.decided()
    assert is_killed(judge(six, run_id, NOW, point)), "it must have died there"
    assert check_readiness(six.workspace, run_id, NOW).conditions > 50
    plan_run(six.workspace, run_id, NOW)
    with six.ledger.begin() as conn:
        assert seals.verify(conn).intact


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", ["when the files are written", *IN_THE_LEDGER])
def test_a_run_that_is_stopped_stays_stopped_and_is_asked_about_once(six: Six, point: str) -> None:
    """Its report is one, and so is the question to compliance."""
    check_readiness(six.workspace, six.decided(), NOW)
    six.change("playbooks/customer_reactivation.yaml", {"readiness": {"stale_after_hours": 1}})
    later = NOW.replace(hour=NOW.hour + 1)
    run_id = six.decided(later)
    assert is_killed(judge(six, run_id, later, point)), "it must have died there"
    for _ in range(2):
        with pytest.raises(NotReady):
            check_readiness(six.workspace, run_id, later)
    with six.ledger.begin() as conn:
        step = runs.step_of(conn, run_id, "readiness")
        assert step is not None
        assert (step.state, step.manifest_digest) == ("not_ready", six.workspace.run_folder(run_id).manifest_digest)
        assert len(conn.scalars(select(asked.c.question_id)).all()) == 1
        assert questions.question_about(conn, "waive", run_id) is not None
