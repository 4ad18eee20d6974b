"""Planning a run, from its decisions to enrolments, touches and measurement events in the ledger."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sqlalchemy import Table, select
from sqlalchemy.exc import IntegrityError
from tests.builders import AS_OF, offer
from tests.steps.six import NOW, PLAYBOOK, Six

from reactivation.evidence import SnapshotFolder
from reactivation.ledger import enrolments, migrations, runs
from reactivation.ledger.engine import Ledger, open_ledger
from reactivation.ledger.runs import StepError
from reactivation.ledger.tables import audit as audit_rows
from reactivation.ledger.tables import enrolment_keys, measurement_events, touches
from reactivation.ledger.tables import enrolments as enrolled
from reactivation.readiness.checker import CONCERNED
from reactivation.steps.plan import plan_run
from reactivation.steps.planning import PLAN, without_held_back
from reactivation.steps.readiness import check_readiness

DECLARED = f"playbooks/{PLAYBOOK}.yaml"


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The snapshot of the six customers, read once."""
    home = tmp_path_factory.mktemp("extracted")
    url = f"sqlite:///{home / 'ledger.db'}"
    migrations.upgrade(url)
    return Six(home, open_ledger(url)).snapshot()


@pytest.fixture
def six(tmp_path: Path, ledger: Ledger, extracted: Path) -> Six:
    """Six customers of whom c-ada, c-ben and c-cem may be contacted, on a snapshot; nobody is held out."""
    made = Six(tmp_path / "home", ledger)
    made.change(DECLARED, {"holdout_share": 0.0})
    made.adopt(extracted)
    return made


def rows(six: Six, table: Table, *order: str) -> list[dict[str, Any]]:
    with six.ledger.begin() as conn:
        return [dict(r._mapping) for r in conn.execute(select(table).order_by(*(table.c[name] for name in order)))]


def plan_table(six: Six, run_id: str) -> pa.Table:
    return six.workspace.run_folder(run_id).read("plan")


def planned(six: Six, run_id: str) -> list[tuple[str, int]]:
    table = plan_table(six, run_id)
    kept = table.filter(pc.equal(table["state"], "planned"))
    return list(zip(kept["customer_id"].to_pylist(), kept["number"].to_pylist(), strict=True))


def events(six: Six, run_id: str) -> dict[str, tuple[str, str | None]]:
    found = [e for e in rows(six, measurement_events) if e["run_id"] == run_id and e["kind"] == "decision"]
    assert len(found) == len({e["subject"] for e in found})
    return {e["subject"]: (e["outcome"], e["reason"]) for e in found}


def snapshot_of(six: Six, run_id: str) -> SnapshotFolder:
    with six.ledger.begin() as conn:
        return six.workspace.snapshot_folder(runs.run_of(conn, run_id).snapshot_id)


def planned_dry(six: Six) -> str:
    """A run of this playbook with a plan, for enrolments of another."""
    run_id = six.ready(dry=True)
    plan_run(six.workspace, run_id, NOW)
    return run_id


def later(six: Six, days: int) -> datetime:
    """The clock so many days on, with a source and a snapshot of that day."""
    six.write(as_of=AS_OF + timedelta(days=days))
    six.snapshot(AS_OF + timedelta(days=days))
    return NOW + timedelta(days=days)


class TestEnrolling:
    """Who begins is in the ledger with the touches of the horizon, and in ``plan.parquet`` with all of them."""

    def test_the_plan_has_every_touch_of_who_begins(self, six: Six) -> None:
        """Three customers and seven touches each; those with a template and an offer they may have are planned."""
        run_id = six.decided()
        check_readiness(six.workspace, run_id, NOW)
        plan_run(six.workspace, run_id, NOW)
        plan = plan_table(six, run_id)
        assert plan.schema == PLAN
        expected = {"c-ada": [1, 2, 3, 4, 7], "c-ben": [1, 2, 4, 7], "c-cem": [1, 2, 3, 4, 7]}
        assert planned(six, run_id) == [(one, number) for one, numbers in expected.items() for number in numbers]
        assert plan["number"].to_pylist() == [*range(1, 8)] * 3
        assert Counter(plan["reason"].drop_null().to_pylist()) == {
            "range": 3, "offer_not_allowed": 2, "offer_above_position": 2,
        }  # fmt: skip

    def test_the_ledger_has_enrolments_keys_and_touches(self, six: Six) -> None:
        """An enrolment as it was decided, every address key occupied, a planned touch for each one in the horizon."""
        run_id = six.ready()
        counts = plan_run(six.workspace, run_id, NOW)
        begun = {row["customer_id"]: row for row in rows(six, enrolled)}
        assert set(begun) == {"c-ada", "c-ben", "c-cem"}
        cem = begun["c-cem"]
        assert (cem["segment"], cem["owner_id"], cem["decision"]) == ("business", "own-ben", "review")
        assert (cem["review_reasons"], cem["state"], cem["enrolled_at"]) == (["offer_to_account"], "active", NOW)
        assert cem["dimensions"]["dormancy_range"] == "critical"
        plan = plan_table(six, run_id).to_pylist()
        assert cem["plan_ends_at"] == max(
            t["not_after"] for t in plan if t["customer_id"] == "c-cem" and t["not_after"]
        )
        contacts = {c["customer_id"]: c for c in snapshot_of(six, run_id).read("contacts").to_pylist()}
        keys = {(k["enrolment_id"], k["channel"], k["address_key"]) for k in rows(six, enrolment_keys) if k["active"]}
        assert keys == {
            (begun[c]["enrolment_id"], channel, contacts[c][key])
            for c in begun
            for channel, key in (("email", "email_key"), ("sms", "phone_key"))
            if contacts[c][key] is not None
        }
        in_horizon = {t["touch_id"]: t for t in plan if t["in_horizon"]}
        entered = {t["touch_id"]: t for t in rows(six, touches)}
        assert entered.keys() == in_horizon.keys()
        for touch_id, touch in entered.items():
            assert touch["state"] == "planned"
            wanted = in_horizon[touch_id]
            assert all(touch[name] == wanted[name] for name in (
                "enrolment_id", "number", "pattern", "purpose", "channel", "incentive", "offer_id", "address_key",
                "not_before", "not_after",
            ))  # fmt: skip
        assert (counts["begun"], counts["planned"], counts["entered"], counts["continued"]) == (3, 14, 8, 0)

    def test_ids_are_of_the_run_and_the_customer(self, six: Six) -> None:
        """The same run would give the same ids; they say nothing of the customer."""
        run_id = six.ready()
        plan_run(six.workspace, run_id, NOW)
        row = plan_table(six, run_id).to_pylist()[0]
        assert row["enrolment_id"] == str(uuid5(NAMESPACE_URL, f"{run_id}:c-ada"))
        assert row["touch_id"] == str(uuid5(NAMESPACE_URL, f"{row['enrolment_id']}:1"))

    def test_every_decision_leaves_one_event(self, six: Six) -> None:
        """Suppressions and holds too, with the decisive reason."""
        run_id = six.ready()
        plan_run(six.workspace, run_id, NOW)
        assert events(six, run_id) == {
            "c-ada": ("enrol", None), "c-ben": ("enrol", None), "c-cem": ("review", "offer_to_account"),
            "c-dov": ("suppress", "suppressed:opt_out"), "c-eva": ("hold", "open_issue:open_case"),
        }  # fmt: skip

    def test_step_and_audit_are_recorded(self, six: Six) -> None:
        """The step has succeeded on the manifest as it is now, and the audit trail has the digest of who begins."""
        run_id = six.ready()
        plan_run(six.workspace, run_id, NOW)
        with six.ledger.begin() as conn:
            assert runs.require_step(conn, run_id, "plan", six.workspace.run_folder(run_id).manifest_digest)
            told = conn.execute(select(audit_rows).where(audit_rows.c.action == "enrolments_begun")).one()
        assert told.subject == run_id
        plan = six.workspace.run_folder(run_id).files["plan.parquet"]
        entered = {"enrolments": len(rows(six, enrolled)), "touches": len(rows(six, touches))}
        assert json.loads(told.details) == {"plan": plan, **entered}

    def test_the_same_snapshot_plans_the_same(self, six: Six) -> None:
        """Two dry runs plan byte for byte the same, ids of their own aside."""
        plans = []
        for _ in range(2):
            run_id = six.ready(dry=True)
            plan_run(six.workspace, run_id, NOW)
            plans.append(plan_table(six, run_id).drop_columns(["enrolment_id", "touch_id"]))
        assert plans[0].equals(plans[1])


class TestDryRun:
    """A dry run plans the same and enrols nobody."""

    def test_only_files_and_the_step_remain(self, six: Six) -> None:
        """No enrolment, key, touch or event; the plan is what a real run would plan."""
        dry = six.ready(dry=True)
        counts = plan_run(six.workspace, dry, NOW)
        for table in (enrolled, enrolment_keys, touches, measurement_events):
            assert rows(six, table) == []
        with six.ledger.begin() as conn:
            assert runs.require_step(conn, dry, "plan", six.workspace.run_folder(dry).manifest_digest)
        real = six.ready()
        assert plan_run(six.workspace, real, NOW) == counts
        assert planned(six, dry) == planned(six, real)


class TestOrder:
    """A step begins where the one before it has ended, and happens once."""

    def test_a_run_not_judged_yet_is_not_planned(self, six: Six) -> None:
        """Deciding is not enough."""
        run_id = six.decided()
        with pytest.raises(StepError, match="step readiness has not ended"):
            plan_run(six.workspace, run_id, NOW)

    def test_a_planned_run_is_not_planned_again(self, six: Six) -> None:
        """Nobody is enrolled twice."""
        run_id = six.ready()
        plan_run(six.workspace, run_id, NOW)
        with pytest.raises(StepError):
            plan_run(six.workspace, run_id, NOW)
        assert len(rows(six, enrolled)) == 3

    def test_a_failure_leaves_nothing_half_done(self, six: Six) -> None:
        """A conflict in the middle of the transaction: no enrolment, event or step of it remains."""
        elsewhere, run_id = planned_dry(six), six.ready()
        with six.ledger.begin() as conn:
            run = runs.run_of(conn, elsewhere)
            enrolments.insert_enrolments(conn, [_foreign(run, str(uuid5(NAMESPACE_URL, f"{run_id}:c-cem")))])
        with pytest.raises(IntegrityError):
            plan_run(six.workspace, run_id, NOW)
        assert [row["customer_id"] for row in rows(six, enrolled)] == ["c-else"]
        for table in (enrolment_keys, touches, measurement_events):
            assert rows(six, table) == []
        with six.ledger.begin() as conn:
            assert runs.step_of(conn, run_id, "plan") is None


def _foreign(run: runs.Run, enrolment_id: str) -> dict[str, Any]:
    return {
        "enrolment_id": enrolment_id, "playbook": "customers_not_active", "run_id": run.run_id, "customer_id": "c-else",
        "account_id": None, "segment": "household", "owner_id": "own-ada", "decision": "enrol", "review_reasons": [],
        "dimensions": {}, "state": "active", "enrolled_at": NOW, "plan_ends_at": NOW + timedelta(days=9),
    }  # fmt: skip


class TestIntake:
    """Who may not begin today is held, and measured so."""

    def test_a_day_begins_so_many(self, six: Six) -> None:
        """One a day: the best today, nobody more today, the next tomorrow."""
        six.change(DECLARED, {"intake": {"per_day": 1}})
        first = six.ready()
        counts = plan_run(six.workspace, first, NOW)
        assert (counts["begun"], counts["held:capacity"]) == (1, 2)
        [begun] = rows(six, enrolled)
        told = events(six, first)
        assert told[begun["customer_id"]][0] in ("enrol", "review")
        assert Counter(told.values())["hold", "capacity"] == 2
        second = six.ready()
        assert plan_run(six.workspace, second, NOW)["begun"] == 0
        assert events(six, second)[begun["customer_id"]] == (begun["decision"], "already_enrolled")
        tomorrow = later(six, 1)
        assert plan_run(six.workspace, six.ready(tomorrow), tomorrow)["begun"] == 1
        assert len(rows(six, enrolled)) == 2

    def test_an_owner_looks_at_so_many_items(self, six: Six) -> None:
        """With room for three items own-ada begins c-ada (three touches) or c-ben (two); own-ben has his own."""
        six.change(DECLARED, {"intake": {"review_capacity_per_owner": 3}})
        plan_run(six.workspace, six.ready(), NOW)
        by_owner = Counter(row["owner_id"] for row in rows(six, enrolled))
        assert by_owner == {"own-ada": 1, "own-ben": 1}
        plan_run(six.workspace, six.ready(), NOW)
        waiting = Counter(touch["enrolment_id"] for touch in rows(six, touches))
        assert sum(waiting.values()) <= 6
        assert Counter(row["owner_id"] for row in rows(six, enrolled))["own-ben"] == 1

    @pytest.mark.parametrize(("asked", "begun", "reason"), [
        ({"sample_size": 1}, 1, "sample_size"),
        ({"segment": "business"}, 1, "segment_not_in_run"),
    ])  # fmt: skip
    def test_a_run_may_ask_for_less(self, six: Six, asked: dict[str, Any], begun: int, reason: str) -> None:
        """A sample, or one segment."""
        run_id = six.ready(**asked)
        assert plan_run(six.workspace, run_id, NOW)["begun"] == begun
        assert Counter(events(six, run_id).values())["hold", reason] == 3 - begun

    def test_the_holdout_begins_nothing(self, six: Six) -> None:
        """Held out: measured, in no enrolment."""
        six.change(DECLARED, {"holdout_share": 1.0})
        run_id = six.ready()
        counts = plan_run(six.workspace, run_id, NOW)
        assert (counts["begun"], counts["holdout"]) == (0, 3)
        assert rows(six, enrolled) == []
        assert Counter(events(six, run_id).values())["holdout", "holdout"] == 3

    def test_a_person_taken_meanwhile_is_held(self, six: Six) -> None:
        """Another playbook enrolled c-ben after this run had decided."""
        elsewhere, run_id = planned_dry(six), six.ready()
        decided = six.workspace.run_folder(run_id).read("decisions").to_pylist()
        key = next(row["email_key"] for row in decided if row["customer_id"] == "c-ben")
        with six.ledger.begin() as conn:
            other = _foreign(runs.run_of(conn, elsewhere), str(uuid5(NAMESPACE_URL, "other")))
            enrolments.insert_enrolments(conn, [other])
            taken = {"enrolment_id": other["enrolment_id"], "address_key": key, "channel": "email", "active": True}
            enrolments.insert_keys(conn, [taken])
        assert plan_run(six.workspace, run_id, NOW)["held:in_another_playbook"] == 1
        assert events(six, run_id)["c-ben"] == ("hold", "in_another_playbook")
        assert {row["customer_id"] for row in rows(six, enrolled)} == {"c-ada", "c-cem", "c-else"}

    def test_no_more_begin_than_the_domain_can_carry_today(self, six: Six) -> None:
        """Two e-mails a day: two begin, a second run of the day begins nobody, and the next day brings the third."""
        six.change("tenant.yaml", {"tenant": {"sender": {"daily_floor": 2}}})
        counts = plan_run(six.workspace, six.ready(), NOW)
        assert (counts["begun"], counts["held:capacity"]) == (2, 1)
        assert plan_run(six.workspace, six.ready(), NOW)["begun"] == 0
        tomorrow = later(six, 1)
        assert plan_run(six.workspace, six.ready(tomorrow), tomorrow)["begun"] == 1

    def test_what_another_playbook_began_today_is_carried_too(self, six: Six) -> None:
        """They share the domain."""
        six.change("tenant.yaml", {"tenant": {"sender": {"daily_floor": 2}}})
        elsewhere = planned_dry(six)
        with six.ledger.begin() as conn:
            enrolments.insert_enrolments(conn, [_foreign(runs.run_of(conn, elsewhere), str(uuid5(NAMESPACE_URL, "b")))])
        assert plan_run(six.workspace, six.ready(), NOW)["begun"] == 1

    def test_an_offer_is_promised_within_its_budget(self, six: Six) -> None:
        """A budget for one credit, given to whoever comes first; the next run's customer gets touch 1 only."""
        six.write(offers=[offer("offer-credit-15", budget=Decimal("29.99"))])
        six.snapshot(AS_OF + timedelta(minutes=1))
        six.change(DECLARED, {"intake": {"per_day": 2}})
        plan_run(six.workspace, six.ready(), NOW)
        six.change(DECLARED, {"intake": {"per_day": 3}})
        counts = plan_run(six.workspace, six.ready(), NOW)
        assert (counts["begun"], counts["skipped:offer_budget"]) == (1, 1)
        assert len([touch for touch in rows(six, touches) if touch["offer_id"] is not None]) == 1


class TestHorizon:
    """A touch gets its row on the day it enters the approval horizon."""

    def test_a_later_run_brings_the_later_touches(self, six: Six) -> None:
        """With a horizon of five days touch 3, two weeks on, enters nine days later, as it was planned then."""
        six.change(DECLARED, {"approval": {"horizon_days": 5}})
        first = six.ready()
        assert plan_run(six.workspace, first, NOW)["entered"] == 3
        assert {touch["number"] for touch in rows(six, touches)} == {1}
        day_9 = later(six, 9)
        counts = plan_run(six.workspace, six.ready(day_9), day_9)
        assert (counts["begun"], counts["continued"]) == (0, 5)
        wanted = {t["touch_id"]: t["not_before"] for t in plan_table(six, first).to_pylist() if t["number"] == 3}
        entered = [touch for touch in rows(six, touches) if touch["number"] == 3]
        assert len(entered) == 2
        assert all((t["state"], t["not_before"]) == ("planned", wanted[t["touch_id"]]) for t in entered)
        again = plan_run(six.workspace, six.ready(day_9), day_9)
        assert again["continued"] == 0

    def test_a_touch_missed_has_expired(self, six: Six) -> None:
        """No run for four weeks: the touch enters as expired, and is never sent late."""
        six.change(DECLARED, {"approval": {"horizon_days": 5}})
        plan_run(six.workspace, six.ready(), NOW)
        week_4 = later(six, 28)
        plan_run(six.workspace, six.ready(week_4), week_4)
        missed = [touch for touch in rows(six, touches) if touch["number"] == 3]
        assert {(touch["state"], touch["reason"]) for touch in missed} == {("expired", "entered_too_late")}

    def test_what_is_still_to_come_is_promised_already(self, six: Six) -> None:
        """A credit planned beyond the horizon counts against the budget of the next run."""
        six.write(offers=[offer("offer-credit-15", budget=Decimal("29.99"))])
        six.snapshot(AS_OF + timedelta(minutes=1))
        six.change(DECLARED, {"approval": {"horizon_days": 5}, "intake": {"per_day": 2}})
        first = six.ready()
        plan_run(six.workspace, first, NOW)
        assert [number for _, number in planned(six, first)].count(3) == 1
        assert [touch for touch in rows(six, touches) if touch["offer_id"] is not None] == []
        six.change(DECLARED, {"intake": {"per_day": 3}})
        counts = plan_run(six.workspace, six.ready(), NOW)
        assert (counts["begun"], counts["skipped:offer_budget"]) == (1, 1)


def test_a_dry_run_counts_what_is_enrolled_already(six: Six) -> None:
    """Who is enrolled does not begin again in a dry run either."""
    plan_run(six.workspace, six.ready(), NOW)
    dry = six.ready(dry=True)
    assert plan_run(six.workspace, dry, NOW)["candidates"] == 0
    assert plan_table(six, dry).num_rows == 0
    assert len(rows(six, enrolled)) == 3


class TestHeldBack:
    """Whom a warning of readiness concerns is not enrolled, whatever was decided."""

    CONCERNED: ClassVar[list[dict[str, str]]] = [
        {"condition": "owner_unclear", "severity": "warning", "subject": "candidates", "key": "a"},
        {"condition": "consent_status_unclear", "severity": "critical", "subject": "candidates", "key": "b"},
        {"condition": "rows_often_broken", "severity": "warning", "subject": "cases", "key": "c"},
        {"condition": "sources_contradict", "severity": "warning", "subject": "candidates", "key": "d"},
    ]  # fmt: skip

    def test_is_held_with_the_condition(self) -> None:
        """Only those who could have begun, and only where the warning is about candidates."""
        reasons = pa.array([["x"], ["y"], [], ["no_email"]], pa.list_(pa.string()))
        decisions = pa.table({
            "customer_id": list("abcd"), "decision": ["enrol", "enrol", "review", "suppress"], "reason_codes": reasons,
        })  # fmt: skip
        concerned = pa.Table.from_pylist(self.CONCERNED, CONCERNED)
        assert without_held_back(decisions, concerned).to_pylist() == [
            {"customer_id": "a", "decision": "hold", "reason_codes": ["not_ready:owner_unclear"]},
            {"customer_id": "b", "decision": "enrol", "reason_codes": ["y"]},
            {"customer_id": "c", "decision": "review", "reason_codes": []},
            {"customer_id": "d", "decision": "suppress", "reason_codes": ["no_email"]},
        ]

    def test_the_plan_reads_whom_readiness_concerns(self, six: Six) -> None:
        """From the run's own evidence; somebody who would have begun does not, and his event says why."""
        run_id = six.decided()
        folder = six.workspace.run_folder(run_id)
        may_begin = folder.read("decisions").filter(pc.equal(folder.read("decisions")["decision"], "enrol"))
        held = may_begin["customer_id"][0].as_py()
        row = {"condition": "owner_unclear", "severity": "warning", "subject": "candidates", "key": held}
        digest = folder.add_file("readiness_rows", pa.Table.from_pylist([row], CONCERNED))
        with six.ledger.begin() as conn:
            runs.record_step(
                conn, run_id, "readiness", state="succeeded", manifest_digest=digest, counts={}, now=NOW
            )  # fmt: skip
        plan_run(six.workspace, run_id, NOW)
        assert held not in folder.read("plan")["customer_id"].to_pylist()
        with six.ledger.begin() as conn:
            events = conn.execute(select(measurement_events).where(measurement_events.c.subject == held)).all()
        assert [(one.outcome, one.reason) for one in events] == [("hold", "not_ready:owner_unclear")]
