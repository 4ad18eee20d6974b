"""What retention asks of the ledger: whose evidence a run is, what went out, and when a person last had a message."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select, union

from reactivation.ledger.occupying import own_keys
from reactivation.ledger.tables import enrolment_keys, enrolments, runs, sends, touches

_HANDED_OVER = func.coalesce(
    sends.c.finished_at, sends.c.called_at, sends.c.intended_at, type_=sends.c.intended_at.type
)


def keys_of_customers(conn: Connection) -> list[tuple[str, str]]:
    """Every customer ever enrolled with each address key they were enrolled with."""
    wanted = (
        select(enrolments.c.customer_id, enrolment_keys.c.address_key)
        .join(enrolments, enrolments.c.enrolment_id == enrolment_keys.c.enrolment_id)
        .where(own_keys)
    )
    return [(row.customer_id, row.address_key) for row in conn.execute(wanted.distinct())]


def evidenced(conn: Connection, run_id: str) -> frozenset[str]:
    """The customers a run enrolled, and those to whom something went out that it had drafted."""
    enrolled = select(enrolments.c.customer_id).where(enrolments.c.run_id == run_id)
    written_to = (
        select(enrolments.c.customer_id)
        .join(touches, touches.c.enrolment_id == enrolments.c.enrolment_id)
        .join(sends, sends.c.touch_id == touches.c.touch_id)
        .where(touches.c.draft_run_id == run_id)
    )
    return frozenset(conn.scalars(union(enrolled, written_to)))


def sent_drafts(conn: Connection, run_id: str) -> dict[str, tuple[str, datetime]]:
    """By digest, each draft of a run that went out, or may have: its customer, and when it was handed over."""
    wanted = (
        select(sends.c.draft_digest, enrolments.c.customer_id, _HANDED_OVER.label("at"))
        .join(touches, touches.c.touch_id == sends.c.touch_id)
        .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
        .where(touches.c.draft_run_id == run_id)
    )
    return {row.draft_digest: (row.customer_id, row.at) for row in conn.execute(wanted)}


def last_sent(conn: Connection) -> dict[str, datetime]:
    """By customer, when the last message for the person was handed over, or may have been: at any of their addresses,
    whoever of those behind it was meant."""
    wanted = (
        select(enrolments.c.customer_id, func.max(_HANDED_OVER, type_=_HANDED_OVER.type).label("at"))
        .join(enrolment_keys, enrolment_keys.c.enrolment_id == enrolments.c.enrolment_id)
        .join(sends, sends.c.address_key == enrolment_keys.c.address_key)
        .where(own_keys)
        .group_by(enrolments.c.customer_id)
    )
    return {row.customer_id: row.at for row in conn.execute(wanted)}


def runs_of(conn: Connection, snapshot_id: str) -> list[str]:
    """The runs on a snapshot."""
    return list(conn.scalars(select(runs.c.run_id).where(runs.c.snapshot_id == snapshot_id).order_by(runs.c.run_id)))
