"""Enrolments: one customer inside one playbook, the address keys it occupies, and its end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, exists, func, or_, select, tuple_, update

from reactivation.ledger import audit, measurements
from reactivation.ledger.among import among
from reactivation.ledger.bulk import Rows, insert_rows, stored
from reactivation.ledger.columns import table_of
from reactivation.ledger.events import PURCHASES
from reactivation.ledger.locks import INTAKE, exclusive
from reactivation.ledger.occupying import own_keys
from reactivation.ledger.tables import enrolment_keys, enrolments, events, offer_codes, runs, sends, tags, touches

#: States of a touch from which it may still be sent.
OPEN = ("planned", "drafted", "listed", "signed", "held")

_TEXT = pa.string()
#: What is asked of all active enrolments at once: there may be hundreds of thousands.
ACTIVE = pa.schema([
    ("enrolment_id", _TEXT), ("playbook", _TEXT), ("run_id", _TEXT), ("customer_id", _TEXT), ("owner_id", _TEXT),
    ("segment", _TEXT), ("variant", _TEXT),
])  # fmt: skip
_KEYS = pa.schema([("address_key", _TEXT)])


@dataclass(frozen=True)
class Enrolment:
    """One enrolment, with the rules version of the run that began it and the instant that run judged at."""

    enrolment_id: str
    playbook: str
    run_id: str
    customer_id: str
    account_id: str | None
    segment: str
    owner_id: str
    decision: str
    review_reasons: tuple[str, ...]
    state: str
    enrolled_at: datetime
    plan_ends_at: datetime
    ended_at: datetime | None
    exit_reason: str | None
    rules_version: str
    as_of: datetime
    variant: str | None = None


def insert_enrolments(conn: Connection, rows: Rows) -> None:
    """Begin enrolments; the rows have columns of the table."""
    insert_rows(conn, enrolments, rows)


def insert_keys(conn: Connection, rows: Rows) -> None:
    """Occupy address keys. A key that another active enrolment occupies is an ``IntegrityError``."""
    insert_rows(conn, enrolment_keys, rows)


def stored_keys(dialect: str, rows: Rows) -> Rows:
    """Keys as ``insert_keys`` would store them; it needs no database."""
    return stored(dialect, enrolment_keys, rows)


def active_keys(conn: Connection) -> pa.Array:
    """The address keys occupied now; nobody else takes in until this transaction ends."""
    exclusive(conn, INTAKE)
    wanted = select(enrolment_keys.c.address_key).where(enrolment_keys.c.active).order_by(enrolment_keys.c.address_key)
    return table_of(conn, wanted, _KEYS)["address_key"].combine_chunks()


def begun_since(conn: Connection, since: datetime, playbook: str | None = None) -> int:
    """How many enrolments of a playbook, or of all, began at or after an instant."""
    wanted = select(func.count()).where(enrolments.c.enrolled_at >= since)
    if playbook is not None:
        wanted = wanted.where(enrolments.c.playbook == playbook)
    return conn.execute(wanted).scalar_one()


def active_of(conn: Connection, playbook: str | None = None) -> pa.Table:
    """The active enrolments of a playbook, or of all, as ``ACTIVE``, by id."""
    wanted = select(*(enrolments.c[name] for name in ACTIVE.names)).where(enrolments.c.state == "active")
    if playbook is not None:
        wanted = wanted.where(enrolments.c.playbook == playbook)
    return table_of(conn, wanted.order_by(enrolments.c.enrolment_id), ACTIVE)


def active_of_account(conn: Connection, playbook: str, account_id: str) -> list[str]:
    """The ids of an account's active enrolments in a playbook about accounts."""
    mine = (enrolments.c.playbook == playbook) & (enrolments.c.account_id == account_id)
    wanted = select(enrolments.c.enrolment_id).where(mine, enrolments.c.state == "active")
    return list(conn.scalars(wanted.order_by(enrolments.c.enrolment_id)))


def enrolments_of(conn: Connection, enrolment_ids: Collection[str]) -> dict[str, Enrolment]:
    """The enrolments of those ids."""
    wanted = _ENROLMENT.where(among(enrolments.c.enrolment_id, enrolment_ids))
    return {row.enrolment_id: _enrolment(row._mapping) for row in conn.execute(wanted)}


def of_colleagues(conn: Connection, address_keys: Collection[str]) -> list[Enrolment]:
    """The active enrolments of accounts that have another contact than the one written to at one of these addresses."""
    theirs = select(enrolment_keys.c.enrolment_id).where(
        among(enrolment_keys.c.address_key, address_keys), enrolment_keys.c.active, ~own_keys
    )
    wanted = _ENROLMENT.where(enrolments.c.enrolment_id.in_(theirs), enrolments.c.state == "active")
    return [_enrolment(row._mapping) for row in conn.execute(wanted.order_by(enrolments.c.enrolment_id))]


def playbooks(conn: Connection) -> list[str]:
    """Every playbook that ever enrolled anybody, by name."""
    return list(conn.scalars(select(enrolments.c.playbook).distinct().order_by(enrolments.c.playbook)))


def watched(
    conn: Connection, playbook: str, *, since: datetime, bought_since: datetime, tag: str
) -> list[Enrolment]:  # fmt: skip
    """The latest enrolment of each customer of a playbook who is active, was written to or has bought since, or bears
    the tag."""
    later = enrolments.alias()
    newer = (later.c.enrolled_at, later.c.enrolment_id)
    superseded = exists().where(
        later.c.playbook == playbook, later.c.customer_id == enrolments.c.customer_id,
        tuple_(*newer) > tuple_(enrolments.c.enrolled_at, enrolments.c.enrolment_id),
    )  # fmt: skip
    written_to = (
        select(touches.c.enrolment_id)
        .join(sends, sends.c.touch_id == touches.c.touch_id)
        .where(sends.c.called_at >= since)
    )
    bought = select(events.c.customer_id).where(events.c.kind.in_(PURCHASES), events.c.occurred_at >= bought_since)
    tagged = select(tags.c.customer_id).where(tags.c.tag == tag, tags.c.removed_at.is_(None))
    asked = or_(
        enrolments.c.state == "active",
        enrolments.c.enrolment_id.in_(written_to),
        enrolments.c.customer_id.in_(bought),
        enrolments.c.customer_id.in_(tagged),
    )
    wanted = _ENROLMENT.where(enrolments.c.playbook == playbook, asked, ~superseded)
    return [_enrolment(row._mapping) for row in conn.execute(wanted.order_by(enrolments.c.enrolment_id))]


def keys_of(conn: Connection, enrolment_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """The channel by address key of whoever is written to, by enrolment."""
    columns = (enrolment_keys.c.enrolment_id, enrolment_keys.c.address_key, enrolment_keys.c.channel)
    found: dict[str, dict[str, str]] = {one: {} for one in enrolment_ids}
    for row in conn.execute(select(*columns).where(among(enrolment_keys.c.enrolment_id, enrolment_ids), own_keys)):
        found[row.enrolment_id][row.address_key] = row.channel
    return found


def latest_of_keys(conn: Connection, address_keys: Collection[str]) -> dict[str, str]:
    """By address key, the enrolment that occupies it, else the latest that did."""
    wanted = (
        select(enrolment_keys.c.address_key, enrolment_keys.c.enrolment_id)
        .join(enrolments, enrolments.c.enrolment_id == enrolment_keys.c.enrolment_id)
        .where(among(enrolment_keys.c.address_key, address_keys), own_keys)
        .order_by(enrolment_keys.c.active, enrolments.c.enrolled_at, enrolments.c.enrolment_id)
    )
    return {row.address_key: row.enrolment_id for row in conn.execute(wanted)}


def end_enrolment(
    conn: Connection, enrolment_id: str, *, reason: str, actor: str, now: datetime, because: str | None = None
) -> bool:
    """End an enrolment at once: its open touches are cancelled, its keys and offer codes released.

    ``reason`` is the exit, ``because`` the fact behind it, both codes. False when it has ended before. A touch already
    claimed is not called back here: the dispatcher asks once more before it calls a provider.
    """
    still_active = (enrolments.c.enrolment_id == enrolment_id) & (enrolments.c.state == "active")
    ended = update(enrolments).where(still_active).values(state="ended", ended_at=now, exit_reason=reason)
    if not conn.execute(ended).rowcount:
        return False
    open_ones = (touches.c.enrolment_id == enrolment_id) & touches.c.state.in_(OPEN)
    cancelled = conn.execute(
        update(touches).where(open_ones).values(state="cancelled", reason=reason, changed_at=now, reserved_by=None)
    ).rowcount
    conn.execute(update(enrolment_keys).where(enrolment_keys.c.enrolment_id == enrolment_id).values(active=False))
    of_unsent = select(touches.c.touch_id).where(
        touches.c.enrolment_id == enrolment_id, touches.c.state.in_(("cancelled", "expired", "rejected"))
    )
    release_codes(conn, offer_codes.c.touch_id.in_(of_unsent), now)
    ended_one = enrolments_of(conn, [enrolment_id])[enrolment_id]
    measurements.insert_events(conn, [{
        "run_id": ended_one.run_id, "playbook": ended_one.playbook, "subject": ended_one.customer_id, "kind": "exit",
        "outcome": reason, "reason": because, "occurred_at": now, "rules_version": ended_one.rules_version,
    }])  # fmt: skip
    audit.write(
        conn, at=now, actor=actor, action="enrolment_ended", subject=enrolment_id,
        details={"reason": reason, "because": because, "touches_cancelled": cancelled},
    )  # fmt: skip
    return True


def release_codes(conn: Connection, theirs: ColumnElement[bool], now: datetime) -> None:
    """Give back the codes reserved for touches that will not be sent: those of which ``theirs`` is true."""
    reserved = theirs & (offer_codes.c.state == "reserved")
    conn.execute(update(offer_codes).where(reserved).values(state="released", changed_at=now))


_ENROLMENT = select(
    enrolments.c.enrolment_id, enrolments.c.playbook, enrolments.c.run_id, enrolments.c.customer_id,
    enrolments.c.account_id, enrolments.c.segment, enrolments.c.variant, enrolments.c.owner_id, enrolments.c.decision,
    enrolments.c.review_reasons, enrolments.c.state, enrolments.c.enrolled_at, enrolments.c.plan_ends_at,
    enrolments.c.ended_at, enrolments.c.exit_reason, runs.c.rules_version, runs.c.as_of,
).join(runs, runs.c.run_id == enrolments.c.run_id)  # fmt: skip


def _enrolment(row: Mapping[Any, Any]) -> Enrolment:
    return Enrolment(**{**row, "review_reasons": tuple(row["review_reasons"])})
