"""What a pilot is proven from: its messages with the evidence of each, who looked at what when, and what was decided.

A subject is a customer, or the account an enrolment is of where a playbook is about accounts. Ids and codes only.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, func, select

from reactivation.ledger.among import among
from reactivation.ledger.extract import MAY_HAVE_REACHED
from reactivation.ledger.tables import (
    account_questions,
    answers,
    enrolments,
    item_verdicts,
    list_items,
    lists,
    measurement_events,
    questions,
    sends,
    touches,
)

Subject = Literal["customer", "account"]


@dataclass(frozen=True)
class Sent:
    """A message that reached a person, or may have. ``gates`` and ``records``: at the moment of its intent;
    ``signed_at``: the last of its signatures, ``named``: whether one named this very message."""

    subject: str
    customer_id: str
    segment: str
    owner_id: str
    send_id: str
    intended_at: datetime
    gates: dict[str, str]
    records: tuple[str, ...]
    signed_at: datetime | None
    signed_by: tuple[str, ...]
    named: bool


@dataclass(frozen=True)
class Seen:
    """Somebody, or the rules, said something of a subject: ``what`` is signed, held, rejected, decided, or what was
    decided by the rules (enrol, review, hold, suppress); ``by`` is a user id, or ``None`` for the rules."""

    subject: str
    what: str
    at: datetime
    by: str | None = None


def sent_since(conn: Connection, playbook: str, subject: Subject, since: datetime) -> list[Sent]:
    """Every message of a playbook whose intent came at or after an instant, oldest first."""
    query = (
        select(
            _subject(subject).label("subject"), enrolments.c.customer_id, enrolments.c.segment, enrolments.c.owner_id,
            sends.c.send_id, sends.c.touch_id, sends.c.intended_at, sends.c.gates, sends.c.basis, sends.c.answer_ids,
        )
        .join(touches, touches.c.touch_id == sends.c.touch_id)
        .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
        .where(touches.c.playbook == playbook, sends.c.intended_at >= since)
        .where(sends.c.state.in_(MAY_HAVE_REACHED))
        .order_by(sends.c.intended_at, sends.c.send_id)
    )  # fmt: skip
    rows = conn.execute(query).all()
    signatures = _signatures(conn, {one for row in rows for one in row.answer_ids})
    named = _named(conn, [row.touch_id for row in rows])
    return [_sent(row, signatures, named[row.touch_id]) for row in rows]


def seen_since(conn: Connection, playbook: str, subject: Subject, since: datetime) -> list[Seen]:
    """What owners and rules said of the subjects of a playbook at or after an instant, oldest first."""
    verdicts = (
        select(_subject(subject), item_verdicts.c.verdict, answers.c.recorded_at, answers.c.responder)
        .join(touches, touches.c.touch_id == item_verdicts.c.touch_id)
        .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
        .join(answers, answers.c.answer_id == item_verdicts.c.answer_id)
        .where(touches.c.playbook == playbook, answers.c.recorded_at >= since, answers.c.responder.is_not(None))
    )
    about_accounts = (
        select(questions.c.subject, answers.c.recorded_at, answers.c.responder)
        .join(account_questions, account_questions.c.question_id == questions.c.question_id)
        .join(answers, answers.c.question_id == questions.c.question_id)
        .where(questions.c.kind == "decide_account", account_questions.c.playbook == playbook)
        .where(answers.c.accepted, answers.c.recorded_at >= since)
    )
    event = measurement_events.c
    decided = select(event.subject, event.outcome, event.occurred_at).where(
        event.playbook == playbook, event.kind == "decision", event.occurred_at >= since
    )
    found = [Seen(row[0], row[1], row[2], row[3]) for row in conn.execute(verdicts) if row[0] is not None]
    if subject == "account":
        found += [Seen(row[0], "decided", row[1], row[2]) for row in conn.execute(about_accounts)]
    found += [Seen(row[0], row[1], row[2]) for row in conn.execute(decided)]
    return sorted(found, key=lambda one: (one.at, one.subject, one.what))


def ended_since(conn: Connection, playbook: str, subject: Subject, since: datetime) -> dict[str, str]:
    """By subject, why the last of its enrolments that began at or after an instant ended."""
    query = select(_subject(subject), enrolments.c.exit_reason).where(
        enrolments.c.playbook == playbook, enrolments.c.state == "ended", enrolments.c.enrolled_at >= since
    )
    rows = conn.execute(query.order_by(enrolments.c.ended_at, enrolments.c.enrolment_id))
    return {row[0]: row[1] for row in rows if row[0] is not None}


def _subject(subject: Subject) -> ColumnElement[Any]:
    if subject == "customer":
        return enrolments.c.customer_id
    return func.coalesce(enrolments.c.account_id, enrolments.c.customer_id)


def _signatures(conn: Connection, answer_ids: set[str]) -> dict[str, tuple[datetime, str]]:
    """By answer that counts, when it was recorded and whose it is."""
    query = select(answers.c.answer_id, answers.c.recorded_at, answers.c.responder).where(
        among(answers.c.answer_id, answer_ids), answers.c.accepted, answers.c.responder.is_not(None)
    )
    return {row[0]: (row[1], row[2]) for row in conn.execute(query)}


def _named(conn: Connection, touch_ids: list[str]) -> defaultdict[str, bool]:
    """Whether a signature named a touch as an item of its own."""
    signed = (item_verdicts.c.list_id == list_items.c.list_id) & (item_verdicts.c.touch_id == list_items.c.touch_id)
    query = (
        select(list_items.c.touch_id)
        .join(item_verdicts, signed)
        .join(lists, lists.c.list_id == list_items.c.list_id)
        .where(among(list_items.c.touch_id, touch_ids), list_items.c.individual, item_verdicts.c.verdict == "signed")
        .where(lists.c.kind == "content")
    )
    return defaultdict(bool, dict.fromkeys(conn.scalars(query), True))


def _sent(row: Any, signatures: dict[str, tuple[datetime, str]], named: bool) -> Sent:  # noqa: ANN401
    valid = [signatures[one] for one in row.answer_ids if one in signatures]
    whole = len(valid) == len(row.answer_ids)
    return Sent(
        subject=row.subject, customer_id=row.customer_id, segment=row.segment, owner_id=row.owner_id,
        send_id=row.send_id, intended_at=row.intended_at, gates=dict(row.gates),
        records=tuple(row.basis.get("records") or ()), signed_by=tuple(sorted({who for _, who in valid})),
        signed_at=max((at for at, _ in valid), default=None) if whole else None, named=named,
    )  # fmt: skip
