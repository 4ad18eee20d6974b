"""Sends: the claim of a touch is the intent to send it, committed before any provider is called.

A touch has at most one send. A dispatcher first reserves touches (only to keep others from the same work), then
intends, then wins the call by moving *intent* to *called* while the row is still its own. So whoever dies, whenever:
an intent that was never called is taken back, a call whose outcome is not known is never simply repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from reactivation.contract.digests import digest
from reactivation.ledger import audit, measurements
from reactivation.ledger.tables import enrolments, offer_codes, sends, touches
from reactivation.ledger.touches import Touch, select_touches, touches_of


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
    conn: Connection, *, worker: str, gone: Collection[str], now: datetime, limit: int, but: Collection[str] = ()
) -> list[Touch]:
    """Due, signed touches of active enrolments that no living dispatcher looks at, oldest first, now looked at by us.

    ``but``: touch ids to leave alone, since they were looked at in vain already.
    """
    free = or_(touches.c.reserved_by.is_(None), touches.c.reserved_by.in_(sorted(gone)))
    due = (
        select_touches()
        .where(touches.c.state == "signed", touches.c.not_before <= now, touches.c.not_after > now, free)
        .where(enrolments.c.state == "active", touches.c.touch_id.not_in(sorted(but)))
        .order_by(touches.c.not_before, touches.c.touch_id)
        .limit(limit)
        .with_for_update(of=touches, skip_locked=True)
    )
    found = [Touch(**row._mapping) for row in conn.execute(due)]
    ours = touches.c.touch_id.in_([touch.touch_id for touch in found])
    conn.execute(update(touches).where(ours).values(reserved_by=worker))
    return found


def reservers(conn: Connection) -> set[str]:
    """The dispatchers that have touches reserved."""
    return set(conn.scalars(select(touches.c.reserved_by).where(touches.c.reserved_by.is_not(None)).distinct()))


def let_go(conn: Connection, worker: str) -> None:
    """End the reservations of a dispatcher."""
    conn.execute(update(touches).where(touches.c.reserved_by == worker).values(reserved_by=None))


def lock_signed(conn: Connection, touch_ids: Collection[str], worker: str) -> set[str]:
    """Those of the touches that are still signed, ours and of an active enrolment; they stay so in this transaction."""
    still = (
        select(touches.c.touch_id)
        .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
        .where(touches.c.touch_id.in_(sorted(touch_ids)), touches.c.state == "signed", touches.c.reserved_by == worker)
        .where(enrolments.c.state == "active")
        .with_for_update(skip_locked=True)
    )
    return set(conn.scalars(still))


def intend(conn: Connection, row: Mapping[str, Any]) -> None:
    """Write the intent and claim its touch; ``row`` has the columns of ``sends`` up to ``lease_until``."""
    conn.execute(insert(sends), {**row, "state": "intent"})
    claimed = update(touches).where(touches.c.touch_id == row["touch_id"], touches.c.state == "signed")
    conn.execute(claimed.values(state="claimed", reason=None, changed_at=row["intended_at"], reserved_by=None))
    audit.write(
        conn, at=row["intended_at"], actor="dispatch", action="send_intended", subject=row["send_id"],
        details={name: row[name] for name in ("touch_id", "provider", "draft_digest", "answer_ids", "worker")},
    )  # fmt: skip


def win_call(conn: Connection, send_id: str, *, worker: str, now: datetime) -> bool:
    """True when the intent is still this dispatcher's own and its lease has not ended, and from now on its call."""
    own = (sends.c.send_id == send_id) & (sends.c.state == "intent") & (sends.c.worker == worker)
    own &= sends.c.lease_until > now
    return bool(conn.execute(update(sends).where(own).values(state="called", called_at=now)).rowcount)


def take_back(conn: Connection, send: Send, *, reason: str, now: datetime) -> bool:
    """Remove an intent that was never called: nothing was handed to anybody, and its touch is signed as before."""
    own = (sends.c.send_id == send.send_id) & (sends.c.worker == send.worker) & (sends.c.state == "intent")
    if not conn.execute(delete(sends).where(own)).rowcount:
        return False
    freed = update(touches).where(touches.c.touch_id == send.touch_id, touches.c.state == "claimed")
    conn.execute(freed.values(state="signed", reason=None, changed_at=now))
    audit.write(
        conn, at=now, actor="dispatch", action="intent_taken_back", subject=send.send_id,
        details={"touch_id": send.touch_id, "reason": reason, "worker": send.worker},
    )  # fmt: skip
    return True


def take_back_call(conn: Connection, send: Send, *, reason: str, now: datetime) -> bool:
    """Take back a call of which it is certain that the provider never had it."""
    own = (sends.c.send_id == send.send_id) & (sends.c.worker == send.worker) & (sends.c.state == "called")
    undone = update(sends).where(own)
    if not conn.execute(undone.values(state="intent", called_at=None)).rowcount:
        return False
    return take_back(conn, send, reason=reason, now=now)


def finish(
    conn: Connection, send_id: str, *, state: str, now: datetime, provider_ref: str | None = None,
    reason: str | None = None,
) -> bool:  # fmt: skip
    """Record how a call ended: accepted, refused or unknown. False when that was settled before.

    An outcome that was unknown may be settled later; accepted and refused stay.
    """
    open_states = ("called",) if state == "unknown" else ("called", "unknown")
    settled = update(sends).where(sends.c.send_id == send_id, sends.c.state.in_(open_states))
    values = {"state": state, "finished_at": now, "provider_ref": provider_ref, "reason": reason}
    if not conn.execute(settled.values(**values)).rowcount:
        return False
    touch_id = conn.execute(select(sends.c.touch_id).where(sends.c.send_id == send_id)).scalar_one()
    moved = update(touches).where(touches.c.touch_id == touch_id, touches.c.state.in_(("claimed", "unknown")))
    conn.execute(moved.values(state=state, reason=reason, changed_at=now))
    if state != "unknown":  # until it is known, the code is kept for the touch
        codes = update(offer_codes).where(offer_codes.c.touch_id == touch_id, offer_codes.c.state == "reserved")
        conn.execute(codes.values(state="released" if state == "refused" else "committed", changed_at=now))
    touch = touches_of(conn, [touch_id])[0]
    measurements.insert_events(conn, [{
        "event_id": digest([send_id, state])[:32], "run_id": touch.run_id, "playbook": touch.playbook,
        "subject": touch.customer_id, "kind": "send", "outcome": state, "reason": reason, "occurred_at": now,
        "rules_version": touch.rules_version,
    }])  # fmt: skip
    audit.write(
        conn, at=now, actor="dispatch", action=f"send_{state}", subject=send_id,
        details={"touch_id": touch_id, "provider_ref": provider_ref, "reason": reason},
    )  # fmt: skip
    return True


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
    wanted = select(sends.c.address_key).where(sends.c.address_key.in_(sorted(address_keys)), at > since)
    return set(conn.scalars(wanted.where(sends.c.state != "refused").distinct()))


def texted(conn: Connection, address_keys: Collection[str], since: datetime) -> int:
    """How many texts these address keys were, or are just being, sent after an instant."""
    at = func.coalesce(sends.c.called_at, sends.c.intended_at, type_=sends.c.intended_at.type)
    wanted = select(func.count()).where(sends.c.address_key.in_(sorted(address_keys)), sends.c.channel == "sms")
    return conn.execute(wanted.where(at > since, sends.c.state != "refused")).scalar_one()


def last_sent(conn: Connection, enrolment_ids: Collection[str]) -> dict[str, tuple[datetime, datetime]]:
    """By enrolment that was written to: when its last message was accepted, and the end of that touch's window."""
    wanted = (
        select(touches.c.enrolment_id, sends.c.finished_at, touches.c.not_after)
        .join(touches, touches.c.touch_id == sends.c.touch_id)
        .where(touches.c.enrolment_id.in_(sorted(enrolment_ids)), sends.c.state == "accepted")
        .order_by(sends.c.finished_at, sends.c.send_id)
    )
    return {row.enrolment_id: (row.finished_at, row.not_after) for row in conn.execute(wanted)}


def providers_used(conn: Connection) -> set[str]:
    """Every provider this ledger ever called."""
    return set(conn.scalars(select(sends.c.provider).where(sends.c.called_at.is_not(None)).distinct()))
