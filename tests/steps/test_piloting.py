"""A pilot from its beginning to its report: nobody outside its sample, nothing without a baseline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.builders import KEYS
from tests.company import Company
from tests.steps.six import NOW, PLAYBOOK, Six

from reactivation.ledger import identity, pilots
from reactivation.ledger.engine import Ledger
from reactivation.ledger.runs import StepError
from reactivation.ledger.tables import enrolments, measurement_events, sends
from reactivation.steps.dispatch import dispatch
from reactivation.steps.draft import draft_run
from reactivation.steps.lists import open_lists
from reactivation.steps.pilot_report import pilot_report
from reactivation.steps.piloting import begin_pilot, end_pilot
from reactivation.steps.plan import plan_run

on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
SOON, LATER = NOW + timedelta(minutes=10), NOW + timedelta(hours=1)


@pytest.fixture
def six(tmp_path: Path, ledger: Ledger) -> Iterator[Six]:
    """c-ada and c-ben may be enrolled and are own-ada's households; c-cem may, and is own-ben's business."""
    made = Six(tmp_path / "home", ledger)
    made.change(f"playbooks/{PLAYBOOK}.yaml", {"holdout_share": 0.0})
    with ledger.begin() as conn:
        environment, checks = made.workspace.settings.environment, KEYS.check_values()
        identity.identify(conn, environment=environment, check_values=checks, now=NOW)
    made.snapshot()
    yield made


def begun(six: Six, **asked: Any) -> pilots.Pilot:
    """A pilot, after the dry run its baseline is counted from."""
    six.ready(dry=True)
    wanted = {"segment": "household", "most": None, "user": "operator", "now": NOW} | asked
    return begin_pilot(six.workspace, PLAYBOOK, **wanted)


def planned(six: Six, now: datetime = SOON) -> dict[str, int]:
    run_id = six.ready(now)
    counts = plan_run(six.workspace, run_id, now)
    draft_run(six.workspace, run_id, now)
    open_lists(six.workspace, run_id, now)
    return counts


def enrolled(six: Six) -> list[str]:
    with six.ledger.begin() as conn:
        return sorted(conn.scalars(select(enrolments.c.customer_id)))


def sent(six: Six) -> None:
    """Everything is signed, and what is due goes out."""
    people = Company(six.workspace)
    for request, row, items in people.asked(SOON):
        by = "olu" if row.kind == "offer" else {"own-ada": "ada", "own-ben": "ben"}[row.owner_id]
        assert "signed" in people.answer(request, row, items, "Sign", by=by, now=SOON)
    six.write(as_of=LATER)
    assert dispatch(six.workspace, LATER).accepted > 0


class TestBegin:
    def test_nobody_outside_its_sample_is_enrolled(self, six: Six) -> None:
        """The business customer is held with the reason, in the counts and as a measurement event."""
        begun(six)
        counts = planned(six)
        assert counts["held:outside_pilot"] == 1
        assert enrolled(six) == ["c-ada", "c-ben"]
        event = measurement_events.c
        with six.ledger.begin() as conn:
            reasons = dict(conn.execute(select(event.subject, event.reason).where(event.outcome == "hold")).all())
        assert reasons["c-cem"] == "outside_pilot"

    @on_sqlite
    def test_of_the_best_by_priority(self, six: Six) -> None:
        """Who they are is fixed when it begins."""
        pilot = begun(six, segment=None, most=1)
        assert len(pilot.subjects) == 1
        planned(six)
        assert enrolled(six) == list(pilot.subjects)

    @on_sqlite
    def test_the_baseline_is_of_before(self, six: Six) -> None:
        """The playbook's own metric, of the last run that decided, kept with the pilot."""
        pilot = begun(six)
        assert pilot.baseline["measure"] == "reactivation_eligibility_review_rate"
        assert pilot.baseline["of"] > 0
        assert (pilot.ends_at, pilot.owner_id, pilot.threshold) == (NOW + timedelta(days=45), "own-ada", 1.0)

    @on_sqlite
    def test_without_a_decision_there_is_no_baseline(self, six: Six) -> None:
        """With the command that makes one."""
        with pytest.raises(StepError, match=f"reactivation run {PLAYBOOK}"):
            begin_pilot(six.workspace, PLAYBOOK, segment="household", most=None, user="operator", now=NOW)

    @on_sqlite
    def test_after_the_first_enrolment_it_is_too_late(self, six: Six) -> None:
        """What was before cannot be counted any more."""
        planned(six)
        with pytest.raises(StepError, match="has enrolled people already"):
            begun(six)

    @on_sqlite
    @pytest.mark.parametrize(("asked", "said"), [
        ({"segment": None}, "one inactive customer segment"), ({"most": 5}, "--segment NAME, or --top N"),
        ({"segment": "wholesale"}, "knows no business segment wholesale"), ({"segment": None, "most": 0}, "of 0 is no"),
        ({"segment": None, "most": 1_001}, "1 to 1000"), ({"segment": "business"}, "belongs to own-ben"),
    ])  # fmt: skip
    def test_it_is_of_one_sample_and_one_owner(self, six: Six, asked: dict[str, Any], said: str) -> None:
        """Anything else is refused with the fix."""
        with pytest.raises(StepError, match=said):
            begun(six, **asked)

    @on_sqlite
    def test_one_at_a_time(self, six: Six) -> None:
        """A second is refused while the first stands; ended, its baseline still is the one of before."""
        first = begun(six)
        with pytest.raises(StepError, match="in a pilot already"):
            begun(six)
        planned(six)
        end_pilot(six.workspace, PLAYBOOK, user="mia", now=LATER)
        assert begun(six).baseline == first.baseline


@on_sqlite
class TestEnd:
    def test_after_its_days_nobody_begins_by_itself(self, six: Six) -> None:
        """Going on with everybody is somebody's decision."""
        six.change(f"playbooks/{PLAYBOOK}.yaml", {"pilot": {"days": 0}})
        begun(six)
        counts = planned(six, LATER)
        assert (counts["held:pilot_over"], counts["held:outside_pilot"], counts["begun"]) == (2, 1, 0)
        end_pilot(six.workspace, PLAYBOOK, user="mia", now=LATER)
        assert planned(six, LATER)["begun"] == 3

    def test_of_a_playbook_in_none(self, six: Six) -> None:
        """Is refused."""
        with pytest.raises(StepError, match="is in no pilot"):
            end_pilot(six.workspace, PLAYBOOK, user="mia", now=NOW)


class TestReport:
    def test_the_threshold_is_proven_from_the_ledger(self, six: Six) -> None:
        """Everybody written to was decided, permitted and signed before; with the baseline, before and after."""
        begun(six)
        planned(six)
        sent(six)
        report = pilot_report(six.workspace, PLAYBOOK, LATER)
        proof = report.threshold
        assert (report.state, proof.verdict, proof.passed, proof.of) == ("running", "proven", 2, 2)
        assert [row.subject for row in proof.rows] == ["c-ada", "c-ben"]
        assert report.before["measure"] == report.after["measure"]
        assert report.before["run_id"] != report.after["run_id"]
        assert report.claim.startswith("Pilot evidence, not validation")
        by_subject = {one.subject: one.items for one in report.test}
        assert {"c-ada", "c-ben"} <= set(by_subject)
        assert "c-cem" not in by_subject
        assert by_subject["c-ada"]["owner_approval"]
        assert all(items["outcome"] for items in by_subject.values())

    @on_sqlite
    def test_a_message_without_its_evidence_refutes_it(self, six: Six) -> None:
        """As if somebody had reached into the database: the counter-example is named."""
        begun(six)
        planned(six)
        sent(six)
        with six.ledger.unchecked() as conn:
            one = conn.scalar(select(sends.c.send_id).order_by(sends.c.send_id))
            for (name,) in conn.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'sends'"
            ).all():
                conn.exec_driver_sql(f"DROP TRIGGER {name}")
            conn.execute(update(sends).where(sends.c.send_id == one).values(basis={"basis": None, "records": []}))
        proof = pilot_report(six.workspace, PLAYBOOK, LATER).threshold
        assert (proof.verdict, proof.passed, proof.of) == ("refuted", 1, 2)
        assert [row.missing for row in proof.counter_examples] == [(f"consent ({one})",)]

    @on_sqlite
    def test_before_anything_was_sent(self, six: Six) -> None:
        """It says that there is not enough to tell; without a pilot there is no report."""
        with pytest.raises(StepError, match="was in no pilot yet"):
            pilot_report(six.workspace, PLAYBOOK, NOW)
        begun(six)
        assert pilot_report(six.workspace, PLAYBOOK, NOW).threshold.verdict == "not enough data"
