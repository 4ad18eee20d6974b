"""Stops: while one stands, nothing in its scope is sent. Only a row of the ledger ends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, func, insert, or_, select, update

from reactivation.ledger import audit
from reactivation.ledger.locks import PERMISSION, exclusive
from reactivation.ledger.tables import stops
from reactivation.playbooks.variants import SCOPE, scope_of

EVERYTHING = "everything"


@dataclass(frozen=True)
class Stop:
    """Nothing in ``scope`` is sent: ``everything``, ``channel:<name>``, or what ``scope_of`` names."""

    stop_id: str
    scope: str
    reason: str
    actor: str
    since: datetime


def stop(conn: Connection, *, scope: str, reason: str, actor: str, now: datetime) -> Stop:
    """Begin a stop; claims already under way end first."""
    exclusive(conn, PERMISSION)
    made = Stop(str(uuid4()), scope, reason, actor, now)
    conn.execute(insert(stops), {**vars(made), "until": None})
    audit.write(conn, at=now, actor=actor, action="stopped", subject=made.stop_id,
                details={"scope": scope, "reason": reason})  # fmt: skip
    return made


def resume(conn: Connection, *, stop_id: str, actor: str, answer_id: str, now: datetime) -> bool:
    """End a stop by an accepted answer; false when it has ended already."""
    standing_one = (stops.c.stop_id == stop_id) & stops.c.until.is_(None)
    if not conn.execute(update(stops).where(standing_one).values(until=now)).rowcount:
        return False
    audit.write(conn, at=now, actor=actor, action="resumed", subject=stop_id, details={"answer_id": answer_id})
    return True


def standing(conn: Connection, now: datetime) -> tuple[Stop, ...]:
    """The stops that stand now, oldest first."""
    wanted = select(stops.c.stop_id, stops.c.scope, stops.c.reason, stops.c.actor, stops.c.since)
    wanted = wanted.where(or_(stops.c.until.is_(None), stops.c.until > now)).order_by(stops.c.since, stops.c.stop_id)
    return tuple(Stop(**row._mapping) for row in conn.execute(wanted))


def ended(conn: Connection, now: datetime) -> dict[str, datetime]:
    """By reason, when the last of its stops that are over ended."""
    wanted = select(stops.c.reason, func.max(stops.c.until)).where(stops.c.until <= now).group_by(stops.c.reason)
    return {row[0]: row[1] for row in conn.execute(wanted)}


def applying(
    found: Sequence[Stop], *, playbook: str, channel: str, variant: str | None = None, segment: str | None = None
) -> Stop | None:
    """The first stop that keeps this playbook's messages of this channel, to people of this variant in this segment,
    back."""
    scopes = {EVERYTHING, f"channel:{channel}", scope_of(playbook, None, None)}
    if variant is not None:
        scopes |= {scope_of(playbook, variant, None), scope_of(playbook, variant, segment)}
    return next((s for s in found if s.scope in scopes), None)


def of_variants(conn: Connection, playbook: str) -> list[tuple[str, datetime, datetime | None]]:
    """Scope, beginning and end of every stop there ever was of a variant of a playbook, or of one segment of one."""
    wanted = select(stops.c.scope, stops.c.since, stops.c.until).order_by(stops.c.since, stops.c.stop_id)
    mine = stops.c.scope.startswith(f"{SCOPE}{playbook}/", autoescape=True)
    return [(row.scope, row.since, row.until) for row in conn.execute(wanted.where(mine))]
