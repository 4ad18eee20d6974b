"""Offer codes: one per touch, reserved when its draft is made, so that the code is part of what is signed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from reactivation.ledger.among import among
from reactivation.ledger.locks import OFFERS, exclusive
from reactivation.ledger.tables import enrolments, offer_codes, touches


def codes_of(conn: Connection, playbook: str) -> dict[str, str]:
    """The code of each touch of a playbook's active enrolments that has one, by touch id."""
    wanted = (
        select(offer_codes.c.touch_id, offer_codes.c.code)
        .join(touches, touches.c.touch_id == offer_codes.c.touch_id)
        .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
        .where(touches.c.playbook == playbook, enrolments.c.state == "active")
    )
    return {row.touch_id: row.code for row in conn.execute(wanted)}


def taken(conn: Connection, codes: Collection[str]) -> set[str]:
    """Which of these codes anybody ever had."""
    return set(conn.scalars(select(offer_codes.c.code).where(among(offer_codes.c.code, codes))))


def alone(conn: Connection) -> None:
    """Nobody else reserves a code until this transaction ends."""
    exclusive(conn, OFFERS)


def in_use(conn: Connection) -> dict[str, int]:
    """By offer, how many codes are reserved or committed."""
    wanted = select(offer_codes.c.offer_id, func.count().label("codes")).where(offer_codes.c.state != "released")
    return {row.offer_id: row.codes for row in conn.execute(wanted.group_by(offer_codes.c.offer_id))}


def reserve(conn: Connection, codes: Mapping[str, tuple[str, str]], now: datetime) -> None:
    """Reserve codes: touch id to (code, offer id). A taken code, or a second for a touch, is an ``IntegrityError``."""
    rows = [
        {"code": code, "offer_id": offer_id, "touch_id": touch_id, "state": "reserved", "changed_at": now}
        for touch_id, (code, offer_id) in sorted(codes.items())
    ]
    if rows:
        conn.execute(insert(offer_codes), rows)


def touches_of(conn: Connection, codes: Collection[str]) -> dict[str, str]:
    """The touch id by code, for those of these codes that are ours."""
    rows = conn.execute(select(offer_codes.c.code, offer_codes.c.touch_id).where(among(offer_codes.c.code, codes)))
    return {row.code: row.touch_id for row in rows}
