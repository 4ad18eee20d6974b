"""Settings that somebody signed. The newest of a name counts; there is none without an accepted answer."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from reactivation.ledger.tables import answers, settings

#: Signed, it lets a provider other than the outbox send.
LIVE = "live"


def signed_value(conn: Connection, name: str) -> Any | None:  # noqa: ANN401
    """The value last signed under a name, or ``None``."""
    wanted = (
        select(settings.c.value)
        .join(answers, answers.c.answer_id == settings.c.answer_id)
        .where(settings.c.name == name, answers.c.accepted)
        .order_by(settings.c.signed_at.desc(), settings.c.setting_id)
        .limit(1)
    )
    return conn.scalar(wanted)


def is_live(conn: Connection, *, environment: str, ledger_id: str, sender: str) -> bool:
    """Whether somebody signed that this ledger may really send as this sender in this environment."""
    wanted = {"environment": environment, "ledger_id": ledger_id, "sender": sender}
    return bool(signed_value(conn, LIVE) == wanted)
