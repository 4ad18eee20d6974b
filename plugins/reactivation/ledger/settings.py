"""Settings that somebody signed. The newest of a name counts; there is none without an accepted answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, insert, select

from reactivation.ledger.tables import answers, settings

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


def is_live(conn: Connection, channel: str, *, environment: str, ledger_id: str, sender: str) -> bool:
    """Whether somebody signed that this ledger may really send as this sender in this environment."""
    found = signed(conn, LIVE[channel])
    return found is not None and found.value == {"environment": environment, "ledger_id": ledger_id, "sender": sender}
