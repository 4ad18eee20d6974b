"""Touches: planned messages from the day they enter the approval horizon until they are sent, or are not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, or_, select, update

from reactivation.contract.digests import digest
from reactivation.ledger import audit, measurements
from reactivation.ledger.among import among, checked
from reactivation.ledger.bulk import Rows, insert_rows, stored
from reactivation.ledger.columns import table_of
from reactivation.ledger.enrolments import OPEN, release_codes
from reactivation.ledger.tables import enrolments, offer_codes, runs, touches

_TEXT, _TIME = pa.string(), pa.timestamp("us", tz="UTC")

#: What must be known of a touch to draft it, before its customer is looked up.
DUE = pa.schema([
    ("touch_id", _TEXT), ("enrolment_id", _TEXT), ("customer_id", _TEXT), ("owner_id", _TEXT), ("number", pa.int64()),
    ("channel", _TEXT), ("offer_id", _TEXT), ("address_key", _TEXT), ("not_before", _TIME), ("not_after", _TIME),
    ("variant", _TEXT),
])  # fmt: skip

_OF_ENROLMENT = ("customer_id", "owner_id", "variant")

#: States in which the bytes of a touch may still be made anew: nobody has been asked about them, or they were held.
_DRAFTABLE = ("planned", "drafted", "held")
#: States of a touch whose offer may still cost something.
_MAY_COST = (*OPEN, "claimed", "accepted", "unknown")


@dataclass(frozen=True)
class Touch:
    """One touch with what its enrolment says of its customer."""

    touch_id: str
    enrolment_id: str
    customer_id: str
    run_id: str
    rules_version: str
    playbook: str
    number: int
    channel: str
    purpose: str
    incentive: str
    offer_id: str | None
    address_key: str
    not_before: datetime
    not_after: datetime
    state: str
    reason: str | None
    draft_digest: str | None
    draft_run_id: str | None
    reserved_by: str | None


def insert_touches(conn: Connection, rows: Rows) -> None:
    """Enter touches; the rows have columns of the table."""
    insert_rows(conn, touches, stored_touches(conn.dialect.name, rows))


def stored_touches(dialect: str, rows: Rows) -> Rows:
    """Touches as ``insert_touches`` would store them; it needs no database."""
    # Each one's enrolment is looked up: those lie beside one another, too.
    return stored(dialect, touches, rows, order=("enrolment_id", "number"))


def planned_by_owner(conn: Connection, playbook: str) -> dict[str, int]:
    """How many touches of a playbook each owner will still be asked to look at."""
    wanted = (
        select(enrolments.c.owner_id, func.count().label("touches"))
        .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
        .where(touches.c.playbook == playbook, touches.c.state.in_(("planned", "drafted", "listed", "held")))
        .group_by(enrolments.c.owner_id)
    )
    return {row.owner_id: row.touches for row in conn.execute(wanted)}


def outstanding_offers(conn: Connection) -> dict[str, int]:
    """By offer, how many touches may still cost it or have cost it."""
    wanted = select(touches.c.offer_id, func.count().label("touches"))
    wanted = wanted.where(touches.c.offer_id.is_not(None), touches.c.state.in_(_MAY_COST)).group_by(touches.c.offer_id)
    return {row.offer_id: row.touches for row in conn.execute(wanted)}


def touches_of(conn: Connection, touch_ids: Collection[str]) -> list[Touch]:
    """The touches of those ids, by id."""
    rows = conn.execute(_TOUCH.where(among(touches.c.touch_id, touch_ids)).order_by(touches.c.touch_id))
    return [Touch(**row._mapping) for row in rows]


def ids_of(conn: Connection, enrolment_ids: Collection[str]) -> dict[str, set[str]]:
    """The touch ids by enrolment."""
    wanted = select(touches.c.enrolment_id, touches.c.touch_id)
    found: dict[str, set[str]] = {}
    for row in conn.execute(wanted.where(among(touches.c.enrolment_id, enrolment_ids))):
        found.setdefault(row.enrolment_id, set()).add(row.touch_id)
    return found


def open_of(conn: Connection, enrolment_ids: Collection[str]) -> dict[str, int]:
    """By enrolment, how many touches may still be sent, or may just have been."""
    waiting = touches.c.state.in_((*OPEN, "claimed", "unknown"))
    wanted = select(touches.c.enrolment_id, func.count().label("touches"))
    wanted = wanted.where(among(touches.c.enrolment_id, enrolment_ids), waiting).group_by(touches.c.enrolment_id)
    return {row.enrolment_id: row.touches for row in conn.execute(wanted)}


def draftable(conn: Connection, playbook: str) -> list[Touch]:
    """The touches of active enrolments that may be (re)drafted, by id."""
    wanted = _TOUCH.where(_may_be_drafted(playbook)).order_by(touches.c.touch_id)
    return [Touch(**row._mapping) for row in conn.execute(wanted)]


def draftable_ids(conn: Connection, playbook: str) -> set[str]:
    """The ids of ``draftable``."""
    wanted = select(touches.c.touch_id).join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
    return set(conn.scalars(wanted.where(_may_be_drafted(playbook))))


def due(conn: Connection, playbook: str, now: datetime) -> pa.Table:
    """Those of ``draftable`` whose window is not over, as ``DUE``, in no order."""
    columns = [enrolments.c[name] if name in _OF_ENROLMENT else touches.c[name] for name in DUE.names]
    wanted = select(*columns).join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
    return table_of(conn, wanted.where(_may_be_drafted(playbook), touches.c.not_after > now), DUE)


def set_drafted(conn: Connection, digests: Mapping[str, str], *, run_id: str, now: datetime) -> int:
    """Record the digest of the bytes drafted for each touch id, and in whose file they are; returns how many moved.

    A touch that is listed, signed or further stays as it is.
    """
    if not digests:
        return 0
    drafted = (
        update(touches)
        .where(touches.c.touch_id == bindparam("this_touch"), or_(*(touches.c.state == s for s in _DRAFTABLE)))
        .values(
            state="drafted", reason=None, draft_digest=bindparam("its_digest"), draft_run_id=run_id, changed_at=now
        )
    )  # fmt: skip
    rows = [{"this_touch": touch_id, "its_digest": its_digest} for touch_id, its_digest in sorted(digests.items())]
    return conn.execute(drafted, rows).rowcount


def set_state(
    conn: Connection, some: Sequence[Touch], state: str, *, reason: str | None, actor: str, now: datetime
) -> int:  # fmt: skip
    """Move those of the touches that are still in the state they were read in; returns how many.

    A touch that will not be sent any more gives its offer code back, and leaves a measurement event.
    """
    moved: set[str] = set()
    for read_in in sorted({touch.state for touch in some}):
        theirs = among(touches.c.touch_id, [touch.touch_id for touch in some if touch.state == read_in])
        move = update(touches).where(theirs, checked(touches.c.state) == read_in)
        move = move.values(state=state, reason=reason, changed_at=now, reserved_by=None)
        moved |= set(conn.scalars(move.returning(touches.c.touch_id)))
    if state in ("expired", "cancelled", "rejected"):
        release_codes(conn, among(offer_codes.c.touch_id, moved), now)
    changed = [touch for touch in some if touch.touch_id in moved]
    measurements.insert_events(conn, [{
        "event_id": digest([touch.touch_id, state, reason, now])[:32], "run_id": touch.run_id,
        "playbook": touch.playbook, "subject": touch.customer_id, "kind": "send", "outcome": state, "reason": reason,
        "occurred_at": now, "rules_version": touch.rules_version,
    } for touch in changed])  # fmt: skip
    audit.write_many(conn, at=now, actor=actor, action=f"touch_{state}", subjects=[
        (touch.touch_id, {"from": touch.state, "reason": reason, "number": touch.number}) for touch in changed
    ])  # fmt: skip
    return len(changed)


def keep_waiting(conn: Connection, some: Sequence[Touch], *, reason: str, now: datetime) -> None:
    """Note why signed touches are not sent now; they may be later, as long as their windows are open."""
    waiting = among(touches.c.touch_id, (touch.touch_id for touch in some)) & (checked(touches.c.state) == "signed")
    conn.execute(update(touches).where(waiting).values(reason=reason, reserved_by=None))
    audit.write_many(
        conn, at=now, actor="dispatch", action="touch_waits",
        subjects=[(touch.touch_id, {"reason": reason}) for touch in some if touch.reason != reason],
    )  # fmt: skip


def expire(conn: Connection, *, actor: str, now: datetime) -> int:
    """Expire every unsent touch whose window has passed; it counts as not tried. Returns how many."""
    past = select_touches().where(touches.c.state.in_(OPEN), touches.c.not_after <= now)
    found = [Touch(**row._mapping) for row in conn.execute(past.order_by(touches.c.touch_id))]
    return sum(
        set_state(conn, [t for t in found if t.state == state], "expired", reason=f"was_{state}", actor=actor, now=now)
        for state in sorted({touch.state for touch in found})
    )


def select_touches() -> Select[Any]:
    """A query over touches whose rows make a ``Touch``."""
    return _TOUCH


def _may_be_drafted(playbook: str) -> ColumnElement[bool]:
    return and_(touches.c.playbook == playbook, touches.c.state.in_(_DRAFTABLE), enrolments.c.state == "active")


_TOUCH: Select[Any] = (
    select(
        touches.c.touch_id, touches.c.enrolment_id, enrolments.c.customer_id, enrolments.c.run_id, runs.c.rules_version,
        touches.c.playbook, touches.c.number, touches.c.channel, touches.c.purpose, touches.c.incentive,
        touches.c.offer_id, touches.c.address_key, touches.c.not_before, touches.c.not_after, touches.c.state,
        touches.c.reason, touches.c.draft_digest, touches.c.draft_run_id, touches.c.reserved_by,
    )
    .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
    .join(runs, runs.c.run_id == enrolments.c.run_id)
)  # fmt: skip
