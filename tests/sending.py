"""A company of quiet households whose first touch is signed and due, for tests of what happens next.

Prepared once by the real steps (snapshot to signatures) and copied for each test. ``Ready`` opens such a copy.
"""

from __future__ import annotations

import csv
import email
import email.policy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import select
from tests.builders import AS_OF, KEYS, Row, consent, contact, days_ago, purchase, tables, write_source, write_table
from tests.company import Company

from reactivation.ledger.tables import enrolments, measurement_events, sends, suppressions, touches
from reactivation.steps.settings import Settings
from reactivation.steps.workspace import Workspace, open_workspace

#: A Tuesday, 11:00 in London.
NOW = AS_OF + timedelta(hours=2)
KEY = b"a-key-of-the-tests-32-bytes-long!"
NAMES = (
    "ann",
    "bob",
    "cat",
    "dan",
    "eve",
    "fred",
    "gus",
    "hal",
    "ivy",
    "jon",
    "kim",
    "lee",
    "max",
    "nan",
    "oto",
    "pia",
)


def source_tables() -> dict[str, list[Row]]:
    """Sixteen households, quiet for 130 days, with evidenced consent; a tenth of such is kept as holdout. Three others
    of ``tests.builders`` keep the tables from being empty: one opted out, one complains, one bought last week."""
    others, ids = ("c-dov", "c-eva", "c-fay"), [f"c-{name}" for name in NAMES]
    kept = {
        name: [row for row in rows if row.get("customer_id", "c-dov") in (*others, None)]
        for name, rows in tables().items()
    }
    return {
        **kept,
        "contacts": [*kept["contacts"], *(contact(customer) for customer in ids)],
        "purchases": [
            *kept["purchases"],
            *(
                purchase(f"b-{customer}", customer, days_ago(130), amount=Decimal("310.00"), margin=Decimal("140.00"))
                for customer in ids
            ),
        ],
        "consents": [*kept["consents"], *(consent(f"r-{customer}", customer) for customer in ids)],
    }


@dataclass
class Ready:
    """One home and one ledger in which touches are signed and due."""

    home: Path
    url: str

    @property
    def source(self) -> Path:
        return self.home / "source"

    @cached_property
    def workspace(self) -> Workspace:
        return open_workspace(settings(self.home, self.url))

    def say(self, as_of: datetime = NOW, **changed: Sequence[Row]) -> None:
        """The source speaks anew, with some of its tables replaced."""
        write_source(self.source, as_of=as_of, **(source_tables() | changed))

    def add(self, table: str, *rows: Row) -> None:
        """The source has these rows besides."""
        file = self.source / f"{table}.csv"
        with file.open(encoding="utf-8", newline="") as opened:
            known: list[Row] = list(csv.DictReader(opened))
        if known:
            with file.open("a", encoding="utf-8", newline="") as opened:
                writer = csv.DictWriter(opened, list(known[0]))
                writer.writerows({k: _text(v) for k, v in row.items()} for row in rows)
        else:
            write_table(file, table, rows)

    def states(self) -> dict[str, tuple[str, str | None]]:
        """State and reason of each first touch, by customer."""
        query = select(enrolments.c.customer_id, touches.c.state, touches.c.reason).join(
            touches, touches.c.enrolment_id == enrolments.c.enrolment_id
        )
        with self.workspace.ledger.begin() as conn:
            return {
                row.customer_id: (row.state, row.reason) for row in conn.execute(query.where(touches.c.number == 1))
            }

    def exits(self) -> dict[str, str]:
        """The exit of every enrolment that has ended, by customer."""
        query = select(enrolments.c.customer_id, enrolments.c.exit_reason).where(enrolments.c.state == "ended")
        with self.workspace.ledger.begin() as conn:
            return {row.customer_id: row.exit_reason for row in conn.execute(query)}

    def rows(self, name: str) -> list[Any]:
        """Every row of a table of the ledger."""
        table = {"sends": sends, "suppressions": suppressions, "measurement_events": measurement_events,
                 "touches": touches}[name]  # fmt: skip
        with self.workspace.ledger.begin() as conn:
            return list(conn.execute(select(table)).all())

    def files(self) -> list[str]:
        """The names of the messages in the outbox."""
        return sorted(file.name for file in self.workspace.settings.outbox.glob("*.eml"))

    def written_to(self) -> list[str]:
        """The customers the outbox has messages for, by recipient, as often as they have one."""
        folder = self.workspace.settings.outbox
        return sorted(
            f"c-{_read(folder / name)['To'].addresses[0].username.partition('.')[0]}" for name in self.files()
        )

    def close(self) -> None:
        if "workspace" in vars(self):
            self.workspace.ledger.close()


def settings(home: Path, url: str) -> Settings:
    return Settings(
        home=home, ledger_url=url, address_keys=(KEY,), source=str(home / "source"), environment="test", given_now=NOW
    )


def prepare(home: Path, url: str) -> None:
    """From the source to signatures: a run at ``NOW``, every list signed by whoever may."""
    write_source(home / "source", as_of=AS_OF, **source_tables())
    made = Company(open_workspace(settings(home, url)))
    made.run(now=NOW)
    for request, row, items in made.asked(NOW):
        by = "olu" if row.kind == "offer" else {"own-ada": "ada", "own-ben": "ben"}[row.owner_id]
        made.answer(request, row, items, "Sign", by=by, now=NOW)
    made.workspace.ledger.close()


def _read(file: Path) -> EmailMessage:
    read = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat()
    return "|".join(value) if isinstance(value, list) else "" if value is None else str(value)


def key_of(customer_id: str) -> str:
    """The address key of a customer of the source."""
    return KEYS.key_of(f"{customer_id.removeprefix('c-')}.hart@gmail.com")
