"""What owners of accounts were asked and what they decided. Written once each; of an account the last word stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

import pyarrow as pa
from sqlalchemy import Connection, case, exists, func, insert, select

from reactivation.ledger import audit
from reactivation.ledger.among import among
from reactivation.ledger.tables import account_decisions, account_questions, answers, questions
from reactivation.policy.accounts import OWNER_SAID, WRITING


@dataclass(frozen=True)
class AccountQuestion:
    """What an owner is asked about an account, as it stood when the question was opened. ``contacts`` are customer ids
    in the order they are shown; ``noes``: how many of them, beside the recipient, had said no."""

    question_id: str
    run_id: str
    playbook: str
    account_id: str
    owner_id: str
    contacts: list[str]
    noes: int


@dataclass(frozen=True)
class AccountDecision:
    """What an owner decided, by which answer; ``until`` where he holds it, ``recipient`` where he chose another."""

    answer_id: str
    playbook: str
    account_id: str
    decision: str
    reason: str | None
    until: datetime | None
    recipient: str | None
    noes: int
    decided_by: str
    decided_at: datetime


def insert_questions(conn: Connection, asked: Collection[AccountQuestion]) -> None:
    """Keep what questions are about; the questions themselves are there already."""
    if asked:
        conn.execute(insert(account_questions), [asdict(one) for one in asked])


def question_of(conn: Connection, question_id: str) -> AccountQuestion | None:
    """What a question is about; ``None`` for one that is about no account."""
    row = conn.execute(select(account_questions).where(account_questions.c.question_id == question_id)).one_or_none()
    return None if row is None else AccountQuestion(**row._mapping)


def question_of_list(conn: Connection, list_id: str) -> AccountQuestion | None:
    """What the question of a list is about; ``None`` for a list that is about no account."""
    query = (
        select(account_questions)
        .join(questions, questions.c.question_id == account_questions.c.question_id)
        .where(questions.c.list_id == list_id)
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else AccountQuestion(**row._mapping)


def open_list_of(conn: Connection, playbook: str, account_id: str, now: datetime) -> str | None:
    """The list by which an account's owner is being asked to sign a message now."""
    query = (
        select(questions.c.list_id)
        .join(account_questions, account_questions.c.question_id == questions.c.question_id)
        .where(
            account_questions.c.playbook == playbook, account_questions.c.account_id == account_id,
            questions.c.state == "open", questions.c.expires_at > now, questions.c.list_id.is_not(None),
        )
        .order_by(questions.c.opened_at.desc(), questions.c.question_id)
        .limit(1)
    )  # fmt: skip
    return conn.scalar(query)


def waiting(conn: Connection, playbook: str, now: datetime) -> set[str]:
    """The accounts of a playbook whose owner is being asked now."""
    query = (
        select(account_questions.c.account_id)
        .join(questions, questions.c.question_id == account_questions.c.question_id)
        .where(account_questions.c.playbook == playbook, questions.c.state == "open", questions.c.expires_at > now)
    )
    return set(conn.scalars(query))


def asked_since(conn: Connection, playbook: str, since: datetime) -> set[str]:
    """The accounts of a playbook whose owner was asked since an instant."""
    query = (
        select(account_questions.c.account_id)
        .join(questions, questions.c.question_id == account_questions.c.question_id)
        .where(account_questions.c.playbook == playbook, questions.c.opened_at >= since)
    )
    return set(conn.scalars(query))


def unanswered(conn: Connection, playbook: str, before: datetime | None = None) -> set[str]:
    """The accounts of a playbook about which the last question, or the last opened ``before`` an instant, ended
    without a word of anybody who was asked."""
    place = func.row_number().over(
        partition_by=account_questions.c.account_id,
        order_by=(questions.c.opened_at.desc(), questions.c.question_id),
    )
    ranked = (
        select(account_questions.c.account_id, questions.c.question_id, questions.c.state, place.label("place"))
        .join(questions, questions.c.question_id == account_questions.c.question_id)
        .where(account_questions.c.playbook == playbook, *([] if before is None else [questions.c.opened_at < before]))
        .subquery()
    )
    answered = exists().where(
        answers.c.question_id == ranked.c.question_id, answers.c.responder.is_not(None)
    )  # fmt: skip
    silent = select(ranked.c.account_id).where(ranked.c.place == 1, ranked.c.state == "held", ~answered)
    return set(conn.scalars(silent))


def decide(conn: Connection, decided: AccountDecision) -> None:
    """Keep a decision, and write it into the trail."""
    conn.execute(insert(account_decisions).values(asdict(decided)))
    told = {name: value for name, value in asdict(decided).items() if name not in ("decided_by", "decided_at")}
    audit.write(
        conn, at=decided.decided_at, actor=decided.decided_by, action="account_decided", subject=decided.account_id,
        details=told,
    )  # fmt: skip


def decisions(
    conn: Connection, playbook: str, account_ids: Collection[str] | None = None, *, until: datetime | None = None
) -> list[AccountDecision]:
    """The last word about each account of a playbook, by account; ``until`` an instant, or altogether."""
    mine = account_decisions.c.playbook == playbook
    # Of two words in the same instant the one against writing stands.
    writes = case((account_decisions.c.decision.in_(WRITING), 1), else_=0)
    place = func.row_number().over(
        partition_by=account_decisions.c.account_id,
        order_by=(account_decisions.c.decided_at.desc(), writes, account_decisions.c.answer_id),
    )
    ranked = select(account_decisions, place.label("place")).where(mine)
    if until is not None:
        ranked = ranked.where(account_decisions.c.decided_at <= until)
    if account_ids is not None:
        ranked = ranked.where(among(account_decisions.c.account_id, account_ids))
    last = ranked.subquery()
    columns = [last.c[column.name] for column in account_decisions.c]
    query = select(*columns).where(last.c.place == 1).order_by(last.c.account_id)
    return [AccountDecision(**row._mapping) for row in conn.execute(query)]


def owners_said(conn: Connection, playbook: str, account_ids: Collection[str] | None = None) -> pa.Table:
    """The last words as the ladder asks for them (``OWNER_SAID``)."""
    rows = [
        {
            "account_id": one.account_id, "owner_decision": one.decision, "owner_decided_at": one.decided_at,
            "owner_hold_until": one.until, "owner_recipient": one.recipient, "owner_knew_noes": one.noes,
        }
        for one in decisions(conn, playbook, account_ids)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, OWNER_SAID)
