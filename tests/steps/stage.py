"""A company on a given clock: its source as it changes, its daily runs, its hours of sending, and its mail.

What it writes, to whom, and who signs is each test's own.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from sqlalchemy import select
from tests.builders import KEYS, Row, tables
from tests.steps.six import NOW, PLAYBOOK, Six

from reactivation.ledger import identity
from reactivation.ledger.engine import Ledger
from reactivation.steps.dispatch import DispatchSummary, dispatch
from reactivation.steps.draft import draft_run
from reactivation.steps.lists import open_lists
from reactivation.steps.plan import plan_run

_KEPT = ("c-dov", "c-eva", "c-fay")


def day(number: int, hour: int = 10) -> datetime:
    """An hour (UTC) of the day so many days after the Tuesday of ``NOW``."""
    return NOW.replace(hour=hour) + timedelta(days=number)


def bystanders() -> dict[str, list[Row]]:
    """The rows of the builders that keep tables whole, and nobody who is written to."""
    return {
        name: [row for row in rows if row.get("customer_id", _KEPT[0]) in (*_KEPT, None)]
        for name, rows in tables().items()
    }


def house(home: Path, ledger: Ledger) -> Six:
    """A house whose ledger is its own: what is sent goes to the outbox."""
    made = Six(home, ledger)
    with ledger.begin() as conn:
        environment, checks = made.workspace.settings.environment, KEYS.check_values()
        identity.identify(conn, environment=environment, check_values=checks, now=NOW)
    return made


@dataclass
class Stage:
    """The house, what its source tells, and the playbook that is played."""

    six: Six
    told: dict[str, list[Row]]
    playbook: str = PLAYBOOK

    def say(self, table: str, *rows: Row) -> None:
        self.told[table] = [*self.told[table], *rows]

    def ask(self, now: datetime, **asked: Any) -> str:
        """A whole daily run up to its open lists; its id."""
        as_of = now - timedelta(minutes=30)
        self.six.write(as_of=as_of, **self.told)
        self.six.snapshot(as_of)
        run_id = self.six.ready(now, playbook=self.playbook, **asked)
        for step in (plan_run, draft_run, open_lists):
            step(self.six.workspace, run_id, now)
        return run_id

    def send(self, now: datetime) -> DispatchSummary:
        """An hour of sending."""
        self.six.write(as_of=now, **self.told)
        return dispatch(self.six.workspace, now)

    def rows(self, *columns: Any) -> list[Any]:
        with self.six.ledger.begin() as conn:
            return list(conn.execute(select(*columns)))

    def mail(self) -> Iterator[tuple[str, EmailMessage]]:
        """Customer and message of everything in the outbox."""
        for file in sorted(self.six.workspace.settings.outbox.rglob("*.eml")):
            read = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            assert isinstance(read, EmailMessage)
            yield f"c-{read['To'].addresses[0].username.partition('.')[0]}", read
