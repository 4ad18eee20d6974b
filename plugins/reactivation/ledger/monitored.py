"""What the monitor counts: who got which variant, what was sent, and what came back, as counted by the database.

Everything as it was known at ``until``, like ``ledger.measured``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import CTE, Connection, Select, and_, case, exists, func, select

from reactivation.ledger.columns import table_of
from reactivation.ledger.events import CANCELLED, PURCHASES
from reactivation.ledger.tables import enrolments, events, sends, touches

_TEXT, _TIME, _COUNT = pa.string(), pa.timestamp("us", tz="UTC"), pa.int64()

#: One row per enrolment of a batch that was written to: when first, and when its customer first bought after that.
COMPARED = pa.schema([
    ("batch_id", _TEXT), ("variant", _TEXT), ("segment", _TEXT), ("first_at", _TIME), ("bought_at", _TIME),
])  # fmt: skip
#: The same of enrolments that were given a step of the incentive ladder.
RESPONDED = pa.schema([("segment", _TEXT), ("rung", _TEXT), ("first_at", _TIME), ("bought_at", _TIME)])
#: One row per variant (none: null) and segment: enrolments; messages accepted; and the people who said no, complained,
#: or whose message came back, after a message of theirs.
COUNTED = pa.schema([
    ("variant", _TEXT), ("segment", _TEXT), ("assigned", _COUNT), ("sends", _COUNT), ("unsubscribes", _COUNT),
    ("complaints", _COUNT), ("bounces", _COUNT),
])  # fmt: skip

_NOES = ("unsubscribe", "opt_out", "objection")
_MEASURE = case(
    (events.c.kind.in_(_NOES), "unsubscribes"), (events.c.kind == "complaint", "complaints"), else_="bounces"
)


def compared(conn: Connection, playbook: str, *, first_before: datetime, until: datetime) -> pa.Table:
    """Those of a batch first written to by ``first_before``, as ``COMPARED``, in no order."""
    came = _came_back(playbook, first_before, until)
    wanted = (
        select(enrolments.c.batch_id, enrolments.c.variant, enrolments.c.segment, came.c.first_at, came.c.bought_at)
        .select_from(enrolments)
        .join(came, came.c.enrolment_id == enrolments.c.enrolment_id)
        .where(enrolments.c.batch_id.is_not(None))
    )
    return table_of(conn, wanted, COMPARED)


def responded(conn: Connection, playbook: str, *, first_before: datetime, until: datetime) -> pa.Table:
    """Those first written to by ``first_before`` whom a step of the incentive ladder was given, as ``RESPONDED``."""
    came, rung = _came_back(playbook, first_before, until), enrolments.c.dimensions["rung"].as_string()
    wanted = (
        select(enrolments.c.segment, rung, came.c.first_at, came.c.bought_at)
        .select_from(enrolments)
        .join(came, came.c.enrolment_id == enrolments.c.enrolment_id)
        .where(rung.is_not(None))
    )
    return table_of(conn, wanted, RESPONDED)


def counted(conn: Connection, playbook: str, *, since: datetime | None, until: datetime) -> pa.Table:
    """What was assigned ever, and sent and came back after ``since``, as ``COUNTED``, by variant and segment."""
    message = _messages(playbook, until, since)
    rows: dict[tuple[str | None, str], dict[str, Any]] = {}

    def enter(wanted: Select[Any], measure: str | None = None) -> None:
        for variant, segment, *named, count in conn.execute(wanted):
            row = rows.setdefault((variant, segment), {"variant": variant, "segment": segment})
            row[measure or named[0]] = count

    of = (enrolments.c.variant, enrolments.c.segment)
    ours = (enrolments.c.playbook == playbook) & (enrolments.c.enrolled_at <= until)
    enter(select(*of, func.count()).where(ours).group_by(*of), "assigned")
    of_message = (message.c.variant, message.c.segment)
    enter(select(*of_message, func.count()).group_by(*of_message), "sends")
    came_back = and_(
        events.c.customer_id == message.c.customer_id, events.c.occurred_at > message.c.finished_at,
        events.c.kind.in_((*_NOES, "complaint")),
    )  # fmt: skip
    bounced = and_(events.c.touch_id == message.c.touch_id, events.c.kind == "bounce")
    for joined in (came_back, bounced):
        people = func.count(message.c.enrolment_id.distinct())
        told = select(*of_message, _MEASURE.label("measure"), people).join(events, joined)
        enter(told.where(events.c.recorded_at <= until).group_by(*of_message, "measure"))
    full = [{name: row.get(name, 0) for name in COUNTED.names} for _, row in sorted(rows.items(), key=_by_name)]
    return pa.Table.from_pylist(full, COUNTED)


def _came_back(playbook: str, first_before: datetime, until: datetime) -> CTE:
    """By enrolment that was written to by ``first_before``: when first, and when its customer first bought after."""
    message = _messages(playbook, until)
    first = (
        select(message.c.enrolment_id, message.c.customer_id,
               func.min(message.c.finished_at, type_=sends.c.finished_at.type).label("at"))
        .group_by(message.c.enrolment_id, message.c.customer_id)
        .cte("first")
    )  # fmt: skip
    cancelled = events.alias("cancelled")
    undone = exists().where(
        cancelled.c.about == events.c.event_id, cancelled.c.kind == CANCELLED, cancelled.c.recorded_at <= until
    )
    bought = and_(
        events.c.customer_id == first.c.customer_id, events.c.kind.in_(PURCHASES),
        events.c.occurred_at > first.c.at, events.c.recorded_at <= until, ~undone,
    )  # fmt: skip
    bought_at = func.min(events.c.occurred_at, type_=events.c.occurred_at.type).label("bought_at")
    return (
        select(first.c.enrolment_id, first.c.at.label("first_at"), bought_at)
        .select_from(first)
        .outerjoin(events, bought)
        .where(first.c.at <= first_before)
        .group_by(first.c.enrolment_id, first.c.at)
        .cte("came")
    )


def _messages(playbook: str, until: datetime, since: datetime | None = None) -> CTE:
    """The messages of a playbook that a provider accepted."""
    wanted = (
        select(
            sends.c.touch_id, sends.c.finished_at, touches.c.enrolment_id, enrolments.c.customer_id,
            enrolments.c.variant, enrolments.c.segment,
        )
        .join(touches, touches.c.touch_id == sends.c.touch_id)
        .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
        .where(touches.c.playbook == playbook, sends.c.state == "accepted", sends.c.finished_at <= until)
    )  # fmt: skip
    return (wanted if since is None else wanted.where(sends.c.finished_at > since)).cte("message")


def _by_name(one: tuple[tuple[str | None, str], object]) -> tuple[str, str]:
    (variant, segment), _ = one
    return variant or "", segment
