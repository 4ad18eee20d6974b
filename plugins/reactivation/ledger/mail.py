"""What our e-mail did, day by day (of UTC), for the ramp and the circuit of its domain.

A tenant has one sender of e-mail, so all e-mail of the ledger is that domain's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from reactivation.ledger.extract import MAY_HAVE_REACHED
from reactivation.ledger.tables import events, sends, touches
from reactivation.policy.deliverability import Day

EMAIL = "email"
#: The kinds of events that speak of how mail is received.
COMPLAINT, BOUNCE = "complaint", "bounce"


def days(conn: Connection, since: datetime, *, answered: Mapping[str, datetime] | None = None) -> list[Day]:
    """Each day of e-mails sent, or of complaints and bounces told, since an instant, by day.

    A send counts on the day of its call, as delivered when it was accepted and did not bounce: providers tell no
    deliveries. A complaint counts once per enrolment, a bounce once per message, on the day it occurred.
    ``answered``: by kind, until when a person has answered for what was told; that is left out.
    """
    answered = answered or {}
    found: dict[date, dict[str, int]] = defaultdict(dict)
    counted = conn.execute(_sent(conn, since)).all()
    for day, sent, delivered in counted:
        found[_date(day)] |= {"sent": sent, "delivered": int(delivered)}
    for name, kind, of_kind in (("complaints", COMPLAINT, _complaints()), ("hard_bounces", BOUNCE, _bounces())):
        for day, count in conn.execute(_told(conn, of_kind, since, answered.get(kind))):
            found[_date(day)][name] = count
    return [Day(day, **counts) for day, counts in sorted(found.items())]


def told(conn: Connection) -> int:
    """How many complaints and bounces were ever told; whatever of them is new makes it more."""
    return conn.execute(select(func.count()).where(events.c.kind.in_((COMPLAINT, BOUNCE)))).scalar_one()


def sent_since(conn: Connection, since: datetime) -> int:
    """How many e-mails went out, or are about to, since an instant; an intent counts, whenever it was written."""
    wanted = select(func.count()).where(sends.c.channel == EMAIL)
    going = or_(sends.c.state == "intent", and_(sends.c.state.in_(MAY_HAVE_REACHED), _called_at() >= since))
    return conn.execute(wanted.where(going)).scalar_one()


def _sent(conn: Connection, since: datetime) -> Select[Any]:
    back = (
        select(events.c.touch_id).where(events.c.kind == BOUNCE, events.c.touch_id.is_not(None)).distinct().subquery()
    )
    arrived = and_(sends.c.state == "accepted", back.c.touch_id.is_(None))
    day = _day(conn, _called_at())
    return (
        select(day, func.count(), func.sum(case((arrived, 1), else_=0)))
        .select_from(sends.outerjoin(back, back.c.touch_id == sends.c.touch_id))
        .where(sends.c.channel == EMAIL, sends.c.state.in_(MAY_HAVE_REACHED), _called_at() >= since)
        .group_by(day)
    )


def _complaints() -> Select[Any]:
    """One row per enrolment that complained: of an e-mail of ours, or of none that is named after it had one."""
    of_it = or_(events.c.touch_id == sends.c.touch_id,
                and_(events.c.touch_id.is_(None), _called_at() <= events.c.occurred_at))  # fmt: skip
    return (
        select(func.min(events.c.occurred_at).label("at"), func.min(events.c.recorded_at).label("told_at"))
        .select_from(events)
        .join(touches, touches.c.enrolment_id == events.c.enrolment_id)
        .join(sends, sends.c.touch_id == touches.c.touch_id)
        .where(events.c.kind == COMPLAINT, func.coalesce(events.c.channel, EMAIL) == EMAIL, of_it)
        .where(sends.c.channel == EMAIL, sends.c.state.in_(MAY_HAVE_REACHED))
        .group_by(events.c.enrolment_id)
    )


def _bounces() -> Select[Any]:
    """One row per e-mail of ours that came back."""
    return (
        select(func.min(events.c.occurred_at).label("at"), func.min(events.c.recorded_at).label("told_at"))
        .join(sends, sends.c.touch_id == events.c.touch_id)
        .where(events.c.kind == BOUNCE, sends.c.channel == EMAIL)
        .group_by(events.c.touch_id)
    )


def _told(conn: Connection, of_kind: Select[Any], since: datetime, answered: datetime | None) -> Select[Any]:
    """How many of ``of_kind`` occurred on each day, of those told since, and not answered for."""
    one = of_kind.subquery()
    day = _day(conn, one.c.at)
    wanted = select(day, func.count()).where(one.c.told_at >= since).group_by(day)
    return wanted if answered is None else wanted.where(one.c.told_at > answered)


def _called_at() -> ColumnElement[datetime]:
    return func.coalesce(sends.c.called_at, sends.c.intended_at, type_=sends.c.intended_at.type)


def _day(conn: Connection, at: ColumnElement[datetime]) -> ColumnElement[Any]:
    return func.date(func.timezone("UTC", at) if conn.dialect.name == "postgresql" else at)


def _date(read: date | str) -> date:
    """SQLite has no dates and says them as text."""
    return read if isinstance(read, date) else date.fromisoformat(read)
