"""Document 002 from the CRM to the outbox and back: two e-mails to customers not active, and a tag.

On a given clock: the daily run, the hourly sending and the hourly recording, on the days on which something happens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.builders import Row, consent, contact, days_ago, engagement, purchase, suppression
from tests.company import Company
from tests.steps.stage import Stage, bystanders, day, house

from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import enrolments, sends, tags, touches
from reactivation.steps.metrics import metrics
from reactivation.steps.outcomes import record_outcomes
from reactivation.steps.segmented import segment_members

PLAYBOOK = "customers_not_active"
TAG = "customer_not-active_after-reactivation"
AFTER = "customers_not_active_after_react"
#: Everybody is a British household that bought 130 days ago and did nothing since; c-us lives in New York.
PEOPLE = ("c-buys", "c-clicks", "c-lapses", "c-leaves", "c-opens", "c-silent", "c-us", "c-visits", "c-withdraws")
US = {"country": "US", "region": "NY", "timezone": "America/New_York"}


def source() -> dict[str, list[Row]]:
    kept = bystanders()
    worth = {"amount": Decimal("310.00"), "margin": Decimal("140.00")}
    return {
        **kept,
        "contacts": [*kept["contacts"], *(contact(one, **(US if one == "c-us" else {})) for one in PEOPLE)],
        "purchases": [*kept["purchases"], *(purchase(f"b-{one}", one, days_ago(130), **worth) for one in PEOPLE)],
        "consents": [*kept["consents"],
                     *(consent(f"r-{one}", one, jurisdiction="US" if one == "c-us" else "GB") for one in PEOPLE)],
    }  # fmt: skip


@dataclass
class TwoEmails(Stage):
    """The stage of document 002, and who was written to, what came back and who bears the tag."""

    told: dict[str, list[Row]] = field(default_factory=source)
    playbook: str = PLAYBOOK

    def run(self, now: datetime, *, signed: Sequence[int] = (1, 2)) -> str:
        """A whole daily run; the e-mails of these numbers are signed at once, others nobody answers."""
        run_id = self.ask(now)
        people = Company(self.six.workspace, requests=int(now.timestamp()), playbook=PLAYBOOK)
        for request, row, items in people.asked(now):
            if row.touch_number in signed:
                assert "signed" in people.answer(request, row, items, "Sign", by="ada", now=now)
        return run_id

    def written_to(self, now: datetime) -> list[str]:
        """Who is written to in an hour of sending, by customer."""
        before = Counter(customer for customer, _ in self.mail())
        self.send(now)
        return sorted((Counter(customer for customer, _ in self.mail()) - before).elements())

    def listen(self, now: datetime) -> dict[str, int]:
        self.six.write(as_of=now, **self.told)
        return record_outcomes(self.six.workspace, now)

    def exits(self) -> dict[str, str]:
        found = self.rows(enrolments.c.customer_id, enrolments.c.exit_reason)
        return {row.customer_id: row.exit_reason for row in found if row.exit_reason}

    def tagged(self) -> list[str]:
        return sorted(row.customer_id for row in self.rows(tags) if row.removed_at is None)


@pytest.fixture
def stage(tmp_path: Path, ledger: Ledger) -> Iterator[TwoEmails]:
    """The two e-mails are the only playbook of the house."""
    made = TwoEmails(house(tmp_path / "home", ledger))
    for file in (made.six.home / "playbooks").glob("*.yaml"):
        if file.stem != PLAYBOOK:
            file.unlink()
    yield made


def test_the_recipe_of_document_002(stage: TwoEmails) -> None:
    """E-mail 1; who opens (where that counts), clicks, visits or buys leaves at once, and so does who withdraws, never
    as re-engaged; e-mail 2 to the rest, four days after e-mail 1 really went out; the tag three days after e-mail 2
    really did; a later purchase takes it off."""
    stage.run(day(0))
    first = day(3, 15)  # Friday: three days later than planned
    assert stage.written_to(first) == list(PEOPLE)

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
    assert stage.written_to(day(6)) == []  # Monday, as planned: the wait is not over
    second = day(7, 16)
    assert stage.written_to(second) == ["c-opens", "c-silent"]
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


def _sent(stage: TwoEmails) -> list[Any]:
    query = (
        select(enrolments.c.customer_id, touches.c.number, sends.c.finished_at)
        .join(touches, touches.c.enrolment_id == enrolments.c.enrolment_id)
        .join(sends, sends.c.touch_id == touches.c.touch_id)
    )
    with stage.six.ledger.begin() as conn:
        return list(conn.execute(query.where(sends.c.state == "accepted")))


def _members(stage: TwoEmails) -> list[str]:
    return [row["customer_id"] for row in segment_members(stage.six.workspace, PLAYBOOK, AFTER)]


def _counted(stage: TwoEmails, now: datetime) -> dict[str, tuple[int | None, int | None]]:
    figures = metrics(stage.six.workspace, PLAYBOOK, now).figures
    wanted = ("re_engaged", "customers_active")
    return {f.measure: (f.count, f.of) for f in figures if f.measure in wanted and f.by is None}


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_no_tag_without_the_second_email(stage: TwoEmails) -> None:
    """E-mail 2 was never signed: its window ends, the sequence is cut short, and nobody is tagged."""
    stage.run(day(0), signed=(1,))
    assert stage.written_to(day(0, 15)) == list(PEOPLE)
    for later in (8, 15, 30):
        assert stage.written_to(day(later)) == []
    stage.listen(day(30))
    assert set(stage.exits().values()) == {"cut_short"}
    assert stage.tagged() == []
