"""Permanent *do not contact*, per address key and brand. Committed before anything else is done about it.

A suppression and a claim of sends never interleave: the suppression takes the lock of permission for itself, a claim
shares it. So a suppression is either committed before the intent, and the touch is not sent, or after it (crossed).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, case, select

from reactivation.ledger import audit
from reactivation.ledger.among import among
from reactivation.ledger.bulk import insert_if_new
from reactivation.ledger.engine import Ledger
from reactivation.ledger.locks import PERMISSION, exclusive
from reactivation.ledger.tables import suppressions

EVERY = "*"


@dataclass(frozen=True)
class Suppression:
    """One *no*. ``brand`` and ``channel``: ``*`` for every one. ``source``: where it was said."""

    address_key: str
    brand: str
    channel: str
    reason: str
    source: str
    occurred_at: datetime


def commit(ledger: Ledger, rows: Iterable[Suppression], *, actor: str, now: datetime) -> int:
    """Commit suppressions in a transaction of their own; returns how many are new."""
    unique = {(r.address_key, r.brand, r.channel, r.reason): r for r in rows}
    if not unique:
        return 0
    with ledger.begin() as conn:
        return commit_within(conn, unique.values(), actor=actor, now=now)


def commit_within(conn: Connection, rows: Iterable[Suppression], *, actor: str, now: datetime) -> int:
    """The same with what follows from it in one transaction: for what was held by other means until now."""
    unique = {(r.address_key, r.brand, r.channel, r.reason): r for r in rows}
    exclusive(conn, PERMISSION)
    return _insert(conn, list(unique.values()), actor=actor, now=now)


def not_recorded(conn: Connection, rows: Iterable[Suppression]) -> int:
    """How many of these a commit would record."""
    wanted = {(r.address_key, r.brand, r.channel, r.reason) for r in rows}
    columns = [suppressions.c[name] for name in ("address_key", "brand", "channel", "reason")]
    mine = among(suppressions.c.address_key, {address_key for address_key, *_ in wanted})
    return len(wanted - {tuple(row) for row in conn.execute(select(*columns).where(mine))})


def standing(conn: Connection, address_keys: Collection[str], *, brand: str) -> dict[str, str]:
    """The reason by address key, for those of ``address_keys`` that this brand may not contact.

    A *no* in one channel keeps us silent in the others too, as the gate ``not_suppressed`` has it. Of several, what
    the person said is told before what happened to a message.
    """
    dead_first = case((suppressions.c.reason == "hard_bounce", 0), else_=1)
    found = conn.execute(
        select(suppressions.c.address_key, suppressions.c.reason)
        .where(among(suppressions.c.address_key, address_keys), suppressions.c.brand.in_((EVERY, brand)))
        .order_by(suppressions.c.address_key, dead_first, suppressions.c.reason.desc())
    )
    return {row.address_key: row.reason for row in found}


def _insert(conn: Connection, rows: Sequence[Suppression], *, actor: str, now: datetime) -> int:
    new = [row for row in rows if insert_if_new(conn, suppressions, {**asdict(row), "recorded_at": now})]
    audit.write_many(
        conn, at=now, actor=actor, action="suppressed",
        subjects=[
            (r.address_key, {"brand": r.brand, "channel": r.channel, "reason": r.reason, "source": r.source,
                             "occurred_at": r.occurred_at})
            for r in new
        ],
    )  # fmt: skip
    return len(new)
