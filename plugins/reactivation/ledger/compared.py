"""Who was assigned to treatment or to the holdout, and what they bought, whether or not anybody wrote to them.

Everything as it was known at ``until``, like ``ledger.measured``.
"""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from reactivation.ledger import audit
from reactivation.ledger.events import CANCELLED, PURCHASES
from reactivation.ledger.measured import TOLD, columns_of
from reactivation.ledger.tables import audit as audit_table
from reactivation.ledger.tables import enrolments, events, measurement_events

HELD_OUT = "holdout"
#: Why the intake lets somebody wait who may be written to: assigned all the same.
WAITS = (
    "capacity", "in_another_playbook", "nothing_to_send", "owner_unknown", "same_person", "sample_size",
    "segment_not_in_run", "variant_paused", "playbook_paused", "owner_away", "only_authors_could_sign", "outside_pilot",
    "pilot_over",
)  # fmt: skip
_ASKED = "comparison_asked"
#: Which touches chance skips, as the enrolment's ``dimensions`` name it.
_SKIPPED = "skipped_touches"

#: One row per customer who might have been written to: since when, in which group, by which run, and whether an
#: enrolment began.
ASSIGNED = pa.schema([
    ("customer_id", pa.string()), ("assigned_at", pa.timestamp("us", tz="UTC")), ("held_out", pa.bool_()),
    ("run_id", pa.string()), ("begun", pa.bool_()),
])  # fmt: skip

#: One row per enrolment for which chance drew touches to skip: the numbers it drew, as texts.
DRAWN = pa.schema([
    ("enrolment_id", pa.string()), ("customer_id", pa.string()), ("enrolled_at", pa.timestamp("us", tz="UTC")),
    ("ended_at", pa.timestamp("us", tz="UTC")), ("skipped", pa.list_(pa.string())),
])  # fmt: skip


def assigned(conn: Connection, playbook: str, until: datetime) -> pa.Table:
    """Everybody as first assigned (``ASSIGNED``), by customer."""
    event, at = measurement_events.c, measurement_events.c.occurred_at
    place = func.row_number().over(partition_by=event.subject, order_by=(at, event.event_id))
    first = (
        select(event.subject, at, (event.outcome == HELD_OUT).label("held_out"), event.run_id, place.label("place"))
        .where(_may_be_written_to(playbook), at <= until)
        .subquery()
    )
    began = select(enrolments.c.customer_id).where(
        enrolments.c.playbook == playbook, enrolments.c.enrolled_at <= until
    )  # fmt: skip
    query = (
        select(first.c.subject, first.c.occurred_at, first.c.held_out, first.c.run_id, first.c.subject.in_(began))
        .where(first.c.place == 1)
        .order_by(first.c.subject)
    )
    return columns_of(conn.execute(query), ASSIGNED)


def bought(conn: Connection, playbook: str, until: datetime) -> pa.Table:
    """Purchases and cancellations of everybody assigned (``TOLD``), in the order they happened."""
    query = (
        select(*(events.c[name] for name in TOLD.names))
        .where(events.c.customer_id.in_(_assigned_ids(playbook, until)), events.c.recorded_at <= until)
        .where(events.c.kind.in_((*PURCHASES, CANCELLED)))
        .order_by(events.c.occurred_at, events.c.event_id)
    )
    return columns_of(conn.execute(query), TOLD)


def drawn(conn: Connection, playbook: str, until: datetime) -> pa.Table:
    """The enrolments that began while chance skipped touches (``DRAWN``), whatever was sent of the others."""
    one = enrolments.c
    query = (
        select(one.enrolment_id, one.customer_id, one.enrolled_at, one.ended_at, one.dimensions)
        .where(one.playbook == playbook, one.enrolled_at <= until)
        .order_by(one.enrolment_id)
    )
    rows = (
        (*row[:4], row.dimensions[_SKIPPED])
        for row in conn.execute(query)
        if row.dimensions.get(_SKIPPED) is not None
    )  # fmt: skip
    return columns_of(rows, DRAWN)


def last_asked(conn: Connection, playbook: str) -> datetime | None:
    """When the source was last asked what those assigned have bought."""
    at = audit_table.c.at
    wanted = select(func.max(at, type_=at.type))
    found: datetime | None = conn.scalar(
        wanted.where(audit_table.c.subject == playbook, audit_table.c.action == _ASKED)
    )  # fmt: skip
    return found


def record_asked(conn: Connection, playbook: str, *, people: int, actor: str, now: datetime) -> None:
    """The source was asked about so many people."""
    audit.write(conn, at=now, actor=actor, action=_ASKED, subject=playbook, details={"people": people})


def _assigned_ids(playbook: str, until: datetime) -> Select[tuple[str]]:
    return select(measurement_events.c.subject).where(
        _may_be_written_to(playbook), measurement_events.c.occurred_at <= until
    )


def _may_be_written_to(playbook: str) -> ColumnElement[bool]:
    """Decisions about people whom every gate let pass. Chance alone says who of them is held out, so both groups are
    these; those who began are the ones with the best priority, and would not be comparable."""
    event = measurement_events.c
    waits = and_(event.outcome == "hold", event.reason.in_(WAITS))
    allowed = or_(event.outcome.in_(("enrol", "review", HELD_OUT)), waits)
    return and_(event.playbook == playbook, event.kind == "decision", allowed)
