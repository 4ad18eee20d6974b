"""What earlier runs were judged by: the size of their tables, the figures of their conditions, and how mail fared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from reactivation.ledger.tables import events, runs, sends, steps

_STEP = "readiness"


@dataclass(frozen=True)
class Judged:
    """How the readiness of one run ended."""

    run_id: str
    snapshot_id: str
    state: str
    counts: Mapping[str, Any]
    ended_at: datetime


def earlier(conn: Connection, playbook: str, *, before: datetime, most: int, went_on: bool) -> list[Judged]:
    """Earlier real runs of a playbook that were judged, the last first, one per snapshot; with ``went_on`` only those
    that were let on."""
    query = (
        select(runs.c.run_id, runs.c.snapshot_id, steps.c.state, steps.c.counts, steps.c.ended_at)
        .join(steps, steps.c.run_id == runs.c.run_id)
        .where(runs.c.playbook == playbook, runs.c.dry.is_(False), steps.c.step == _STEP, runs.c.started_at < before)
        .order_by(runs.c.started_at.desc(), runs.c.run_id)
    )
    if went_on:
        query = query.where(steps.c.state == "succeeded")
    found: dict[str, Judged] = {}
    for row in conn.execute(query.limit(most * 4)):
        found.setdefault(row.snapshot_id, Judged(**row._mapping))
    return list(found.values())[:most]


def latest(conn: Connection, playbook: str, most: int) -> list[Judged]:
    """The last runs of a playbook that were judged, dry ones too, the newest first."""
    query = (
        select(runs.c.run_id, runs.c.snapshot_id, steps.c.state, steps.c.counts, steps.c.ended_at)
        .join(steps, steps.c.run_id == runs.c.run_id)
        .where(runs.c.playbook == playbook, steps.c.step == _STEP)
        .order_by(runs.c.started_at.desc(), runs.c.run_id)
    )
    return [Judged(**row._mapping) for row in conn.execute(query.limit(most))]


def decided_for(conn: Connection, playbook: str, reason: str) -> int:
    """How many candidates the last real run of a playbook decided as it did for that reason."""
    query = (
        select(steps.c.counts)
        .join(runs, runs.c.run_id == steps.c.run_id)
        .where(runs.c.playbook == playbook, runs.c.dry.is_(False), steps.c.step == "decide")
        .order_by(runs.c.started_at.desc(), runs.c.run_id)
    )
    counts: Mapping[str, Any] = conn.scalar(query.limit(1)) or {}
    return int(counts.get("reasons", {}).get(reason, 0))


def mail_since(conn: Connection, since: datetime) -> dict[str, int]:
    """How many e-mails a provider accepted since then, and how many of them bounced or were complained about."""
    accepted = (
        select(sends.c.touch_id)
        .where(sends.c.channel == "email", sends.c.state == "accepted", sends.c.intended_at >= since)
        .subquery()
    )
    of_ours = (
        select(events.c.kind, func.count(events.c.touch_id.distinct()))
        .join(accepted, accepted.c.touch_id == events.c.touch_id)
        .where(events.c.kind.in_(("bounce", "complaint")))
        .group_by(events.c.kind)
    )
    told = {row[0]: row[1] for row in conn.execute(of_ours)}
    sent = int(conn.scalar(select(func.count()).select_from(accepted)) or 0)
    return {"sent": sent, "bounced": told.get("bounce", 0), "complained": told.get("complaint", 0)}
