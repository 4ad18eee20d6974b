"""A run holds to the quality gates, or it stops: before anybody is enrolled, and before anybody is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.ledgers import RUN_ID
from tests.steps.drafting import House
from tests.steps.six import NOW, Six

from reactivation.ledger import runs
from reactivation.ledger.engine import Ledger
from reactivation.ledger.runs import StepError
from reactivation.ledger.tables import enrolments, touches
from reactivation.playbooks.quality import quality
from reactivation.steps import quality as step
from reactivation.steps.draft import draft_run
from reactivation.steps.plan import plan_run

on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


@pytest.fixture
def six(tmp_path: Path, ledger: Ledger) -> Iterator[Six]:
    made = Six(tmp_path / "home", ledger)
    made.snapshot()
    yield made


@pytest.mark.parametrize("dry", [False, True])
def test_a_run_reports_every_gate_by_name(six: Six, *, dry: bool) -> None:
    """In its evidence with sentence and proof, and as counts of the step; a dry run is not asked what it logged."""
    run_id = six.ready(dry=dry)
    plan_run(six.workspace, run_id, NOW)
    draft_run(six.workspace, run_id, NOW)
    report = six.workspace.run_folder(run_id).read_json(step.REPORT)
    assert [one["gate"] for one in report["gates"]] == list(quality().gates)
    asked = {one["gate"]: one["holds"] for one in report["gates"]}
    assert asked.pop(step.LOGGED) is (None if dry else True)
    assert set(asked.values()) == {True}
    with six.ledger.begin() as conn:
        ended = runs.step_of(conn, run_id, "draft")
    assert ended is not None
    told = {name for name in ended.counts if name.startswith("quality:")}
    assert len(told) == len(quality().gates) - dry


@on_sqlite
def test_a_run_that_does_not_hold_enrols_nobody(six: Six, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the ladder had let somebody through: the gate is named with its sentence, and the ledger is as before."""
    run_id = six.ready()
    monkeypatch.setattr(step, "unproven", lambda *_: {"owner_is_assigned": 2, "evidence_is_listed": 0})
    with pytest.raises(StepError, match=r"owner_is_assigned \(Human owner is assigned\): 2 decisions"):
        plan_run(six.workspace, run_id, NOW)
    with six.ledger.begin() as conn:
        assert conn.scalar(select(func.count()).select_from(enrolments)) == 0


@on_sqlite
@pytest.mark.parametrize(("changes", "gate"), [
    ({"gate_fit": "fail:bad_fit"}, "judgment_is_protected"), ({"email_records": []}, "source_evidence_is_attached"),
])  # fmt: skip
def test_nobody_is_asked_about_what_does_not_hold(
    tmp_path: Path, ledger: Ledger, changes: dict[str, Any], gate: str
) -> None:  # fmt: skip
    """Nothing is drafted, so no list is opened."""
    house = House(tmp_path, ledger)
    house.decisions["c-ada"].update(changes)
    house.open({"customer": "c-ada"})
    with pytest.raises(StepError, match=gate):
        draft_run(house.workspace, RUN_ID, NOW)
    with ledger.begin() as conn:
        assert set(conn.scalars(select(touches.c.state))) == {"planned"}
        assert runs.step_of(conn, RUN_ID, "draft") is None


@on_sqlite
def test_a_decision_without_its_measurement_event_stops(tmp_path: Path, ledger: Ledger) -> None:
    """Measurement event is logged: for each, or the run goes no further."""
    house = House(tmp_path, ledger)
    house.open({"customer": "c-ada"}, logged=False)
    with pytest.raises(StepError, match="Measurement event is logged"):
        draft_run(house.workspace, RUN_ID, NOW)
