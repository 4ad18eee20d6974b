"""Pauses: the stops that the monitor began, each with what it saw. Only an answer ends one (``stops``). A variant that
is stopped by hand has no such row, and waits the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, insert, or_, select

from reactivation.ledger import audit, stops
from reactivation.ledger.stops import Stop
from reactivation.ledger.tables import pauses
from reactivation.ledger.tables import stops as stops_table
from reactivation.playbooks.variants import scope_of

PREFIX = "monitor:"


@dataclass(frozen=True)
class Pause:
    """What is paused: a playbook, a variant of it, or one segment of a variant; why, and ``until`` when it was."""

    stop_id: str
    playbook: str
    variant: str | None
    segment: str | None
    because: str
    evidence: Mapping[str, Any]
    as_of: datetime
    rules_version: str
    since: datetime
    until: datetime | None


def pause(
    conn: Connection, *, playbook: str, variant: str | None, segment: str | None, because: str,
    evidence: Mapping[str, Any], rules_version: str, actor: str, now: datetime,
) -> str:  # fmt: skip
    """Begin a stop of the monitor and keep its evidence; the id of the stop."""
    scope = scope_of(playbook, variant, segment)
    made = stops.stop(conn, scope=scope, reason=f"{PREFIX}{because}", actor=actor, now=now)
    row = {
        "stop_id": made.stop_id, "playbook": playbook, "variant": variant, "segment": segment, "because": because,
        "evidence": dict(evidence), "as_of": now, "rules_version": rules_version,
    }  # fmt: skip
    conn.execute(insert(pauses), row)
    # Sealed with the trail, so that it can be shown that nobody wrote it afterwards.
    told = {"scope": scope, "because": because, "evidence": json.dumps(row["evidence"], sort_keys=True)}
    audit.write(conn, at=now, actor=actor, action="paused", subject=made.stop_id, details=told)
    return made.stop_id


def of_playbook(conn: Connection, playbook: str) -> list[Pause]:
    """Every pause of a playbook there ever was, the oldest first."""
    wanted = _PAUSE.where(pauses.c.playbook == playbook).order_by(stops_table.c.since, pauses.c.stop_id)
    return [Pause(**row._mapping) for row in conn.execute(wanted)]


def standing(conn: Connection, playbook: str | None = None) -> list[Pause]:
    """The pauses that stand, of a playbook or of all, the oldest first."""
    wanted = _PAUSE.where(stops_table.c.until.is_(None)).order_by(stops_table.c.since, pauses.c.stop_id)
    if playbook is not None:
        wanted = wanted.where(pauses.c.playbook == playbook)
    return [Pause(**row._mapping) for row in conn.execute(wanted)]


def of_stop(conn: Connection, stop_id: str) -> Pause | None:
    """The pause that a stop is; ``None`` for a stop that the monitor did not begin."""
    row = conn.execute(_PAUSE.where(pauses.c.stop_id == stop_id)).one_or_none()
    return None if row is None else Pause(**row._mapping)


def holding(conn: Connection, *, playbook: str, variant: str | None, segment: str) -> Stop | None:
    """The oldest stop that stands by which people of a variant and segment wait: of the playbook as the monitor paused
    it, of the variant or of the segment of it, whoever began it."""
    stop = stops_table.c
    whole = and_(stop.scope == scope_of(playbook, None, None), stop.reason.startswith(PREFIX))
    mine = [] if variant is None else [scope_of(playbook, variant, one) for one in (None, segment)]
    wanted = select(stop.stop_id, stop.scope, stop.reason, stop.actor, stop.since)
    wanted = wanted.where(stop.until.is_(None), or_(whole, stop.scope.in_(mine)))
    row = conn.execute(wanted.order_by(stop.since, stop.stop_id).limit(1)).one_or_none()
    return None if row is None else Stop(**row._mapping)


_PAUSE: Select[Any] = select(
    pauses.c.stop_id, pauses.c.playbook, pauses.c.variant, pauses.c.segment, pauses.c.because, pauses.c.evidence,
    pauses.c.as_of, pauses.c.rules_version, stops_table.c.since, stops_table.c.until,
).join(stops_table, stops_table.c.stop_id == pauses.c.stop_id)  # fmt: skip
