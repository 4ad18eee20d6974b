"""The quarter itself, day by day: the product's own steps, in the order and on the clock of its DAGs.

In the morning one snapshot and a run of each playbook; three times a day what people answered, what providers told, and
the sending, which asks the sources again; in the evening, before the last of them, what came back of everybody. Every
instant is given; nothing sleeps.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import select
from tests.company import KEY, Company
from tests.quarter.living import Life, Message, Told
from tests.quarter.people import People
from tests.quarter.world import World, found

from reactivation.ledger.tables import enrolments, offer_codes, sends, touches
from reactivation.steps.begin import begin_run
from reactivation.steps.decide import decide_run
from reactivation.steps.dispatch import dispatch
from reactivation.steps.outcomes import record_outcomes
from reactivation.steps.piloting import begin_pilot, end_pilot
from reactivation.steps.provider_events import take_in_provider_events
from reactivation.steps.readiness import check_readiness
from reactivation.steps.settings import Settings
from reactivation.steps.snapshot import take_snapshot
from reactivation.steps.unsubscribe import unsubscribe
from reactivation.steps.whole import STEPS
from reactivation.steps.workspace import open_workspace

REACTIVATION, ACCOUNTS, TWO_EMAILS = "customer_reactivation", "dormant_account_outreach", "customers_not_active"
PLAYBOOKS = (ACCOUNTS, REACTIVATION, TWO_EMAILS)
#: A Monday; the clocks go back in the third week, and Christmas is in the last but one.
FIRST = datetime(2026, 10, 5, tzinfo=UTC)
SNAPSHOT, RUNS, ASKED = time(5), time(5, 5), time(5, 30)
#: Of what came back; the sending follows ten minutes later.
MOMENTS = (time(10, 20), time(13, 20), time(16, 20))
_AFTER = timedelta(minutes=10)


@dataclass
class Quarter:
    """``runs``: the ids of each day's runs, by playbook. ``messages``: everything the outbox holds. ``heard``: what
    recorders, providers and dispatchers told. ``ends``: when the pilots that stand are over."""

    company: Company
    world: World
    life: Life
    people: People
    runs: list[dict[str, str]] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    heard: Counter[str] = field(default_factory=Counter)
    ends: dict[str, datetime] = field(default_factory=dict)

    @property
    def until(self) -> datetime:
        """When it ended."""
        return self.life.until

    def day(self, number: int) -> None:
        midnight = FIRST + timedelta(days=number)
        self._morning(midnight)
        for moment in MOMENTS:
            at = datetime.combine(midnight, moment, UTC)
            self._hear(self.life.live(at), at)
            self.people.answer(at)
            if moment == MOMENTS[-1]:
                self.world.write(at)
                self.heard += Counter(record_outcomes(self.company.workspace, at))
            self._send(at + _AFTER)

    def _morning(self, midnight: datetime) -> None:
        workspace = self.company.workspace
        at = datetime.combine(midnight, SNAPSHOT, UTC)
        self._hear(self.life.live(at), at)
        self.people.answer(at)
        self.world.renew(at)
        self.world.write(at)
        snapshot_id = take_snapshot(workspace, now=at)
        now = datetime.combine(midnight, RUNS, UTC)
        if not self.runs:
            self._begin_pilots(snapshot_id, now)
        for name, ends_at in list(self.ends.items()):
            if now >= ends_at:
                end_pilot(workspace, name, user="ada", now=self.ends.pop(name))
        begun = {}
        for name in PLAYBOOKS:
            begun[name] = run_id = begin_run(
                workspace, name, now=now, dry=False, triggered_by="schedule", snapshot_id=snapshot_id
            )
            for _, step in STEPS:
                step(workspace, run_id, now)
        self.runs.append(begun)
        self.people.asked(datetime.combine(midnight, ASKED, UTC))

    def _begin_pilots(self, snapshot_id: str, now: datetime) -> None:
        """After a dry run, which is what their baseline is of."""
        for name, segment, most in ((REACTIVATION, "household", None), (ACCOUNTS, None, 50)):
            workspace = self.company.workspace
            run_id = begin_run(workspace, name, now=now, dry=True, triggered_by="ada", snapshot_id=snapshot_id)
            decide_run(workspace, run_id, now)
            check_readiness(workspace, run_id, now)
            pilot = begin_pilot(workspace, name, segment=segment, most=most, user="ada", now=now)
            self.ends[name] = pilot.ends_at

    def _hear(self, told: Told, now: datetime) -> None:
        """What providers and links say is taken in before anything else happens."""
        for touch_id, said_at in told.links:
            assert unsubscribe(self.company.workspace, touch_id, now, said_at=said_at)
        self.heard += Counter(take_in_provider_events(self.company.workspace, told.events, now))

    def _send(self, now: datetime) -> None:
        workspace = self.company.workspace
        self.world.write(now)
        said = dispatch(workspace, now)
        self.heard += Counter({f"dispatch:{reason}": count for reason, count in said.reasons.items()})
        new = [one for one in self._accepted() if one.send_id not in self.messages]
        assert len(new) == said.accepted
        self.messages |= {one.send_id: one for one in new}
        self.life.reached(new)

    def _accepted(self) -> list[Message]:
        """What was sent, and to whom by the address that stands in the outbox."""
        query = (
            select(sends.c.send_id, sends.c.touch_id, sends.c.channel, sends.c.called_at, sends.c.provider_ref,
                   touches.c.number, offer_codes.c.code, enrolments.c.customer_id)
            .join(touches, touches.c.touch_id == sends.c.touch_id)
            .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
            .outerjoin(offer_codes, offer_codes.c.touch_id == touches.c.touch_id)
            .where(sends.c.state == "accepted").order_by(sends.c.called_at, sends.c.send_id)
        )  # fmt: skip
        with self.company.workspace.ledger.begin() as conn:
            rows = [row for row in conn.execute(query) if row.send_id not in self.messages]
        return [
            Message(
                row.send_id, row.touch_id, self.world.number[row.customer_id], row.number, row.channel, row.called_at,
                row.provider_ref, row.code,
            ) for row in rows
        ]  # fmt: skip


def quarter(home: Path, ledger_url: str, *, customers: int, accounts: int, seed: int = 7) -> Quarter:
    """The company below ``home`` on the evening before its quarter begins."""
    began = FIRST - timedelta(hours=4)
    world = found(home / "source", customers=customers, accounts=accounts, seed=seed, at=began)
    world.write(began)
    settings = Settings(
        home=home, ledger_url=ledger_url, address_keys=(KEY,), source=str(home / "source"), environment="test",
        given_now=FIRST,
    )  # fmt: skip
    company = Company(open_workspace(settings))
    return Quarter(company, world, Life(world, seed, began), People(company, seed))
