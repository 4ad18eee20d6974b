"""A company that writes in three ways: households quiet for 130 days, a playbook with variants, and days as they pass.

The control writes what the playbook says; ``plain`` has another subject in touch 1; ``smaller`` another template in
touch 1 and less credit in touch 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select
from tests.builders import Row, consent, contact, days_ago, offer, purchase
from tests.company import Company
from tests.steps.six import PLAYBOOK
from tests.steps.stage import Stage, bystanders, house

from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import enrolments, touches

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
    kept, ids = bystanders(), [f"c-{name}" for name in NAMES]
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


@dataclass
class Arms(Stage):
    """The company, its source as it changes, and the days played so far."""

    told: dict[str, list[Row]] = field(default_factory=source)

    def declare(self, **changes: Any) -> None:
        """Declare the playbook anew, with some fields changed."""
        declared = {
            "holdout_share": 0.0, "touches": TOUCHES, "approval": {"horizon_days": 6}, "variants": VARIANTS,
            "adaptations": [], "optimizer": None, **changes,
        }  # fmt: skip
        self.six.change(f"playbooks/{PLAYBOOK}.yaml", declared)

    def run(self, now: datetime, *, signed: bool = True, **asked: Any) -> str:
        """A whole daily run, everybody signs at once, or nobody answers; its id."""
        run_id = self.ask(now, **asked)
        if signed:
            self.sign(now)
        return run_id

    def sign(self, now: datetime) -> None:
        people = Company(self.six.workspace, requests=int(now.timestamp()))
        for request, row, items in people.asked(now):
            by = "olu" if row.kind == "offer" else {"own-ada": "ada", "own-ben": "ben"}[row.owner_id]
            people.answer(request, row, items, "Sign", by=by, now=now)

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


def open_arms(home: Path, ledger: Ledger, **changes: Any) -> Arms:
    """The company before its first run."""
    arms = Arms(house(home / "home", ledger))
    arms.declare(**changes)
    return arms
