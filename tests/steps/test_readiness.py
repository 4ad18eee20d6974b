"""The verdict on a real run, from the source's files to the ledger's step (000 and 001, Not Ready If)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from tests.builders import AS_OF, consent, contact, tables
from tests.ledgers import a_send, a_touch, an_enrolment
from tests.steps.six import NOW, Six

from reactivation.ledger import enrolments, events, runs, touches
from reactivation.ledger.engine import Ledger
from reactivation.ledger.events import Event
from reactivation.ledger.runs import StepError
from reactivation.ledger.tables import audit, sends
from reactivation.steps import deliverability
from reactivation.steps.plan import plan_run
from reactivation.steps.readiness import NotReady, check_readiness

on_one_ledger = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


@pytest.fixture
def six(tmp_path: Path, ledger: Ledger) -> Six:
    return Six(tmp_path / "home", ledger)


def without(table: str, *columns: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k not in columns} for row in tables()[table]]


def blocking(six: Six, run_id: str) -> set[str]:
    report = six.workspace.run_folder(run_id).read_json("readiness.json")
    assert report["ready"] is not any(c["blocks"] for c in report["conditions"])
    return {c["id"] for c in report["conditions"] if c["blocks"]}


#: What is wrong with the source or the configuration, the condition, and words of the message.
BREAKS: dict[str, tuple[Callable[[Six], object], str, tuple[str, ...]]] = {
    "no file of cases": (lambda s: s.write(cases=None), "support_history_unavailable", ("cases.csv",)),
    "no file of consents": (lambda s: s.write(consents=None), "consent_status_unclear", ("consents.csv",)),
    "no file of opt-outs": (lambda s: s.write(suppressions=None), "evidence_missing", ("suppressions.csv",)),
    "no file of purchases": (lambda s: s.write(purchases=None), "evidence_missing", ("purchases.csv",)),
    "an empty file of offers": (lambda s: s.write(offers=""), "evidence_missing", ("offers.csv",)),
    "no relationship column": (
        lambda s: s.write(contacts=without("contacts", "relationship")),
        "relationship_history_unavailable", ("contacts.csv", "relationship"),
    ),
    "no state of consents": (
        lambda s: s.write(consents=without("consents", "state")), "consent_status_unclear", ("consents.csv", "state"),
    ),
    "no unit cost of offers": (
        lambda s: s.write(offers=without("offers", "unit_cost")), "evidence_missing", ("offers.csv", "unit_cost"),
    ),
    "consents that join nobody": (
        lambda s: s.write(consents=[consent(f"r-{n}", f"x-{n}") for n in range(6)]),
        "consent_status_unclear", ("6 rows of consents.csv", "0.0% do"),
    ),
    "a customer without any consent record": (
        lambda s: s.write(
            consents=tables()["consents"][1:],
            contacts=[contact("c-ada", consent_email=None), *tables()["contacts"][1:]],
        ),
        "consent_status_unclear", ("1 of 5 candidates have no clear consent record", "95%"),
    ),
    "an opt-out of nobody": (
        lambda s: s.write(suppressions=[*tables()["suppressions"], {**tables()["suppressions"][0],
                          "suppression_id": "s-2", "customer_id": None, "address": None}]),
        "unreadable_no", ("suppressions.csv",),
    ),
    "an export of yesterday": (
        lambda s: s.write(as_of=AS_OF - timedelta(hours=24)), "source_stale", ("older than 24 hours",),
    ),
    "a segment without a window": (
        lambda s: s.write(contacts=[*tables()["contacts"], contact("c-gil", business_segment="school")]),
        "inactivity_not_segment_specific", ("school",),
    ),
    "an owner of a segment nobody knows": (
        lambda s: s.change("playbooks/customer_reactivation.yaml", {"owners": {"household": "own-gone"}}),
        "approval_point_undefined", ("segment household: own-gone",),
    ),
    "a measure nobody can compute": (
        lambda s: s.change("playbooks/customer_reactivation.yaml", {"measurement": {"measures": ["vibes"]}}),
        "measurement_plan_undefined", ("vibes",),
    ),
}  # fmt: skip


class TestBroken:
    """One thing wrong where it is exported or declared."""

    @on_one_ledger
    @pytest.mark.parametrize("what", BREAKS)
    def test_exactly_that_condition_stops_the_run(self, six: Six, what: str) -> None:
        """The paragraph names the condition, the thing, the place and the report; nothing else blocks."""
        spoil, condition, words = BREAKS[what]
        spoil(six)
        six.snapshot()
        run_id = six.decided()
        with pytest.raises(NotReady) as stopped:
            check_readiness(six.workspace, run_id, NOW)
        assert blocking(six, run_id) == {condition}
        message = str(stopped.value)
        assert "\n" not in message
        for word in (condition, *words, run_id, "readiness.json"):
            assert word in message


class TestStep:
    """What the verdict leaves in the ledger."""

    def test_a_ready_run_may_go_on(self, six: Six) -> None:
        """The step has succeeded on the manifest as it is now, and the audit trail says so."""
        six.snapshot()
        run_id = six.decided()
        assert check_readiness(six.workspace, run_id, NOW).remarks == 0
        assert blocking(six, run_id) == set()
        with six.ledger.begin() as conn:
            digest = six.workspace.run_folder(run_id).manifest_digest
            assert runs.require_step(conn, run_id, "readiness", digest).counts["remarks"] == 0
            assert "step_succeeded" in conn.scalars(select(audit.c.action).where(audit.c.subject == run_id)).all()

    def test_a_run_that_is_not_ready_is_over(self, six: Six) -> None:
        """It is recorded as not ready with how many rows, cannot be planned, and says the same when asked again."""
        six.write(cases=None)
        six.snapshot()
        run_id = six.decided()
        messages = []
        for _ in range(2):
            with pytest.raises(NotReady) as stopped:
                check_readiness(six.workspace, run_id, NOW)
            messages.append(str(stopped.value))
        assert messages[0] == messages[1]
        with six.ledger.begin() as conn:
            step = runs.step_of(conn, run_id, "readiness")
        assert step is not None
        assert (step.state, step.counts["blocking:support_history_unavailable"]) == ("not_ready", 1)
        with pytest.raises(StepError, match="step readiness ended as not_ready"):
            plan_run(six.workspace, run_id, NOW)
        assert not six.workspace.run_folder(run_id).has("plan")

    def test_an_undecided_run_is_not_judged(self, six: Six) -> None:
        """The ledger must know that ``decide`` succeeded; a file in the folder proves nothing."""
        six.snapshot()
        run_id = six.decided()
        six.workspace.run_folder(run_id).add_file("note.json", {"by": "somebody"})
        with pytest.raises(StepError, match="not those that step decide left"):
            check_readiness(six.workspace, run_id, NOW)

    @on_one_ledger
    def test_a_dry_run_of_the_past_asks_what_was_fresh_then(self, six: Six) -> None:
        """A source that speaks of last month is fresh for a dry run of last month, and stale for a real one."""
        six.snapshot()
        month_later = NOW + timedelta(days=30)
        assert check_readiness(six.workspace, six.decided(month_later, dry=True), month_later).remarks == 0

    @on_one_ledger
    def test_the_report_names_nobody(self, six: Six) -> None:
        """Ids of conditions, codes and counts; no customer, name or address."""
        six.write(consents=None)
        six.snapshot()
        run_id = six.decided()
        with pytest.raises(NotReady):
            check_readiness(six.workspace, run_id, NOW)
        report = six.workspace.run_folder(run_id).read_bytes("readiness.json").decode()
        for personal in ("c-ada", "Ada", "gmail.com", "Hart"):
            assert personal not in report


def much_came_back(six: Six, run_id: str) -> None:
    """A thousand e-mails of ours went out last week, and twenty-one of them came back."""
    at = NOW - timedelta(days=6)
    with six.ledger.begin() as conn:
        enrolled = [an_enrolment(f"m-{n}", run_id=run_id) for n in range(1_000)]
        enrolments.insert_enrolments(conn, enrolled)
        rows = [
            a_touch(one["enrolment_id"], one["customer_id"], state="accepted", draft_run_id=run_id) for one in enrolled
        ]
        touches.insert_touches(conn, rows)
        sent = {"state": "accepted", "intended_at": at, "called_at": at, "finished_at": at}
        conn.execute(insert(sends), [a_send(row["touch_id"], f"m-{n}", "w", **sent) for n, row in enumerate(rows)])
        back = [Event(f"b-{n}", f"m-{n}", None, None, row["touch_id"], "bounce", "email", at, "source")
                for n, row in enumerate(rows[:21])]  # fmt: skip
        events.record(conn, back, stops=(), now=at)


class TestDeliverability:
    """A domain at risk sends nothing more, also of what was signed before."""

    @on_one_ledger
    def test_a_run_stopped_for_it_stops_all_e_mail(self, six: Six) -> None:
        """One stop, also when a second run is stopped; a person ends it, not a later run."""
        six.snapshot()
        first, second = six.decided(), six.decided()
        much_came_back(six, first)
        for run_id in (first, second):
            with pytest.raises(NotReady, match="deliverability_risk"):
                check_readiness(six.workspace, run_id, NOW)
        assert standing(six) == [("channel:email", "deliverability:sources", "readiness")]

    @on_one_ledger
    def test_a_dry_run_stops_nothing(self, six: Six) -> None:
        """It is evidence only; and no other condition stops e-mail."""
        six.write(cases=None)
        six.snapshot()
        dry, real = six.decided(dry=True), six.decided()
        with pytest.raises(NotReady):
            check_readiness(six.workspace, real, NOW)
        much_came_back(six, real)
        with pytest.raises(NotReady, match="deliverability_risk"):
            check_readiness(six.workspace, dry, NOW)
        assert standing(six) == []


def standing(six: Six) -> list[tuple[str, str, str]]:
    with six.ledger.begin() as conn:
        return [(one.scope, one.reason, one.actor) for one in deliverability.standing(conn, NOW)]
