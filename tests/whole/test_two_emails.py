"""Document 002 from the CRM to the outbox and back: two e-mails to customers not active, and a tag.

On a given clock: the daily run, the hourly sending and the hourly recording, on the days on which something happens.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.builders import KEYS, Row, consent, contact, days_ago, engagement, purchase, suppression, tables
from tests.company import Company
from tests.steps.six import NOW, Six

from reactivation.ledger import identity
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import enrolments, sends, tags, touches
from reactivation.steps.dispatch import dispatch
from reactivation.steps.draft import draft_run
from reactivation.steps.lists import open_lists
from reactivation.steps.metrics import metrics
from reactivation.steps.outcomes import record_outcomes
from reactivation.steps.plan import plan_run
from reactivation.steps.segmented import segment_members

PLAYBOOK = "customers_not_active"
TAG = "customer_not-active_after-reactivation"
AFTER = "customers_not_active_after_react"
#: Everybody is a British household that bought 130 days ago and did nothing since; c-us lives in New York.
PEOPLE = ("c-buys", "c-clicks", "c-lapses", "c-leaves", "c-opens", "c-silent", "c-us", "c-visits", "c-withdraws")
US = {"country": "US", "region": "NY", "timezone": "America/New_York"}


def source() -> dict[str, list[Row]]:
    kept = {
        name: [row for row in rows if row.get("customer_id", "c-dov") in ("c-dov", "c-eva", "c-fay", None)]
        for name, rows in tables().items()
    }
    worth = {"amount": Decimal("310.00"), "margin": Decimal("140.00")}
    return {
        **kept,
        "contacts": [*kept["contacts"], *(contact(one, **(US if one == "c-us" else {})) for one in PEOPLE)],
        "purchases": [*kept["purchases"], *(purchase(f"b-{one}", one, days_ago(130), **worth) for one in PEOPLE)],
        "consents": [*kept["consents"],
                     *(consent(f"r-{one}", one, jurisdiction="US" if one == "c-us" else "GB") for one in PEOPLE)],
    }  # fmt: skip


def day(number: int, hour: int = 10) -> datetime:
    """An hour (UTC) of the day so many days after the Tuesday of ``NOW``."""
    return NOW.replace(hour=hour) + timedelta(days=number)


@dataclass
class Stage:
    """A home, its source as it changes, and the days played so far."""

    six: Six
    told: dict[str, list[Row]] = field(default_factory=source)

    def say(self, table: str, *rows: Row) -> None:
        self.told[table] = [*self.told[table], *rows]

    def run(self, now: datetime, *, signed: Sequence[int] = (1, 2)) -> str:
        """A whole daily run; the e-mails of these numbers are signed at once, others nobody answers."""
        as_of = now - timedelta(minutes=30)
        self.six.write(as_of=as_of, **self.told)
        self.six.snapshot(as_of)
        run_id = self.six.ready(now, playbook=PLAYBOOK)
        for step in (plan_run, draft_run, open_lists):
            step(self.six.workspace, run_id, now)
        people = Company(self.six.workspace, requests=int(now.timestamp()), playbook=PLAYBOOK)
        for request, row, items in people.asked(now):
            if row.touch_number in signed:
                assert "signed" in people.answer(request, row, items, "Sign", by="ada", now=now)
        return run_id

    def send(self, now: datetime) -> list[str]:
        """An hour of sending; who was written to, by customer."""
        self.six.write(as_of=now, **self.told)
        before = self._outbox()
        dispatch(self.six.workspace, now)
        return sorted(f"c-{name}" for name in (_recipient(file) for file in self._outbox() - before))

    def listen(self, now: datetime) -> dict[str, int]:
        self.six.write(as_of=now, **self.told)
        return record_outcomes(self.six.workspace, now)

    def rows(self, *columns: Any) -> list[Any]:
        with self.six.ledger.begin() as conn:
            return list(conn.execute(select(*columns)))

    def exits(self) -> dict[str, str]:
        found = self.rows(enrolments.c.customer_id, enrolments.c.exit_reason)
        return {row.customer_id: row.exit_reason for row in found if row.exit_reason}

    def tagged(self) -> list[str]:
        return sorted(row.customer_id for row in self.rows(tags) if row.removed_at is None)

    def _outbox(self) -> set[Path]:
        return set(self.six.workspace.settings.outbox.glob("*.eml"))


def _recipient(file: Path) -> str:
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    return str(message["To"].addresses[0].username).partition(".")[0]


@pytest.fixture
def stage(tmp_path: Path, ledger: Ledger) -> Iterator[Stage]:
    """The two e-mails are the only playbook of the house."""
    made = Stage(Six(tmp_path / "home", ledger))
    for file in (made.six.home / "playbooks").glob("*.yaml"):
        if file.stem != PLAYBOOK:
            file.unlink()
    with ledger.begin() as conn:
        environment, checks = made.six.workspace.settings.environment, KEYS.check_values()
        identity.identify(conn, environment=environment, check_values=checks, now=NOW)
    yield made


def test_the_recipe_of_document_002(stage: Stage) -> None:
    """E-mail 1; who opens (where that counts), clicks, visits or buys leaves at once, and so does who withdraws, never
    as re-engaged; e-mail 2 to the rest, four days after e-mail 1 really went out; the tag three days after e-mail 2
    really did; a later purchase takes it off."""
    stage.run(day(0))
    first = day(3, 15)  # Friday: three days later than planned
    assert stage.send(first) == list(PEOPLE)

    at = day(4)
    stage.say("engagements", engagement("e-us", "c-us", at, "open"), engagement("e-gb", "c-opens", at, "open"),
              engagement("e-click", "c-clicks", at, "click"),
              engagement("e-visit", "c-visits", at, "visit", channel="web"))  # fmt: skip
    stage.say("purchases", purchase("b-new", "c-buys", at))
    stage.say("consents", consent("r-no", "c-withdraws", state="withdrawn", occurred_at=at))
    stage.say("suppressions", suppression("s-no", customer_id="c-leaves", occurred_at=at))
    stage.listen(day(4, 11))
    assert stage.exits() == {
        "c-us": "re_engaged", "c-clicks": "re_engaged", "c-visits": "re_engaged", "c-buys": "reactivated",
        "c-withdraws": "opted_out", "c-leaves": "opted_out",
    }  # fmt: skip

    gone = [row for row in stage.told["consents"] if row["customer_id"] == "c-lapses"]
    stage.told["consents"] = [row for row in stage.told["consents"] if row not in gone]
    assert stage.send(day(6)) == []  # Monday, as planned: the wait is not over
    second = day(7, 16)
    assert stage.send(second) == ["c-opens", "c-silent"]
    assert stage.exits()["c-lapses"] == "permission"
    sent = {(row.customer_id, row.number): row.finished_at for row in _sent(stage)}
    apart = [sent[one, 2] - sent[one, 1] for one in ("c-opens", "c-silent")]
    assert min(apart) >= timedelta(days=4)

    assert "tagged" not in stage.listen(second + timedelta(days=3, seconds=-1))
    assert stage.tagged() == []
    over = stage.listen(second + timedelta(days=3, minutes=5))  # a call takes its time
    assert (over["exit:no_response"], over["tagged"]) == (2, 2)
    assert stage.tagged() == ["c-opens", "c-silent"]

    stage.run(day(11))
    assert _members(stage) == ["c-opens", "c-silent"]
    stage.say("purchases", purchase("b-late", "c-silent", day(12)))
    assert stage.listen(day(12, 11))["untagged"] == 1
    assert stage.tagged() == ["c-opens"]
    stage.run(day(13))
    assert _members(stage) == ["c-opens"]
    assert _counted(stage, day(13)) == {"re_engaged": (3, 9), "customers_active": (1, 12)}  # c-fay


def _sent(stage: Stage) -> list[Any]:
    query = (
        select(enrolments.c.customer_id, touches.c.number, sends.c.finished_at)
        .join(touches, touches.c.enrolment_id == enrolments.c.enrolment_id)
        .join(sends, sends.c.touch_id == touches.c.touch_id)
    )
    with stage.six.ledger.begin() as conn:
        return list(conn.execute(query.where(sends.c.state == "accepted")))


def _members(stage: Stage) -> list[str]:
    return [row["customer_id"] for row in segment_members(stage.six.workspace, PLAYBOOK, AFTER)]


def _counted(stage: Stage, now: datetime) -> dict[str, tuple[int | None, int | None]]:
    figures = metrics(stage.six.workspace, PLAYBOOK, now).figures
    wanted = ("re_engaged", "customers_active")
    return {f.measure: (f.count, f.of) for f in figures if f.measure in wanted and f.by is None}


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_no_tag_without_the_second_email(stage: Stage) -> None:
    """E-mail 2 was never signed: its window ends, the sequence is cut short, and nobody is tagged."""
    stage.run(day(0), signed=(1,))
    assert stage.send(day(0, 15)) == list(PEOPLE)
    for later in (8, 15, 30):
        assert stage.send(day(later)) == []
    stage.listen(day(30))
    assert set(stage.exits().values()) == {"cut_short"}
    assert stage.tagged() == []
