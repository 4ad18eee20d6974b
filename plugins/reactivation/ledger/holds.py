"""Legal holds: while one stands, nothing that concerns its customer, or anybody, is purged or erased.

Who takes something out of evidence shares a lock with whoever begins a hold, so that a hold that is committed counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, insert, select, update

from reactivation.ledger import audit
from reactivation.ledger.locks import HOLDING, exclusive, shared
from reactivation.ledger.tables import holds

#: What the audit trail calls a hold on everybody.
EVERYTHING = "everything"


@dataclass(frozen=True)
class Hold:
    """One hold that stands; ``customer_id`` is ``None`` for everybody."""

    hold_id: str
    customer_id: str | None
    began_by: str
    began_at: datetime


def standing(conn: Connection) -> tuple[Hold, ...]:
    """The holds that stand, oldest first; none begins until this transaction ends."""
    shared(conn, HOLDING)
    wanted = select(holds.c.hold_id, holds.c.customer_id, holds.c.began_by, holds.c.began_at)
    wanted = wanted.where(holds.c.ended_at.is_(None)).order_by(holds.c.began_at, holds.c.hold_id)
    return tuple(Hold(**row._mapping) for row in conn.execute(wanted))


def begin(conn: Connection, *, customer_id: str | None, actor: str, now: datetime) -> bool:
    """Begin a hold; false when one of the same scope stands already."""
    exclusive(conn, HOLDING)
    if any(one.customer_id == customer_id for one in standing(conn)):
        return False
    made = Hold(str(uuid4()), customer_id, actor, now)
    conn.execute(insert(holds), {**vars(made), "ended_by": None, "ended_at": None})
    audit.write(
        conn, at=now, actor=actor, action="hold_begun", subject=customer_id or EVERYTHING,
        details={"hold_id": made.hold_id},
    )  # fmt: skip
    return True


def end(conn: Connection, *, customer_id: str | None, actor: str, now: datetime) -> bool:
    """End the hold of that scope; false when none stands."""
    exclusive(conn, HOLDING)
    ended = [one for one in standing(conn) if one.customer_id == customer_id]
    for one in ended:
        conn.execute(update(holds).where(holds.c.hold_id == one.hold_id).values(ended_by=actor, ended_at=now))
        audit.write(
            conn, at=now, actor=actor, action="hold_ended", subject=customer_id or EVERYTHING,
            details={"hold_id": one.hold_id, "began_by": one.began_by},
        )  # fmt: skip
    return bool(ended)
