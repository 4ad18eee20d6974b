"""What came back: opens, clicks, replies, purchases, opt-outs. Told twice, it is nothing new."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from reactivation.ledger import audit
from reactivation.ledger.bulk import insert_if_new
from reactivation.ledger.extract import MAY_HAVE_REACHED
from reactivation.ledger.tables import enrolments, events, sends, touches

#: The kinds of events that are purchases, as the data contract names them.
PURCHASES = ("order", "booking", "subscription")


@dataclass(frozen=True)
class Event:
    """One fact from outside. ``event_id`` is the source's own id, with its table in front."""

    event_id: str
    customer_id: str
    address_key: str | None
    enrolment_id: str | None
    touch_id: str | None
    kind: str
    channel: str | None
    occurred_at: datetime
    source: str


def record(conn: Connection, rows: Iterable[Event], *, now: datetime) -> list[Event]:
    """Record events; returns those that are new. One that crossed a send is marked, and audited with both times."""
    new: list[Event] = []
    for row in rows:
        crossed = _crossed(conn, row, now)
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


def bought_after_end(conn: Connection, enrolment_ids: Collection[str]) -> set[str]:
    """Those of the enrolments that have ended, and whose customer has bought or booked since."""
    wanted = (
        select(enrolments.c.enrolment_id)
        .join(events, events.c.enrolment_id == enrolments.c.enrolment_id)
        .where(enrolments.c.enrolment_id.in_(sorted(enrolment_ids)), events.c.kind.in_(PURCHASES))
        .where(events.c.occurred_at > enrolments.c.ended_at)
    )
    return set(conn.scalars(wanted))


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
