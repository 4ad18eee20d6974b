"""Everything the ledger knows of one customer, in the order in which it happened. Ids and codes only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, or_, select

from reactivation.ledger.among import among
from reactivation.ledger.occupying import own_keys
from reactivation.ledger.tables import (
    answers,
    audit,
    enrolment_keys,
    enrolments,
    events,
    item_verdicts,
    list_items,
    lists,
    measurement_events,
    offer_codes,
    sends,
    steps,
    suppressions,
    tags,
    touches,
)  # fmt: skip

#: Rows of a query, each with its columns as attributes.
Found = Sequence[Any]


def enrolments_of(conn: Connection, customer_id: str) -> Found:
    """The customer's enrolments, oldest first."""
    wanted = select(enrolments).where(enrolments.c.customer_id == customer_id)
    return conn.execute(wanted.order_by(enrolments.c.enrolled_at, enrolments.c.enrolment_id)).all()


def touches_of(conn: Connection, enrolment_id: str) -> Found:
    """The touches of an enrolment in the ledger, with the send, the offer code, and when the bytes were made."""
    drafted = (steps.c.run_id == touches.c.draft_run_id) & (steps.c.step == "draft")
    wanted = (
        select(
            *touches.c, sends.c.state.label("send_state"), sends.c.provider, sends.c.provider_ref, sends.c.intended_at,
            sends.c.called_at, sends.c.finished_at, sends.c.local_time, sends.c.zone,
            sends.c.reason.label("send_reason"), offer_codes.c.state.label("code_state"),
            offer_codes.c.changed_at.label("code_changed_at"), steps.c.ended_at.label("drafted_at"),
        )
        .outerjoin(sends, sends.c.touch_id == touches.c.touch_id)
        .outerjoin(offer_codes, offer_codes.c.touch_id == touches.c.touch_id)
        .outerjoin(steps, drafted)
        .where(touches.c.enrolment_id == enrolment_id)
    )  # fmt: skip
    return conn.execute(wanted.order_by(touches.c.number)).all()


def asked_of(conn: Connection, touch_id: str) -> Found:
    """The lists a touch was asked about in, oldest first, each with its verdict and who gave it."""
    verdict = (item_verdicts.c.list_id == lists.c.list_id) & (item_verdicts.c.touch_id == list_items.c.touch_id)
    wanted = (
        select(
            lists.c.list_id, lists.c.kind, lists.c.owner_id, lists.c.opened_at, lists.c.closed_at,
            lists.c.state, item_verdicts.c.verdict, answers.c.responder, answers.c.recorded_at,
        )
        .join(list_items, list_items.c.list_id == lists.c.list_id)
        .outerjoin(item_verdicts, verdict)
        .outerjoin(answers, answers.c.answer_id == item_verdicts.c.answer_id)
        .where(list_items.c.touch_id == touch_id)
    )  # fmt: skip
    return conn.execute(wanted.order_by(lists.c.opened_at, lists.c.kind, lists.c.list_id)).all()


def moves_of(conn: Connection, touch_id: str) -> Found:
    """What was done about a touch besides: moved, held, made to wait, expired, cancelled; oldest first."""
    wanted = select(audit.c.at, audit.c.actor, audit.c.action, audit.c.details)
    return conn.execute(wanted.where(audit.c.subject == touch_id).order_by(audit.c.seq)).all()


def exits_of(conn: Connection, customer_id: str) -> Found:
    """The ends of the customer's enrolments, each with the fact behind it."""
    wanted = select(measurement_events).where(measurement_events.c.subject == customer_id)
    return conn.execute(
        wanted.where(measurement_events.c.kind == "exit").order_by(measurement_events.c.occurred_at)
    ).all()


def events_of(conn: Connection, customer_id: str) -> Found:
    """What came back, oldest first."""
    wanted = select(events).where(events.c.customer_id == customer_id)
    return conn.execute(wanted.order_by(events.c.occurred_at, events.c.event_id)).all()


def tags_of(conn: Connection, customer_id: str) -> Found:
    """The tags the customer bears or bore, oldest first."""
    return conn.execute(select(tags).where(tags.c.customer_id == customer_id).order_by(tags.c.set_at, tags.c.tag)).all()


def suppressions_of(conn: Connection, enrolment_ids: Collection[str], address_keys: Collection[str]) -> Found:
    """The standing noes of these address keys and of those behind the enrolments, oldest first."""
    behind = select(enrolment_keys.c.address_key).where(among(enrolment_keys.c.enrolment_id, enrolment_ids), own_keys)
    mine = or_(suppressions.c.address_key.in_(behind), among(suppressions.c.address_key, address_keys))
    order = (suppressions.c.occurred_at, suppressions.c.reason, suppressions.c.channel, suppressions.c.address_key)
    return conn.execute(select(suppressions).where(mine).order_by(*order)).all()
