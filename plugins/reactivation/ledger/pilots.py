"""Pilots: a playbook tried on one sample first. Its terms and what was known before it never change.

Whoever begins one waits for intake, and intake for whoever begins one, so that nobody is enrolled in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, insert, select, update

from reactivation.ledger import audit
from reactivation.ledger.locks import INTAKE, exclusive
from reactivation.ledger.tables import enrolments, pilots


@dataclass(frozen=True)
class Pilot:
    """One pilot. ``segment``: the business segment it is of; else it is of ``subjects``, by id.

    ``baseline``: the playbook's baseline metric before its first enrolment (measure, count, of, rate, run_id, at).
    """

    pilot_id: str
    playbook: str
    playbook_digest: str
    segment: str | None
    subjects: Sequence[str]
    owner_id: str
    threshold: float
    baseline: Mapping[str, Any]
    began_by: str
    began_at: datetime
    ends_at: datetime
    ended_by: str | None = None
    ended_at: datetime | None = None


def begin(conn: Connection, pilot: Pilot) -> bool:
    """Begin a pilot; false when one of its playbook stands already."""
    exclusive(conn, INTAKE)
    if standing(conn, pilot.playbook) is not None:
        return False
    conn.execute(insert(pilots), {**vars(pilot), "subjects": list(pilot.subjects), "baseline": dict(pilot.baseline)})
    audit.write(
        conn, at=pilot.began_at, actor=pilot.began_by, action="pilot_begun", subject=pilot.pilot_id,
        details={"playbook": pilot.playbook, "playbook_digest": pilot.playbook_digest, "segment": pilot.segment,
                 "subjects": list(pilot.subjects), "owner_id": pilot.owner_id, "ends_at": pilot.ends_at,
                 "threshold": str(pilot.threshold),
                 "baseline": {name: str(value) for name, value in pilot.baseline.items()}},
    )  # fmt: skip
    return True


def end(conn: Connection, playbook: str, *, actor: str, now: datetime) -> bool:
    """End the pilot of a playbook; false when none stands. From then on everybody may be enrolled."""
    exclusive(conn, INTAKE)
    found = standing(conn, playbook)
    if found is None:
        return False
    conn.execute(update(pilots).where(pilots.c.pilot_id == found.pilot_id).values(ended_by=actor, ended_at=now))
    audit.write(conn, at=now, actor=actor, action="pilot_ended", subject=found.pilot_id,
                details={"playbook": playbook, "began_by": found.began_by})  # fmt: skip
    return True


def standing(conn: Connection, playbook: str) -> Pilot | None:
    """The pilot a playbook is in, also after its days: until somebody ends it."""
    found = conn.execute(select(pilots).where(pilots.c.playbook == playbook, pilots.c.ended_at.is_(None)))
    row = found.one_or_none()
    return None if row is None else Pilot(**row._mapping)


def latest(conn: Connection, playbook: str) -> Pilot | None:
    """The pilot of a playbook that began last, ended or not."""
    wanted = select(pilots).where(pilots.c.playbook == playbook)
    row = conn.execute(wanted.order_by(pilots.c.began_at.desc(), pilots.c.pilot_id).limit(1)).one_or_none()
    return None if row is None else Pilot(**row._mapping)


def has_enrolled(conn: Connection, playbook: str) -> bool:
    """Whether a playbook ever enrolled anybody; nobody is taken in until this transaction ends."""
    exclusive(conn, INTAKE)
    return bool(conn.scalar(select(exists().where(enrolments.c.playbook == playbook))))
