"""How far each provider was asked what came back. It only moves on."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from reactivation.ledger.among import among
from reactivation.ledger.tables import provider_feeds


def told_until(conn: Connection, providers: Collection[str]) -> dict[str, datetime]:
    """Until when each of the providers has told everything; none where it was never asked."""
    wanted = select(provider_feeds.c.provider, provider_feeds.c.told_until)
    found = conn.execute(wanted.where(among(provider_feeds.c.provider, providers)))
    return {row.provider: row.told_until for row in found}


def advance(conn: Connection, provider: str, *, until: datetime, now: datetime) -> None:
    """A provider has told everything until an instant."""
    mine = provider_feeds.c.provider == provider
    before = conn.execute(select(provider_feeds.c.told_until).where(mine).with_for_update()).scalar_one_or_none()
    if before is None:
        conn.execute(insert(provider_feeds).values(provider=provider, told_until=until, asked_at=now))
    else:
        conn.execute(update(provider_feeds).where(mine).values(told_until=max(before, until), asked_at=now))
