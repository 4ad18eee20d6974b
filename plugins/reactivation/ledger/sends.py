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
from functools import cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Update, bindparam, delete, func, or_, select, tuple_, update

from reactivation.contract.digests import digest
from reactivation.ledger import audit, measurements
from reactivation.ledger.among import among, among_named, checked
from reactivation.ledger.given import enter, given, named
from reactivation.ledger.locks import asked_to_claim, by_key
from reactivation.ledger.tables import enrolments, offer_codes, runs, sends, touches
from reactivation.ledger.together import Asking, asked, together
from reactivation.ledger.touches import Touch, select_touches

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


def claimable(dialect: str, touch_ids: Collection[str], worker: str) -> Asking[set[str]]:
    """Those of the touches that are still signed, ours and of an active enrolment; they stay so in this transaction.
    Until it ends nobody else can claim, so this is asked before anything else is."""
    signed = (_STILL_SIGNED, {"touch_ids": touch_ids, "worker": worker})
    return Asking((*asked_to_claim(dialect), signed), lambda found: {touch_id for (touch_id,) in found[-1]})


def intend(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write intents and claim their touches; each row has the columns of ``sends`` up to ``lease_until``."""
    with together(conn):
        enter(conn, sends, [{**row, "state": "intent"} for row in rows])
        for at, some in _by(rows, lambda row: row["intended_at"]).items():
            conn.execute(_CLAIMED, {"touch_ids": [row["touch_id"] for row in some], "at": at})
            told = ("touch_id", "provider", "draft_digest", "answer_ids", "worker")
            audit.write_many(
                conn, at=at, actor="dispatch", action="send_intended",
                subjects=[(row["send_id"], {name: row[name] for name in told}) for row in some],
            )  # fmt: skip


def win_calls(conn: Connection, send_ids: Collection[str], *, worker: str, now: datetime) -> set[str]:
    """Those of the intents that are still this dispatcher's own and within their lease: from now on its calls."""
    (won,) = asked(conn, (_WON, {"send_ids": send_ids, "its_worker": worker, "now": now}))
    return {send_id for (send_id,) in won}


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


class _Call(NamedTuple):
    """A call with what is told of how it ended."""

    send_id: str
    touch_id: str
    state: str
    code: str | None
    playbook: str
    customer_id: str
    run_id: str
    rules_version: str


def finish(conn: Connection, outcomes: Sequence[Outcome], *, now: datetime) -> set[str]:
    """Record how calls ended; returns the ids of the sends that were not settled before.

    An outcome that was unknown may be settled later; accepted and refused stay.
    """
    by_id = {one.send_id: one for one in outcomes}
    *_, found = asked(conn, *by_key(conn), (_CALLS, {"send_ids": by_id}))
    calls = [
        (call, by_id[call.send_id]) for call in (_Call(*row) for row in found)
        if call.state == "called" or (call.state == "unknown" and by_id[call.send_id].state != "unknown")
    ]  # fmt: skip
    if not calls:
        return set()
    with together(conn):
        _record(conn, calls, now)
    return {one.send_id for _, one in calls}


def _record(conn: Connection, calls: Sequence[tuple[_Call, Outcome]], now: datetime) -> None:
    """What calls came to, in each table that tells of it."""
    settled = _settled(conn.dialect.name)
    conn.execute(settled, {"at": now, **named([vars(one) for _, one in calls])})
    for (state, reason), some in _by(calls, lambda call: (call[1].state, call[1].reason)).items():
        ids = [call.touch_id for call, _ in some]
        conn.execute(_MOVED, {"touch_ids": ids, "its_state": state, "its_reason": reason, "at": now})
        # A code that went out is committed, one that did not is free; until that is known it is kept for its touch.
        code = {"accepted": "committed", "refused": "released"}.get(state)
        if code is not None and any(call.code is not None for call, _ in some):
            conn.execute(_CODES_MOVED, {"touch_ids": ids, "its_state": code, "at": now})
    measurements.insert_events(conn, [{
        "event_id": digest([one.send_id, one.state])[:32], "run_id": call.run_id, "playbook": call.playbook,
        "subject": call.customer_id, "kind": "send", "outcome": one.state, "reason": one.reason, "occurred_at": now,
        "rules_version": call.rules_version,
    } for call, one in calls])  # fmt: skip
    for state, some in _by(calls, lambda call: call[1].state).items():
        audit.write_many(
            conn, at=now, actor="dispatch", action=f"send_{state}",
            subjects=[
                (one.send_id, {"touch_id": call.touch_id, "provider_ref": one.provider_ref, "reason": one.reason})
                for call, one in some
            ],
        )  # fmt: skip


#: Statements of every batch, made once.
_STILL_SIGNED = (
    select(touches.c.touch_id)
    .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
    .where(among_named(touches.c.touch_id, "touch_ids"), checked(touches.c.state) == "signed")
    .where(touches.c.reserved_by == bindparam("worker"), enrolments.c.state == "active")
    .with_for_update(skip_locked=True)
)
_CLAIMED = (
    update(touches)
    .where(among_named(touches.c.touch_id, "touch_ids"), checked(touches.c.state) == "signed")
    .values(state="claimed", reason=None, changed_at=bindparam("at"), reserved_by=None)
)
_WON = (
    update(sends)
    .where(among_named(sends.c.send_id, "send_ids"), checked(sends.c.state) == "intent")
    .where(sends.c.worker == bindparam("its_worker"), sends.c.lease_until > bindparam("now"))
    .values(state="called", called_at=bindparam("now"))
    .returning(sends.c.send_id)
)
_CALLS = (
    select(
        sends.c.send_id, sends.c.touch_id, sends.c.state, offer_codes.c.code, touches.c.playbook,
        enrolments.c.customer_id, enrolments.c.run_id, runs.c.rules_version,
    )
    .join(touches, touches.c.touch_id == sends.c.touch_id)
    .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
    .join(runs, runs.c.run_id == enrolments.c.run_id)
    .outerjoin(offer_codes, offer_codes.c.touch_id == sends.c.touch_id)
    .where(among_named(sends.c.send_id, "send_ids"))
    .order_by(sends.c.send_id)
    .with_for_update(of=sends)
)  # fmt: skip
_MOVED = (
    update(touches)
    .where(among_named(touches.c.touch_id, "touch_ids"), checked(touches.c.state).in_(("claimed", "unknown")))
    .values(state=bindparam("its_state"), reason=bindparam("its_reason"), changed_at=bindparam("at"))
)
_CODES_MOVED = (
    update(offer_codes)
    .where(among_named(offer_codes.c.touch_id, "touch_ids"), offer_codes.c.state == "reserved")
    .values(state=bindparam("its_state"), changed_at=bindparam("at"))
)


@cache
def _settled(dialect: str) -> Update:
    """Each send gets the outcome that is given of it."""
    one = given(dialect, sends, ("send_id", "state", "provider_ref", "reason"))
    mine = update(sends).where(sends.c.send_id == one.c.send_id)
    return mine.values(
        state=one.c.state, provider_ref=one.c.provider_ref, reason=one.c.reason, finished_at=bindparam("at")
    )  # fmt: skip


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
