"""Tags we set on customers, such as *did not respond*, and when each was taken off again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Row, Select, exists, select, update

from reactivation.ledger import audit
from reactivation.ledger.among import among
from reactivation.ledger.bulk import insert_if_new
from reactivation.ledger.tables import erased_customers, tags


def put(conn: Connection, *, customer_id: str, tag: str, actor: str, now: datetime) -> bool:
    """Set a tag; false when it is set already, also when somebody else is just setting it."""
    row = {"customer_id": customer_id, "tag": tag, "set_at": now, "removed_at": None}
    if not insert_if_new(conn, tags, row):
        return False
    audit.write(conn, at=now, actor=actor, action="tag_set", subject=customer_id, details={"tag": tag})
    return True


def take_off(conn: Connection, *, customer_id: str, tag: str, actor: str, now: datetime) -> bool:
    """Take a tag off; false when it is not set."""
    set_now = (tags.c.customer_id == customer_id) & (tags.c.tag == tag) & tags.c.removed_at.is_(None)
    if not conn.execute(update(tags).where(set_now).values(removed_at=now)).rowcount:
        return False
    audit.write(conn, at=now, actor=actor, action="tag_removed", subject=customer_id, details={"tag": tag})
    return True


def standing(conn: Connection, tag: str, of: Collection[str] | None = None) -> set[str]:
    """The customers who bear a tag now; ``of`` narrows it to those."""
    wanted = select(tags.c.customer_id).where(tags.c.tag == tag, tags.c.removed_at.is_(None))
    if of is not None:
        wanted = wanted.where(among(tags.c.customer_id, of))
    return set(conn.scalars(wanted))


def bearers(conn: Connection, tag: str) -> list[Row[tuple[str, str, datetime]]]:
    """Who bears a tag now, by id: customer_id, tag and when it was set."""
    wanted = select(tags.c.customer_id, tags.c.tag, tags.c.set_at)
    return list(conn.execute(wanted.where(tags.c.tag == tag, tags.c.removed_at.is_(None)).order_by(tags.c.customer_id)))


def all_but_of_the_erased() -> Select[tuple[str, str, datetime, datetime | None]]:
    """Asks for every tag that was ever set, of everybody who was not erased: customer_id, tag, set_at, removed_at."""
    erased = exists().where(erased_customers.c.customer_id == tags.c.customer_id)
    return select(tags.c.customer_id, tags.c.tag, tags.c.set_at, tags.c.removed_at).where(~erased)
