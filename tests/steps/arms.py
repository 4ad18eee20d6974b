"""A company that writes in three ways: households quiet for 130 days, a playbook with variants, and days as they pass.

The control writes what the playbook says; ``plain`` has another subject in touch 1; ``smaller`` another template in
touch 1 and less credit in touch 3.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from sqlalchemy import select
from tests.builders import KEYS, Row, consent, contact, days_ago, offer, purchase, tables
from tests.company import Company
from tests.steps.six import NOW, PLAYBOOK, Six

from reactivation.ledger import identity
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import enrolments, touches
from reactivation.steps.dispatch import DispatchSummary, dispatch
from reactivation.steps.draft import draft_run
from reactivation.steps.lists import open_lists
from reactivation.steps.plan import plan_run

PLAIN_SUBJECT = "One question, {{ owner_name }} asks"
VARIANTS: list[dict[str, Any]] = [
    {"variant": "control", "share": 0.4},
    {"variant": "plain", "share": 0.3, "touches": [{"number": 1, "subject": PLAIN_SUBJECT}]},
    {"variant": "smaller", "share": 0.3,
     "touches": [{"number": 1, "template": "second_note"}, {"number": 3, "offer": "offer-credit-10"}]},
]  # fmt: skip
TOUCHES = [
    {"number": 1, "day": 0, "pattern": "re_engagement", "purpose": "check_in", "template": "still_welcome"},
    {"number": 3, "day": 3, "pattern": "value_reward", "purpose": "reward", "incentive": "points_or_credit",
     "offer": "offer-credit-15", "template": "value_reward"},
]  # fmt: skip
NAMES = ("ann", "bob", "cat", "dan", "eve", "fred", "gus", "hal", "ivy", "jon", "kim", "lee")


def source() -> dict[str, list[Row]]:
    """Twelve households whose margins carry the credit, and the rows that keep tables whole."""
    others, ids = ("c-dov", "c-eva", "c-fay"), [f"c-{name}" for name in NAMES]
    kept = {
        name: [row for row in rows if row.get("customer_id", "c-dov") in (*others, None)]
        for name, rows in tables().items()
    }
    bought = {"amount": Decimal("310.00"), "margin": Decimal("230.00")}
    return {
        **kept,
        "contacts": [*kept["contacts"], *(contact(customer, value_tier="mid") for customer in ids)],
        "purchases": [*kept["purchases"], *(purchase(f"b-{c}", c, days_ago(130), **bought) for c in ids)],
        "consents": [*kept["consents"], *(consent(f"r-{customer}", customer) for customer in ids)],
        "offers": [
            *kept["offers"],
            offer("offer-credit-10", name="10 pounds of account credit", value=Decimal("10.00"),
                  unit_cost=Decimal("10.00"), terms="10 pounds off your next booking. One per customer."),
        ],
    }  # fmt: skip


def day(number: int, hour: int = 10) -> datetime:
    """An hour of the day so many days after the Tuesday of ``NOW``."""
    return NOW.replace(hour=hour) + timedelta(days=number)


@dataclass
class Arms:
    """The company, its source as it changes, and the days played so far."""

    six: Six
    told: dict[str, list[Row]] = field(default_factory=source)
    requests: int = 0

    def declare(self, **changes: Any) -> None:
        """Declare the playbook anew, with some fields changed."""
        declared = {
            "holdout_share": 0.0, "touches": TOUCHES, "approval": {"horizon_days": 6}, "variants": VARIANTS,
            "adaptations": [], "optimizer": None, **changes,
        }  # fmt: skip
        self.six.change(f"playbooks/{PLAYBOOK}.yaml", declared)

    def say(self, table: str, *rows: Row) -> None:
        self.told[table] = [*self.told[table], *rows]

    def run(self, now: datetime, *, signed: bool = True, **asked: Any) -> str:
        """A whole daily run, everybody signs at once, or nobody answers; its id."""
        as_of = now - timedelta(minutes=30)
        self.six.write(as_of=as_of, **self.told)
        self.six.snapshot(as_of)
        run_id = self.six.ready(now, **asked)
        for step in (plan_run, draft_run, open_lists):
            step(self.six.workspace, run_id, now)
        if signed:
            self.sign(now)
        return run_id

    def sign(self, now: datetime) -> None:
        people = Company(self.six.workspace, requests=int(now.timestamp()))
        for request, row, items in people.asked(now):
            by = "olu" if row.kind == "offer" else {"own-ada": "ada", "own-ben": "ben"}[row.owner_id]
            people.answer(request, row, items, "Sign", by=by, now=now)

    def send(self, now: datetime) -> DispatchSummary:
        self.six.write(as_of=now, **self.told)
        return dispatch(self.six.workspace, now)

    def variants(self) -> dict[str, str]:
        """The variant of every enrolment, by customer."""
        return dict(self.rows(enrolments.c.customer_id, enrolments.c.variant))

    def states(self, number: int = 1) -> dict[str, tuple[str, str | None]]:
        """State and reason of each touch of a number, by customer."""
        query = select(enrolments.c.customer_id, touches.c.state, touches.c.reason).join(
            touches, touches.c.enrolment_id == enrolments.c.enrolment_id
        )
        with self.six.ledger.begin() as conn:
            found = conn.execute(query.where(touches.c.number == number)).all()
        return {row.customer_id: (row.state, row.reason) for row in found}

    def rows(self, *columns: Any) -> Sequence[Any]:
        with self.six.ledger.begin() as conn:
            return [tuple(row) for row in conn.execute(select(*columns))]

    def mail(self) -> Iterator[tuple[str, EmailMessage]]:
        """Customer and message of everything in the outbox."""
        for file in sorted(self.six.workspace.settings.outbox.rglob("*.eml")):
            read = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            assert isinstance(read, EmailMessage)
            yield f"c-{read['To'].addresses[0].username.partition('.')[0]}", read


def open_arms(home: Path, ledger: Ledger, **changes: Any) -> Arms:
    """The company before its first run."""
    arms = Arms(Six(home / "home", ledger))
    with ledger.begin() as conn:
        environment, checks = arms.six.workspace.settings.environment, KEYS.check_values()
        identity.identify(conn, environment=environment, check_values=checks, now=NOW)
    arms.declare(**changes)
    return arms
