"""What waits for the owners of accounts, and how far what they decided has come."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from reactivation.ledger.accounts import AccountQuestion
from reactivation.ledger.among import among
from reactivation.ledger.tables import account_questions, enrolments, questions, touches


@dataclass(frozen=True)
class Waiting:
    """An open question about an account; ``list_id`` where there is a message to sign."""

    about: AccountQuestion
    list_id: str | None
    opened_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class IssueTouch:
    """The message about an account's issue, as far as it has come."""

    account_id: str
    state: str
    changed_at: datetime


def waiting_for_owners(conn: Connection, now: datetime, playbook: str | None = None) -> list[Waiting]:
    """The open questions about accounts, of one playbook or of all, the one that ends first at the top."""
    query = (
        select(*account_questions.c, questions.c.list_id, questions.c.opened_at, questions.c.expires_at)
        .join(questions, questions.c.question_id == account_questions.c.question_id)
        .where(questions.c.state == "open", questions.c.expires_at > now)
        .order_by(questions.c.expires_at, account_questions.c.account_id, questions.c.question_id)
    )
    if playbook is not None:
        query = query.where(account_questions.c.playbook == playbook)
    return [Waiting(AccountQuestion(*row[:-3]), *row[-3:]) for row in conn.execute(query)]


def issue_touches(
    conn: Connection, playbook: str, numbers: Collection[int], account_ids: Collection[str]
) -> dict[str, IssueTouch]:
    """Of accounts enrolled now or before, the newest touch of these numbers that has come anywhere, by account."""
    place = func.row_number().over(
        partition_by=enrolments.c.account_id,
        order_by=(enrolments.c.enrolled_at.desc(), touches.c.number, touches.c.touch_id),
    )
    ranked = (
        select(enrolments.c.account_id, touches.c.state, touches.c.changed_at, place.label("place"))
        .join(touches, touches.c.enrolment_id == enrolments.c.enrolment_id)
        .where(touches.c.playbook == playbook, touches.c.number.in_(list(numbers)),
               among(enrolments.c.account_id, account_ids))
        .subquery()
    )  # fmt: skip
    query = select(ranked.c.account_id, ranked.c.state, ranked.c.changed_at).where(ranked.c.place == 1)
    return {row.account_id: IssueTouch(*row) for row in conn.execute(query)}
