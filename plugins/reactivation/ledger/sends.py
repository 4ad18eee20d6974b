"""Sends: the claim of a touch is the intent to send it, committed before any provider is called.

A touch has at most one send. A dispatcher first reserves touches (only to keep others from the same work), then
intends, then wins the call by moving *intent* to *called* while the row is still its own. So whoever dies, whenever:
an intent that was never called is taken back, a call whose outcome is not known is never simply repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, tuple_, update

from reactivation.contract.digests import digest
from reactivation.ledger import audit, measurements
from reactivation.ledger.among import among, checked
from reactivation.ledger.tables import enrolments, offer_codes, sends, touches
from reactivation.ledger.touches import Touch, select_touches, touches_of

T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True)
class Send:
    """One attempt to hand a touch to a provider."""

    send_id: str
    touch_id: str
    provider: str
    channel: str
    address_key: str
    worker: str
    state: str
    intended_at: datetime
    lease_until: datetime
    called_at: datetime | None


def reserve(
    conn: Connection, *, worker: str, gone: Collection[str], now: datetime, limit: int, after: Touch | None = None,
    only: Collection[str] | None = None,
) -> list[Touch]:  # fmt: skip
    """Due, signed touches of active enrolments that no living dispatcher looks at, oldest first, now looked at by us.

    ``after``: the last one that was looked at already; only what comes after it. ``only``: these touch ids alone.
    """
    free = or_(touches.c.reserved_by.is_(None), among(touches.c.reserved_by, gone))
    due = (
        select_touches()
        .where(touches.c.state == "signed", touches.c.not_before <= now, touches.c.not_after > now, free)
        .where(enrolments.c.state == "active")
        .order_by(touches.c.not_before, touches.c.touch_id)
        .limit(limit)
        .with_for_update(of=touches, skip_locked=True)
    )
    if after is not None:
        due = due.where(tuple_(touches.c.not_before, touches.c.touch_id) > (after.not_before, after.touch_id))
    if only is not None:
        due = due.where(among(touches.c.touch_id, only))
    found = [Touch(**row._mapping) for row in conn.execute(due)]
    ours = among(touches.c.touch_id, [touch.touch_id for touch in found])
    conn.execute(update(touches).where(ours).values(reserved_by=worker))
    return found


def reservers(conn: Connection) -> set[str]:
    """The dispatchers that have touches reserved."""
    return set(conn.scalars(select(touches.c.reserved_by).where(touches.c.reserved_by.is_not(None)).distinct()))


def let_go(conn: Connection, worker: str, only: Collection[str] | None = None) -> None:
    """End the reservations of a dispatcher, all of them or those of some touch ids."""
    ended = update(touches).where(touches.c.reserved_by == worker)
    if only is not None:
        ended = ended.where(among(touches.c.touch_id, only))
    conn.execute(ended.values(reserved_by=None))


def lock_signed(conn: Connection, touch_ids: Collection[str], worker: str) -> set[str]:
    """Those of the touches that are still signed, ours and of an active enrolment; they stay so in this transaction."""
    still = (
        select(touches.c.touch_id)
        .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
        .where(among(touches.c.touch_id, touch_ids), checked(touches.c.state) == "signed")
        .where(touches.c.reserved_by == worker)
        .where(enrolments.c.state == "active")
        .with_for_update(skip_locked=True)
    )
    return set(conn.scalars(still))


def intend(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write intents and claim their touches; each row has the columns of ``sends`` up to ``lease_until``."""
    conn.execute(insert(sends), [{**row, "state": "intent"} for row in rows])
    for at, some in _by(rows, lambda row: row["intended_at"]).items():
        ours = among(touches.c.touch_id, [row["touch_id"] for row in some])
        claimed = update(touches).where(ours, checked(touches.c.state) == "signed")
        conn.execute(claimed.values(state="claimed", reason=None, changed_at=at, reserved_by=None))
        named = ("touch_id", "provider", "draft_digest", "answer_ids", "worker")
        audit.write_many(
            conn, at=at, actor="dispatch", action="send_intended",
            subjects=[(row["send_id"], {name: row[name] for name in named}) for row in some],
        )  # fmt: skip


def win_calls(conn: Connection, send_ids: Collection[str], *, worker: str, now: datetime) -> set[str]:
    """Those of the intents that are still this dispatcher's own and within their lease: from now on its calls."""
    own = among(sends.c.send_id, send_ids) & (checked(sends.c.state) == "intent") & (sends.c.worker == worker)
    own &= sends.c.lease_until > now
    won = update(sends).where(own).values(state="called", called_at=now).returning(sends.c.send_id)
    return set(conn.scalars(won))


def take_back(conn: Connection, some: Sequence[Send], *, reason: str, now: datetime) -> set[str]:
    """Remove intents that were never called: nothing was handed to anybody, and their touches are signed as before.

    Returns the ids of those that were still there.
    """
    gone: set[str] = set()
    for worker, theirs in _by(some, lambda send: send.worker).items():
        own = among(sends.c.send_id, [send.send_id for send in theirs]) & (sends.c.worker == worker)
        gone |= set(
            conn.scalars(delete(sends).where(own, checked(sends.c.state) == "intent").returning(sends.c.send_id))
        )
    taken = [send for send in some if send.send_id in gone]
    freed = update(touches).where(among(touches.c.touch_id, [send.touch_id for send in taken]))
    conn.execute(
        freed.where(checked(touches.c.state).in_(("claimed", "unknown"))).values(
            state="signed", reason=None, changed_at=now
        )
    )
    audit.write_many(
        conn, at=now, actor="dispatch", action="intent_taken_back",
        subjects=[
            (send.send_id, {"touch_id": send.touch_id, "reason": reason, "worker": send.worker}) for send in taken
        ],
    )  # fmt: skip
    return gone


def take_back_calls(conn: Connection, some: Sequence[Send], *, reason: str, now: datetime) -> set[str]:
    """Take back calls, of unknown outcome by now or not, of which it is certain that the provider never had them;
    returns the ids of those."""
    undone: set[str] = set()
    for worker, theirs in _by(some, lambda send: send.worker).items():
        own = among(sends.c.send_id, [send.send_id for send in theirs]) & (sends.c.worker == worker)
        called = checked(sends.c.state).in_(("called", "unknown"))
        back = update(sends).where(own, called).values(state="intent", called_at=None, finished_at=None, reason=None)
        undone |= set(conn.scalars(back.returning(sends.c.send_id)))
    return take_back(conn, [send for send in some if send.send_id in undone], reason=reason, now=now)


@dataclass(frozen=True)
class Outcome:
    """How the call of a send ended: accepted, refused or unknown."""

    send_id: str
    state: str
    provider_ref: str | None = None
    reason: str | None = None


def finish(conn: Connection, outcomes: Sequence[Outcome], *, now: datetime) -> set[str]:
    """Record how calls ended; returns the ids of the sends that were not settled before.

    An outcome that was unknown may be settled later; accepted and refused stay.
    """
    by_id = {one.send_id: one for one in outcomes}
    wanted = select(sends.c.send_id, sends.c.touch_id, sends.c.state).where(among(sends.c.send_id, by_id))
    found = conn.execute(wanted.order_by(sends.c.send_id).with_for_update())
    of_touch = {
        row.touch_id: by_id[row.send_id] for row in found
        if row.state == "called" or (row.state == "unknown" and by_id[row.send_id].state != "unknown")
    }  # fmt: skip
    if not of_touch:
        return set()
    settled = update(sends).where(sends.c.send_id == bindparam("its_send")).values(
        state=bindparam("its_state"), finished_at=now, provider_ref=bindparam("its_ref"), reason=bindparam("its_reason")
    )  # fmt: skip
    conn.execute(settled, [
        {"its_send": one.send_id, "its_state": one.state, "its_ref": one.provider_ref, "its_reason": one.reason}
        for one in of_touch.values()
    ])  # fmt: skip
    for (state, reason), some in _by(of_touch.items(), lambda item: (item[1].state, item[1].reason)).items():
        moved = update(touches).where(among(touches.c.touch_id, (touch_id for touch_id, _ in some)))
        moved = moved.where(checked(touches.c.state).in_(("claimed", "unknown")))
        conn.execute(moved.values(state=state, reason=reason, changed_at=now))
    _settle_codes(conn, {touch_id: one.state for touch_id, one in of_touch.items()}, now)
    measurements.insert_events(conn, [{
        "event_id": digest([of_touch[touch.touch_id].send_id, of_touch[touch.touch_id].state])[:32],
        "run_id": touch.run_id, "playbook": touch.playbook, "subject": touch.customer_id, "kind": "send",
        "outcome": of_touch[touch.touch_id].state, "reason": of_touch[touch.touch_id].reason, "occurred_at": now,
        "rules_version": touch.rules_version,
    } for touch in touches_of(conn, of_touch)])  # fmt: skip
    for state, some in _by(of_touch.items(), lambda item: item[1].state).items():
        audit.write_many(
            conn, at=now, actor="dispatch", action=f"send_{state}",
            subjects=[
                (one.send_id, {"touch_id": touch_id, "provider_ref": one.provider_ref, "reason": one.reason})
                for touch_id, one in some
            ],
        )  # fmt: skip
    return {one.send_id for one in of_touch.values()}


def _settle_codes(conn: Connection, states: Mapping[str, str], now: datetime) -> None:
    """A code that went out is committed, one that did not is free; until that is known it is kept for its touch."""
    for state, code in (("accepted", "committed"), ("refused", "released")):
        ids = sorted(touch_id for touch_id, its in states.items() if its == state)
        if ids:
            kept = update(offer_codes).where(among(offer_codes.c.touch_id, ids), offer_codes.c.state == "reserved")
            conn.execute(kept.values(state=code, changed_at=now))


def _by(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


@dataclass(frozen=True)
class Told:
    """A send that a provider speaks of."""

    send_id: str
    touch_id: str
    provider: str
    provider_ref: str | None
    state: str
    address_key: str
    called_at: datetime | None


def called_for(conn: Connection, address_keys: Collection[str], since: datetime) -> list[Told]:
    """The sends to these addresses whose call was made since an instant, the oldest first."""
    theirs = among(sends.c.address_key, address_keys) & (sends.c.called_at >= since)
    return [Told(**row._mapping) for row in conn.execute(_TOLD.where(theirs).order_by(sends.c.called_at))]


def spoken_of(conn: Connection, send_ids: Collection[str], references: Collection[str]) -> list[Told]:
    """The sends of those ids, or that a provider has under those references of its own."""
    theirs = or_(among(sends.c.send_id, send_ids), among(sends.c.provider_ref, references))
    return [Told(**row._mapping) for row in conn.execute(_TOLD.where(theirs).order_by(sends.c.send_id))]


_TOLD = select(
    sends.c.send_id, sends.c.touch_id, sends.c.provider, sends.c.provider_ref, sends.c.state, sends.c.address_key,
    sends.c.called_at,
)  # fmt: skip


def unfinished(conn: Connection, states: Collection[str] = ("intent", "called")) -> list[Send]:
    """The sends in these states, oldest first."""
    columns = (
        sends.c.send_id, sends.c.touch_id, sends.c.provider, sends.c.channel, sends.c.address_key, sends.c.worker,
        sends.c.state, sends.c.intended_at, sends.c.lease_until, sends.c.called_at,
    )  # fmt: skip
    wanted = select(*columns).where(sends.c.state.in_(sorted(states))).order_by(sends.c.intended_at, sends.c.send_id)
    return [Send(**row._mapping) for row in conn.execute(wanted)]


def written_to(conn: Connection, address_keys: Collection[str], since: datetime) -> set[str]:
    """Those of the address keys that were, or are just being, written to after an instant."""
    at = func.coalesce(sends.c.called_at, sends.c.intended_at, type_=sends.c.intended_at.type)
    wanted = select(sends.c.address_key).where(among(sends.c.address_key, address_keys), at > since)
    return set(conn.scalars(wanted.where(sends.c.state != "refused").distinct()))


def texted(conn: Connection, address_keys: Collection[str], since: datetime) -> Counter[str]:
    """How many texts each of these address keys was, or is just being, sent after an instant."""
    at = func.coalesce(sends.c.called_at, sends.c.intended_at, type_=sends.c.intended_at.type)
    wanted = select(sends.c.address_key, func.count().label("texts")).group_by(sends.c.address_key)
    wanted = wanted.where(among(sends.c.address_key, address_keys), sends.c.channel == "sms")
    return Counter({
        row.address_key: row.texts for row in conn.execute(wanted.where(at > since, sends.c.state != "refused"))
    })  # fmt: skip


def last_sent(conn: Connection, enrolment_ids: Collection[str]) -> dict[str, tuple[datetime, datetime]]:
    """By enrolment that was written to: when its last message was accepted, and the end of that touch's window."""
    wanted = (
        select(touches.c.enrolment_id, sends.c.finished_at, touches.c.not_after)
        .join(touches, touches.c.touch_id == sends.c.touch_id)
        .where(among(touches.c.enrolment_id, enrolment_ids), sends.c.state == "accepted")
        .order_by(sends.c.finished_at, sends.c.send_id)
    )
    return {row.enrolment_id: (row.finished_at, row.not_after) for row in conn.execute(wanted)}


def providers_used(conn: Connection) -> set[str]:
    """Every provider this ledger ever called."""
    return set(conn.scalars(select(sends.c.provider).where(sends.c.called_at.is_not(None)).distinct()))
