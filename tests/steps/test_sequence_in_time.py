"""Customers walk through a playbook of seven touches on a given clock, as the daily run and the hourly tasks take them.

Only the days on which something happens are played. The playbook is the shipped one with a template for every touch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.builders import KEYS, Row, consent, contact, days_ago, offer, purchase, suppression, tables
from tests.company import Company
from tests.steps.six import NOW, PLAYBOOK, Six

from reactivation.ledger import identity, migrations
from reactivation.ledger.engine import open_ledger
from reactivation.ledger.tables import enrolments, offer_codes, tags, touches
from reactivation.steps.calendar import calendar, schedule
from reactivation.steps.dispatch import dispatch
from reactivation.steps.draft import draft_run
from reactivation.steps.explain import explain_customer
from reactivation.steps.lists import open_lists
from reactivation.steps.outcomes import record_outcomes
from reactivation.steps.plan import plan_run

PEOPLE = ("c-walk", "c-buys", "c-gone")
_PLAIN = {"pattern": "curiosity", "purpose": "check_in", "template": "curiosity"}
_REWARD = {"template": "value_reward"}
TOUCHES = [
    {"number": 1, "day": 0, **_PLAIN},
    {"number": 2, "day": 4, **_PLAIN},
    {"number": 3, "day": 9, "pattern": "value_reward", "purpose": "reward", "incentive": "points_or_credit",
     "offer": "offer-credit-15", **_REWARD},
    {"number": 4, "day": 15, **_PLAIN},
    {"number": 5, "day": 22, "only_ranges": ["deep"], **_PLAIN},
    {"number": 6, "day": 29, "pattern": "economic_incentive", "purpose": "offer", "incentive": "percent",
     "offer": "offer-percent-20", **_REWARD},
    {"number": 7, "day": 34, **_PLAIN},
]  # fmt: skip


def source() -> dict[str, list[Row]]:
    """Three households quiet for 130 days whose margins carry twenty percent, and the rows that keep tables whole."""
    others = ("c-dov", "c-eva", "c-fay")
    kept = {
        name: [row for row in rows if row.get("customer_id", "c-dov") in (*others, None)]
        for name, rows in tables().items()
    }
    bought = {"amount": Decimal("310.00"), "margin": Decimal("230.00")}
    endless = {"starts_at": days_ago(30), "ends_at": days_ago(-200)}
    return {
        **kept,
        "contacts": [*kept["contacts"], *(contact(customer, value_tier="mid") for customer in PEOPLE)],
        "purchases": [*kept["purchases"], *(purchase(f"b-{c}", c, days_ago(130), **bought) for c in PEOPLE)],
        "consents": [*kept["consents"], *(consent(f"r-{customer}", customer) for customer in PEOPLE)],
        "offers": [
            offer("offer-credit-15", **endless),
            offer("offer-percent-20", name="20 percent off", kind="percent", value=Decimal("20.00"), currency=None,
                  unit_cost=Decimal("30.00"), terms="20 off every hundred on your next booking.", **endless),
        ],
    }  # fmt: skip


@dataclass
class Stage:
    """A home, its source as it changes, and the days played so far."""

    six: Six
    told: dict[str, list[Row]] = field(default_factory=source)

    def say(self, table: str, *rows: Row) -> None:
        self.told[table] = [*self.told[table], *rows]

    def run(self, now: datetime, *, signed: bool = True) -> None:
        """A whole daily run; everybody signs at once, or nobody answers."""
        as_of = now - timedelta(minutes=30)
        self.six.write(as_of=as_of, **self.told)
        self.six.snapshot(as_of)
        run_id = self.six.ready(now)
        for step in (plan_run, draft_run, open_lists):
            step(self.six.workspace, run_id, now)
        people = Company(self.six.workspace, requests=int(now.timestamp()))
        for request, row, items in people.asked(now) if signed else ():
            by = "olu" if row.kind == "offer" else {"own-ada": "ada", "own-ben": "ben"}[row.owner_id]
            said = people.answer(request, row, items, "Sign", by=by, now=now)
            assert "signed" in said, said

    def send(self, now: datetime) -> dict[str, int]:
        self.six.write(as_of=now, **self.told)
        summary = dispatch(self.six.workspace, now)
        return {"accepted": summary.accepted, "expired": summary.expired, **summary.reasons}

    def listen(self, now: datetime) -> dict[str, int]:
        self.six.write(as_of=now, **self.told)
        return record_outcomes(self.six.workspace, now)

    def states(self, customer: str) -> dict[int, tuple[str, str | None]]:
        rows = schedule(self.six.workspace, PLAYBOOK, self._run_of(customer)).to_pylist()
        return {row["number"]: (row["state"], row["reason"]) for row in rows if row["customer_id"] == customer}

    def explain(self, customer: str) -> str:
        return explain_customer(self.six.workspace, customer, PLAYBOOK)

    def rows(self, *columns: Any) -> Sequence[Any]:
        with self.six.ledger.begin() as conn:
            return conn.execute(select(*columns)).all()

    def _run_of(self, customer: str) -> str:
        found = dict(self.rows(enrolments.c.customer_id, enrolments.c.run_id))
        return str(found[customer])


def day(number: int, hour: int = 10) -> datetime:
    """An hour of the day so many days after the Tuesday of ``NOW``."""
    return NOW.replace(hour=hour) + timedelta(days=number)


def begun(home: Path) -> Stage:
    url = f"sqlite:///{home / 'ledger.db'}"
    migrations.upgrade(url)
    stage = Stage(Six(home / "home", open_ledger(url)))
    with stage.six.ledger.begin() as conn:
        environment, checks = stage.six.workspace.settings.environment, KEYS.check_values()
        identity.identify(conn, environment=environment, check_values=checks, now=NOW)
    declared = {"holdout_share": 0.0, "touches": TOUCHES, "approval": {"horizon_days": 6}, "optimizer": None}
    stage.six.change(f"playbooks/{PLAYBOOK}.yaml", declared)
    return stage


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Sixty days: c-walk hears everything, c-buys buys after touch 3, c-gone opts out after touch 2."""
    stage = begun(tmp_path_factory.mktemp("played"))
    stage.run(day(0))  # touches 1 and 2 are asked about
    assert stage.send(day(0, 11))["accepted"] == 3
    assert stage.send(day(6))["accepted"] == 3  # touch 2, on the Monday
    stage.say("suppressions", suppression("s-gone", customer_id="c-gone", occurred_at=day(7, 9)))
    assert stage.listen(day(7))["exit:opted_out"] == 1
    stage.run(day(8))
    assert stage.send(day(14))["accepted"] == 2  # touch 3, the credit, after a Scottish holiday
    stage.say("purchases", purchase("b-new", "c-buys", day(15, 8), offer_code=_code(stage, "c-buys")))
    assert stage.listen(day(15))["exit:reactivated"] == 1
    stage.run(day(16))
    assert stage.send(day(20))["accepted"] == 1  # touch 4
    stage.run(day(31))
    assert stage.send(day(34))["accepted"] == 1  # touch 6, the twenty percent
    stage.run(day(37))
    assert stage.send(day(42))["accepted"] == 1  # touch 7
    assert "exit:no_response" not in stage.listen(day(48))
    over = stage.listen(day(49, 11))
    assert (over["exit:no_response"], over["tagged"]) == (1, 1)
    stage.run(day(55))
    yield stage
    stage.six.ledger.close()


def _code(stage: Stage, customer: str) -> str:
    rows = stage.rows(offer_codes.c.code, offer_codes.c.touch_id)
    owner = {r.touch_id: r.enrolment_id for r in stage.rows(touches.c.touch_id, touches.c.enrolment_id)}
    enrolled = {r.enrolment_id: r.customer_id for r in stage.rows(enrolments.c.enrolment_id, enrolments.c.customer_id)}
    return str(next(row.code for row in rows if enrolled[owner[row.touch_id]] == customer))


class TestStories:
    def test_one_walks_through_all_touches_and_climbs_the_ladder(self, played: Stage) -> None:
        """Seven touches, the fifth skipped for the range; both offers' codes are committed; no response, tagged."""
        sent = ("sent", None)
        assert played.states("c-walk") == dict.fromkeys((1, 2, 3, 4, 6, 7), sent) | {5: ("skipped", "range")}
        told = played.explain("c-walk")
        assert re.findall(r"  touch (\d) \w+ by email: accepted", told) == ["1", "2", "3", "4", "6", "7"]
        assert "touch 5 curiosity by email: skipped (range)" in told
        assert len(re.findall(r"signed by ada ", told)) == 6
        assert len(re.findall(r"signed by olu ", told)) == 2
        assert len(re.findall(r"    sent .* in Europe/London\) by outbox as .*\.eml", told)) == 6
        assert told.count("code committed") == 2
        assert "no_response (final_check)" in told
        assert f"tag {PLAYBOOK}_no_response: set" in told

    def test_one_buys_after_the_credit_and_hears_nothing_more(self, played: Stage) -> None:
        """The code that was used is in the story, and everything later was never asked about."""
        states = played.states("c-buys")
        assert {n: state for n, (state, _) in states.items()} == {
            1: "sent", 2: "sent", 3: "sent", 4: "cancelled", 5: "skipped", 6: "cancelled", 7: "cancelled",
        }  # fmt: skip
        told = played.explain("c-buys")
        assert "reactivated (purchase)" in told
        assert "order (purchases:b-new)" in told
        assert "redeemed of touch 3 (redeemed:purchases:b-new)" in told

    def test_one_opts_out_between_touches(self, played: Stage) -> None:
        """Two messages, then none; where and when he said so is in the story, though he is in no run's decisions."""
        assert [n for n, (state, _) in played.states("c-gone").items() if state == "sent"] == [1, 2]
        told = played.explain("c-gone")
        assert "opted_out (opt_out)" in told
        assert f"suppressed for every channel: opt_out, said {day(7, 9):%Y-%m-%d %H:%M} UTC" in told

    def test_a_finished_sequence_rests(self, played: Stage) -> None:
        """A week after the final check nobody is enrolled again; the tag stands."""
        assert "fail:cool_down" in played.explain("c-walk")
        assert len(played.rows(enrolments.c.enrolment_id)) == 3
        assert [row.customer_id for row in played.rows(tags.c.customer_id)] == ["c-walk"]

    def test_nothing_personal_is_told(self, played: Stage) -> None:
        """Ids and codes only."""
        told = "".join(played.explain(customer) for customer in PEOPLE)
        assert "hart" not in told.lower()
        assert "@" not in told

    def test_nobody_is_in_the_calendar_any_more(self, played: Stage) -> None:
        """No active enrolment, no rows; the calendar of the run that began them still shows what was sent."""
        assert schedule(played.six.workspace, PLAYBOOK).num_rows == 0
        days = calendar(schedule(played.six.workspace, PLAYBOOK, played._run_of("c-walk")))
        assert days[0] == {"day": "2026-11-17", "touch 1": 3, **{f"touch {n}": 0 for n in range(2, 8)}}
        assert sum(row["touch 3"] for row in days) == 2


class TestLate:
    def test_an_unsigned_credit_is_no_step_to_climb_on(self, tmp_path: Path) -> None:
        """Touch 3 expires unsigned: touch 6 is cancelled with the reason when it falls due, touch 7 goes on."""
        stage = begun(tmp_path)
        stage.run(day(0))
        stage.send(day(0, 11))
        stage.run(day(10), signed=False)
        assert stage.send(day(20))["expired"] >= 3
        stage.run(day(31))
        assert stage.states("c-walk")[3] == ("expired", "was_listed")
        assert stage.states("c-walk")[6] == ("cancelled", "step_below_not_tried")
        assert {row.state for row in stage.rows(offer_codes.c.state)} == {"released"}
        assert "cancelled" in stage.explain("c-walk")
        stage.six.ledger.close()

    def test_a_late_touch_moves_the_next_and_the_signed_one_waits(self, tmp_path: Path) -> None:
        """Touch 1 goes out on Friday: touch 2, signed for Monday, waits until Tuesday. It goes out on the Friday, and
        touch 3 is planned five days after that, not on the day before, as it was."""
        stage = begun(tmp_path)
        stage.run(day(0))
        assert stage.send(day(3, 15))["accepted"] == 3
        assert stage.send(day(6))["wait_not_over"] == 3
        assert self._third(stage) == day(14)
        assert stage.send(day(10))["accepted"] == 3
        assert self._third(stage) == day(15)
        stage.six.ledger.close()

    def test_a_late_touch_moves_what_is_not_asked_about_yet(self, tmp_path: Path) -> None:
        """All that was asked about is sent, the last of it late: what came back is recorded all the same, and nobody's
        sequence is over."""
        stage = begun(tmp_path)
        stage.run(day(0))
        stage.send(day(0, 11))
        assert stage.send(day(10))["accepted"] == 3
        assert stage.listen(day(10, 12)) == {"asked": 3, "events": 0, "suppressions": 0}
        stage.six.ledger.close()

    def _third(self, stage: Stage) -> datetime:
        rows = schedule(stage.six.workspace, PLAYBOOK).to_pylist()
        (at,) = {row["at"] for row in rows if row["number"] == 3}
        assert isinstance(at, datetime)
        return at
