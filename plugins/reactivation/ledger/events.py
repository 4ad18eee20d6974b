"""What came back: opens, clicks, replies, purchases, opt-outs. Told twice, it is nothing new."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, exists, func, select

from reactivation.ledger import audit
from reactivation.ledger.among import among
from reactivation.ledger.bulk import insert_if_new
from reactivation.ledger.extract import MAY_HAVE_REACHED
from reactivation.ledger.tables import enrolments, events, sends, touches

#: The kinds of events that are purchases, as the data contract names them; and that one of them was cancelled.
PURCHASES = ("order", "booking", "subscription")
CANCELLED = "cancelled"


@dataclass(frozen=True)
class Event:
    """One fact from outside. ``event_id`` is the source's own id, with its table in front.

    ``amount``, ``currency`` and ``discount`` are a purchase's; ``about`` is the purchase that a cancellation or a
    redeemed code is of.
    """

    event_id: str
    customer_id: str | None
    address_key: str | None
    enrolment_id: str | None
    touch_id: str | None
    kind: str
    channel: str | None
    occurred_at: datetime
    source: str
    amount: Decimal | None = None
    currency: str | None = None
    discount: Decimal | None = None
    about: str | None = None


def record(conn: Connection, rows: Sequence[Event], *, stops: Collection[str], now: datetime) -> list[Event]:
    """Record events; returns those that are new.

    One of a kind that ``stops`` sends, and that a send no longer saw, is marked as crossed, and audited with both
    times. What another recorder has just told is nothing new either.
    """
    told_before = known(conn, {row.event_id for row in rows}) if rows else set()
    new: list[Event] = []
    for row in rows:
        if row.event_id in told_before:
            continue
        crossed = _crossed(conn, row, now) if row.kind in stops else ()
        if not insert_if_new(conn, events, {**asdict(row), "recorded_at": now, "crossed": bool(crossed)}):
            continue
        new.append(row)
        audit.write_many(
            conn, at=now, actor="record_outcomes", action="crossed",
            subjects=[
                (row.event_id, {"send_id": send_id, "kind": row.kind, "intended_at": intended_at,
                                "occurred_at": row.occurred_at, "recorded_at": now})
                for send_id, intended_at in crossed
            ],
        )  # fmt: skip
    return new


def bought_since_enrolled(conn: Connection, enrolment_ids: Collection[str]) -> set[str]:
    """Those of the enrolments whose customer has bought or booked since they began, and has not cancelled it."""
    cancelled = events.alias()
    undone = exists().where(cancelled.c.about == events.c.event_id, cancelled.c.kind == CANCELLED)
    wanted = (
        select(enrolments.c.enrolment_id)
        .join(events, events.c.customer_id == enrolments.c.customer_id)
        .where(among(enrolments.c.enrolment_id, enrolment_ids), events.c.kind.in_(PURCHASES))
        .where(events.c.occurred_at > enrolments.c.enrolled_at, ~undone)
    )
    return set(conn.scalars(wanted))


def known(conn: Connection, event_ids: Collection[str]) -> set[str]:
    """Those of the event ids that are recorded already."""
    return set(conn.scalars(select(events.c.event_id).where(among(events.c.event_id, event_ids))))


def _crossed(conn: Connection, event: Event, now: datetime) -> Sequence[tuple[str, datetime]]:
    """The sends this event would have stopped, had we known: it happened before they ended, and was not recorded yet
    when they were intended."""
    if event.enrolment_id is None:
        return ()
    ended = func.coalesce(sends.c.finished_at, now, type_=sends.c.intended_at.type)
    wanted = (
        select(sends.c.send_id, sends.c.intended_at)
        .join(touches, touches.c.touch_id == sends.c.touch_id)
        .where(touches.c.enrolment_id == event.enrolment_id, sends.c.state.in_(MAY_HAVE_REACHED))
        .where(ended >= event.occurred_at, sends.c.intended_at <= now)
        .order_by(sends.c.intended_at, sends.c.send_id)
    )
    return [(row.send_id, row.intended_at) for row in conn.execute(wanted)]
