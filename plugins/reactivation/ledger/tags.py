"""Tags we set on customers, such as *did not respond*, and when each was taken off again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from reactivation.ledger import audit
from reactivation.ledger.tables import tags


def put(conn: Connection, *, customer_id: str, tag: str, actor: str, now: datetime) -> bool:
    """Set a tag; false when it is set already."""
    if customer_id in standing(conn, tag):
        return False
    conn.execute(insert(tags), {"customer_id": customer_id, "tag": tag, "set_at": now, "removed_at": None})
    audit.write(conn, at=now, actor=actor, action="tag_set", subject=customer_id, details={"tag": tag})
    return True


def take_off(conn: Connection, *, customer_id: str, tag: str, actor: str, now: datetime) -> bool:
    """Take a tag off; false when it is not set."""
    set_now = (tags.c.customer_id == customer_id) & (tags.c.tag == tag) & tags.c.removed_at.is_(None)
    if not conn.execute(update(tags).where(set_now).values(removed_at=now)).rowcount:
        return False
    audit.write(conn, at=now, actor=actor, action="tag_removed", subject=customer_id, details={"tag": tag})
    return True


def standing(conn: Connection, tag: str) -> set[str]:
    """The customers who have a tag now."""
    return set(conn.scalars(select(tags.c.customer_id).where(tags.c.tag == tag, tags.c.removed_at.is_(None))))
