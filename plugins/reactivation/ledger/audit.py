"""The audit trail: who did what to which subject, as plain inserts that nothing can change."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Select, bindparam, func, insert, select, true

from reactivation.contract.digests import canonical_json
from reactivation.ledger.given import given, named
from reactivation.ledger.locks import SEALING
from reactivation.ledger.tables import audit


@dataclass(frozen=True)
class AuditRow:
    """One row of the trail, its details read."""

    at: datetime
    actor: str
    action: str
    details: Mapping[str, Any]


def write(conn: Connection, *, at: datetime, actor: str, action: str, subject: str, details: Mapping[str, Any]) -> None:
    """Append one row. ``details`` are ids, codes, counts and instants, never anything personal."""
    write_many(conn, at=at, actor=actor, action=action, subjects=[(subject, details)])


def write_many(
    conn: Connection, *, at: datetime, actor: str, action: str, subjects: Iterable[tuple[str, Mapping[str, Any]]]
) -> None:
    """Append one row per subject, in the order given."""
    rows = [{"subject": subject, "details": canonical_json(details).decode()} for subject, details in subjects]
    if rows:
        conn.execute(_appending(conn.dialect.name), {"at": at, "actor": actor, "action": action, **named(rows)})


@cache
def _appending(dialect: str) -> Insert:
    """A seal waits for us, so that no row appears among rows already sealed: none gets its number before the lock."""
    rows = given(dialect, audit, ("subject", "details"))
    same = [bindparam(name, type_=audit.c[name].type) for name in ("at", "actor", "action")]
    read = select(*same, *rows.c)
    if dialect == "postgresql":
        locked = select(func.pg_advisory_xact_lock_shared(SEALING)).cte("unsealed").prefix_with("MATERIALIZED")
        read = read.select_from(locked).join(rows, true())
    return insert(audit).from_select(["at", "actor", "action", "subject", "details"], read)


def last() -> Select[tuple[int]]:
    """Asks for the number of the last row, 0 when there is none; numbers only rise, and some are never used."""
    return select(func.coalesce(func.max(audit.c.seq), 0))


def about(conn: Connection, subject: str, actions: Collection[str]) -> list[AuditRow]:
    """What was done to a subject, of these actions, in the order in which it happened."""
    query = select(audit.c.at, audit.c.actor, audit.c.action, audit.c.details).where(
        audit.c.subject == subject, audit.c.action.in_(actions)
    )
    rows = conn.execute(query.order_by(audit.c.seq))
    return [AuditRow(row.at, row.actor, row.action, json.loads(row.details)) for row in rows]
