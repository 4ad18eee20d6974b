"""A provider that is told what to answer, and remembers whom it was called for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from sqlalchemy import Connection, insert, select
from tests.ledgers import an_id
from tests.sending import NOW, Ready

from reactivation.approvals import SendableTouch
from reactivation.delivery import Call, Provider, Result
from reactivation.ledger import identity
from reactivation.ledger.settings import LIVE
from reactivation.ledger.tables import answers, settings
from reactivation.steps.workspace import Workspace


class Postman(Provider):
    """A provider whose calls must not be repeated. ``answer`` gets the touch and may raise; ``had`` are the customers
    it was called for, in order, ``found`` is what a look-up tells."""

    name: ClassVar[str] = "postman"
    repeatable: ClassVar[bool] = False
    batch: ClassVar[int] = 4

    def __init__(self, answer: Callable[[SendableTouch], Result]) -> None:
        self.answer = answer
        self.had: list[str] = []
        self.found: Result | None = None
        self.asked: list[Call] = []

    async def send(self, touch: SendableTouch, key: str, at: datetime) -> Result:
        self.had.append(touch.customer_id)
        return self.answer(touch)

    async def find(self, call: Call) -> Result | None:
        self.asked.append(call)
        return self.found


def goes_by(ready: Ready, provider: Provider) -> None:
    """Every e-mail goes by this provider, and somebody has signed that it may."""
    vars(ready.workspace)["providers"] = {"email": provider}
    with ready.workspace.ledger.begin() as conn:
        sign_live(conn, ready.workspace)


def sign_live(conn: Connection, workspace: Workspace) -> None:
    """The setting that lets a provider other than the outbox send e-mail."""
    known = identity.known(conn)
    assert known is not None
    conn.execute(insert(settings), {
        "setting_id": an_id("live"), "name": LIVE["email"], "signed_at": NOW,
        "answer_id": conn.scalar(select(answers.c.answer_id).where(answers.c.accepted).limit(1)),
        "value": {"environment": known.environment, "ledger_id": known.ledger_id,
                  "sender": workspace.tenant.senders["email"]},
    })  # fmt: skip
