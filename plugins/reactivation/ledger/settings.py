"""Settings that somebody signed. The newest of a name counts; there is none without an accepted answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, insert, select

from reactivation.ledger.tables import answers, identity, settings
from reactivation.ledger.together import Asking

#: By channel, the setting that lets a provider other than the outbox send.
LIVE = {"email": "live_email", "sms": "live_sms"}


@dataclass(frozen=True)
class Signed:
    """One setting as it was signed, and by whom."""

    setting_id: str
    value: Any
    signed_at: datetime
    signed_by: str | None


def insert_setting(conn: Connection, *, name: str, value: object, answer_id: str, now: datetime) -> str:
    """Keep a setting that an accepted answer signs; its id."""
    setting_id = str(uuid4())
    conn.execute(
        insert(settings).values(setting_id=setting_id, name=name, value=value, answer_id=answer_id, signed_at=now)
    )
    return setting_id


def signed(conn: Connection, name: str) -> Signed | None:
    """What was last signed under a name, or ``None``."""
    wanted = (
        select(settings.c.setting_id, settings.c.value, settings.c.signed_at, answers.c.responder.label("signed_by"))
        .join(answers, answers.c.answer_id == settings.c.answer_id)
        .where(settings.c.name == name, answers.c.accepted)
        .order_by(settings.c.signed_at.desc(), settings.c.setting_id)
        .limit(1)
    )
    row = conn.execute(wanted).one_or_none()
    return None if row is None else Signed(**row._mapping)


@dataclass(frozen=True)
class Licence:
    """Which ledger this is, the environment it serves, and what was last signed of a channel's sending."""

    ledger_id: str
    environment: str
    signed: Any

    def is_live(self, sender: str) -> bool:
        """Whether somebody signed that this ledger may really send as this sender in this environment."""
        return bool(
            self.signed == {"environment": self.environment, "ledger_id": self.ledger_id, "sender": sender}
        )  # fmt: skip


def licence(channel: str) -> Asking[Licence | None]:
    """The licence of a channel; ``None`` when nobody has worked with this ledger yet. Asked of every batch, at once."""
    return Asking(
        ((_LICENCE, {"its_name": LIVE[channel]}),), lambda found: next((Licence(*row) for row in found[0]), None)
    )


_LICENCE = select(
    identity.c.ledger_id, identity.c.environment,
    select(settings.c.value)
    .join(answers, answers.c.answer_id == settings.c.answer_id)
    .where(settings.c.name == bindparam("its_name"), answers.c.accepted)
    .order_by(settings.c.signed_at.desc(), settings.c.setting_id)
    .limit(1)
    .scalar_subquery(),
)  # fmt: skip
