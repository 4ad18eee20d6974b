"""How far each enrolment has come: its touches with their sends, as columns.

Grain of ``COURSES``: one row per touch in the ledger, ordered by enrolment and number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Select, bindparam, func, select, update

from reactivation.ledger import audit
from reactivation.ledger.among import among
from reactivation.ledger.columns import table_of
from reactivation.ledger.extract import MAY_HAVE_REACHED
from reactivation.ledger.tables import enrolments, events, sends, touches

_TEXT, _WHOLE, _TIME = pa.string(), pa.int64(), pa.timestamp("us", tz="UTC")

#: ``sent_at``: when the provider's answer came, else when it was called; null where nothing may have reached anybody.
COURSES = pa.schema([
    ("touch_id", _TEXT), ("enrolment_id", _TEXT), ("customer_id", _TEXT), ("number", _WHOLE), ("pattern", _TEXT),
    ("channel", _TEXT), ("incentive", _TEXT), ("offer_id", _TEXT), ("state", _TEXT), ("reason", _TEXT),
    ("not_before", _TIME), ("not_after", _TIME), ("send_state", _TEXT), ("sent_at", _TIME),
])  # fmt: skip

#: States in which a touch's window may still be moved: nobody has been asked about it, or it was held.
MOVABLE = ("planned", "drafted", "held")


def of_active(conn: Connection, playbook: str | None = None) -> pa.Table:
    """The touches of the active enrolments of a playbook, or of all, as ``COURSES``."""
    wanted = _query().where(enrolments.c.state == "active")
    return _table(conn, wanted if playbook is None else wanted.where(enrolments.c.playbook == playbook))


def of_run(conn: Connection, run_id: str) -> pa.Table:
    """The touches of the enrolments a run began, whatever became of them, as ``COURSES``."""
    return _table(conn, _query().where(enrolments.c.run_id == run_id))


def of_enrolments(conn: Connection, enrolment_ids: Collection[str]) -> pa.Table:
    """The touches of a few enrolments, as ``COURSES``."""
    return _table(conn, _query().where(among(enrolments.c.enrolment_id, enrolment_ids)))


def redeemed(conn: Connection, enrolment_ids: Collection[str] | None = None) -> set[str]:
    """The enrolments one of whose codes was used: of all that are active, or of a few."""
    wanted = (
        select(events.c.enrolment_id)
        .join(enrolments, enrolments.c.enrolment_id == events.c.enrolment_id)
        .where(events.c.kind == "redeemed")
    )
    if enrolment_ids is None:
        wanted = wanted.where(enrolments.c.state == "active")
    else:
        wanted = wanted.where(among(events.c.enrolment_id, enrolment_ids))
    return set(conn.scalars(wanted.distinct()))


def last_sent(courses: pa.Table) -> pa.Table:
    """Of each enrolment the last touch that reached the person, or may have: enrolment_id, number, at."""
    sent = courses.filter(pc.is_valid(courses["sent_at"])).select(["enrolment_id", "number", "sent_at"])
    sent = sent.sort_by([("enrolment_id", "ascending"), ("sent_at", "descending"), ("number", "descending")])
    ids = sent["enrolment_id"].combine_chunks()
    first = pc.index_in(ids.unique(), ids)
    return sent.take(first).rename_columns(["enrolment_id", "number", "at"])


def offers_sent(conn: Connection, since: datetime) -> pa.Table:
    """When an offer last went out after an instant, or may have, by address key and the touch's incentive."""
    at = func.max(_sent_at(), type_=sends.c.intended_at.type)
    wanted = (
        select(sends.c.address_key, touches.c.incentive, at)
        .join(touches, touches.c.touch_id == sends.c.touch_id)
        .where(sends.c.state.in_(MAY_HAVE_REACHED), touches.c.offer_id.is_not(None), _sent_at() > since)
        .group_by(sends.c.address_key, touches.c.incentive)
        .order_by(sends.c.address_key, touches.c.incentive)
    )
    schema = pa.schema([("address_key", _TEXT), ("incentive", _TEXT), ("at", _TIME)])
    return table_of(conn, wanted, schema)


def move(conn: Connection, windows: Mapping[str, tuple[datetime, datetime]], *, actor: str, now: datetime) -> None:
    """Give touches that are not asked about yet new windows, by touch id: (not before, not after)."""
    still = touches.c.state.in_(MOVABLE)
    some = among(touches.c.touch_id, windows)
    free = conn.scalars(select(touches.c.touch_id).where(some, still).with_for_update()).all()
    rows: list[dict[str, Any]] = [
        {"this_touch": touch_id, "opens": windows[touch_id][0], "closes": windows[touch_id][1]}
        for touch_id in sorted(free)
    ]
    if not rows:
        return
    moved = update(touches).where(touches.c.touch_id == bindparam("this_touch"))
    conn.execute(moved.values(not_before=bindparam("opens"), not_after=bindparam("closes")), rows)
    audit.write_many(
        conn, at=now, actor=actor, action="touch_moved",
        subjects=[(row["this_touch"], {"not_before": row["opens"], "not_after": row["closes"]}) for row in rows],
    )  # fmt: skip


def _sent_at() -> Any:  # noqa: ANN401  (a column expression; its type depends on the rows)
    return func.coalesce(sends.c.finished_at, sends.c.called_at, type_=sends.c.called_at.type)


def _query() -> Select[Any]:
    reached = (sends.c.touch_id == touches.c.touch_id) & sends.c.state.in_((*MAY_HAVE_REACHED, "refused"))
    return (
        select(
            touches.c.touch_id, touches.c.enrolment_id, enrolments.c.customer_id, touches.c.number, touches.c.pattern,
            touches.c.channel, touches.c.incentive, touches.c.offer_id, touches.c.state, touches.c.reason,
            touches.c.not_before, touches.c.not_after, sends.c.state.label("send_state"),
            _sent_at().label("sent_at"),
        )
        .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
        .outerjoin(sends, reached)
        .order_by(touches.c.enrolment_id, touches.c.number)
    )  # fmt: skip


def _table(conn: Connection, wanted: Select[Any]) -> pa.Table:
    found = table_of(conn, wanted, COURSES)
    refused = pc.fill_null(pc.equal(found["send_state"], "refused"), False)
    sent_at = pc.if_else(refused, pa.scalar(None, _TIME), found["sent_at"])
    return found.set_column(COURSES.get_field_index("sent_at"), "sent_at", sent_at)
