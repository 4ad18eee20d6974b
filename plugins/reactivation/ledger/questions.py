"""Questions, the Airflow request that shows each, and the answers with their verdicts.

A binding of a request to its question is written once and never changes: a retried request shows the same question,
and a question is shown by one request only. Answers are kept whether they count or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update

from reactivation.ledger.among import among_named
from reactivation.ledger.tables import (
    answers,
    enrolments,
    item_verdicts,
    list_items,
    list_signers,
    lists,
    questions,
    request_bindings,
    touches,
)  # fmt: skip
from reactivation.ledger.together import Asking, Rows


@dataclass(frozen=True)
class RequestId:
    """One Airflow human-in-the-loop request: a task instance, whatever its try."""

    dag_id: str
    dag_run_id: str
    task_id: str
    map_index: int


@dataclass(frozen=True)
class QuestionRow:
    """One question and what became of it."""

    question_id: str
    kind: str
    list_id: str | None
    subject: str
    state: str
    opened_at: datetime
    expires_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True)
class TouchRow:
    """What the ledger says of a touch that is about to go out."""

    touch_id: str
    customer_id: str
    channel: str
    address_key: str
    offer_id: str | None
    state: str


@dataclass(frozen=True)
class SignatureRow:
    """One signed verdict on one touch: in which list, by which answer, and whether its responder was a signer."""

    kind: str
    channel: str
    offer_id: str | None
    offer_terms: str | None
    authors: list[str]
    answer_id: str
    responder: str | None
    accepted: bool
    is_signer: bool


def insert_question(
    conn: Connection, *, question_id: str, kind: str, subject: str, opened_at: datetime, expires_at: datetime,
    list_id: str | None = None,
) -> None:  # fmt: skip
    """Open a question about a subject, which is a list or the id of something else."""
    conn.execute(
        insert(questions).values(
            question_id=question_id, kind=kind, list_id=list_id, subject=subject, state="open", opened_at=opened_at,
            expires_at=expires_at,
        )
    )  # fmt: skip


def close_question(conn: Connection, question_id: str, *, answered: bool, now: datetime) -> None:
    """Close a question that is about no list (a list's closes with it)."""
    conn.execute(
        update(questions)
        .where(questions.c.question_id == question_id, questions.c.state == "open")
        .values(state="answered" if answered else "held", closed_at=now)
    )


def expired_questions(conn: Connection, now: datetime) -> list[QuestionRow]:
    """The questions about no list that nobody answered in time."""
    query = select(questions).where(
        questions.c.state == "open", questions.c.expires_at <= now, questions.c.list_id.is_(None)
    )
    return [QuestionRow(**row._mapping) for row in conn.execute(query.order_by(questions.c.question_id))]


def question_about(conn: Connection, kind: str, subject: str) -> QuestionRow | None:
    """The newest question of a kind about a subject."""
    query = select(questions).where(questions.c.kind == kind, questions.c.subject == subject)
    row = conn.execute(query.order_by(questions.c.opened_at.desc(), questions.c.question_id).limit(1)).one_or_none()
    return None if row is None else QuestionRow(**row._mapping)


def waiting_of_kind(conn: Connection, kind: str, now: datetime) -> list[QuestionRow]:
    """The open questions of a kind that can still be answered, the one that expires first at the top."""
    query = select(questions).where(questions.c.kind == kind, questions.c.state == "open", questions.c.expires_at > now)
    return [
        QuestionRow(**r._mapping) for r in conn.execute(query.order_by(questions.c.expires_at, questions.c.question_id))
    ]


def question_of(conn: Connection, question_id: str, *, lock: bool = False) -> QuestionRow | None:
    """One question; with ``lock``, no other request is bound to it before this transaction ends."""
    query = select(questions).where(questions.c.question_id == question_id)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else QuestionRow(**row._mapping)


def question_ids_of_lists(conn: Connection) -> dict[str, str]:
    """The question id of each list that has one open, by list id."""
    query = select(questions.c.list_id, questions.c.question_id).where(questions.c.state == "open")
    return {row.list_id: row.question_id for row in conn.execute(query) if row.list_id is not None}


def open_requests(conn: Connection) -> int:
    """How many Airflow requests wait for a person."""
    query = (
        select(func.count())
        .select_from(request_bindings)
        .join(questions, questions.c.question_id == request_bindings.c.question_id)
        .where(questions.c.state == "open")
    )
    return int(conn.scalar(query) or 0)


def unasked_questions(conn: Connection, now: datetime, limit: int) -> list[str]:
    """Open questions that no request shows yet, the one that expires first at the top."""
    query = (
        select(questions.c.question_id)
        .outerjoin(request_bindings, request_bindings.c.question_id == questions.c.question_id)
        .where(questions.c.state == "open", questions.c.expires_at > now, request_bindings.c.question_id.is_(None))
        .order_by(questions.c.expires_at, questions.c.question_id)
        .limit(limit)
    )
    return list(conn.scalars(query))


def bound_question(conn: Connection, request: RequestId) -> str | None:
    """The id of the question this request shows, as its first ``execute`` wrote it."""
    return conn.scalar(
        select(request_bindings.c.question_id).where(
            request_bindings.c.dag_id == request.dag_id,
            request_bindings.c.dag_run_id == request.dag_run_id,
            request_bindings.c.task_id == request.task_id,
            request_bindings.c.map_index == request.map_index,
        )
    )


def request_of(conn: Connection, question_id: str) -> RequestId | None:
    """The request that shows a question."""
    row = conn.execute(
        select(
            request_bindings.c.dag_id, request_bindings.c.dag_run_id, request_bindings.c.task_id,
            request_bindings.c.map_index,
        ).where(request_bindings.c.question_id == question_id)
    ).one_or_none()  # fmt: skip
    return None if row is None else RequestId(**row._mapping)


def bind(conn: Connection, request: RequestId, question_id: str, now: datetime) -> None:
    """Bind a request to its question, for good. The caller holds the question's lock."""
    conn.execute(
        insert(request_bindings).values(
            dag_id=request.dag_id, dag_run_id=request.dag_run_id, task_id=request.task_id,
            map_index=request.map_index, question_id=question_id, bound_at=now,
        )
    )  # fmt: skip


def insert_answer(conn: Connection, row: Mapping[str, Any]) -> None:
    """Keep one answer, whether it counts or not."""
    conn.execute(insert(answers).values(row))


def insert_verdicts(conn: Connection, list_id: str, answer_id: str, verdicts: Mapping[str, str]) -> None:
    """Keep what an answer says of each item of the list it closes: verdict by touch id."""
    conn.execute(
        insert(item_verdicts),
        [
            {"list_id": list_id, "touch_id": touch_id, "verdict": verdict, "answer_id": answer_id}
            for touch_id, verdict in sorted(verdicts.items())
        ],
    )


def verdicts_of(conn: Connection, list_id: str) -> dict[str, str]:
    """What was said of each item of a closed list, by touch id."""
    query = select(item_verdicts.c.touch_id, item_verdicts.c.verdict).where(item_verdicts.c.list_id == list_id)
    return {row.touch_id: row.verdict for row in conn.execute(query)}


def signed_of(
    digests: Mapping[str, str],
) -> Asking[tuple[dict[str, TouchRow], dict[str, list[SignatureRow]]]]:
    """By touch id, the touch with the customer it is for; and every signed verdict on exactly the bytes of the given
    digest, in a list of the run that drafted them."""

    def read(found: list[Rows]) -> tuple[dict[str, TouchRow], dict[str, list[SignatureRow]]]:
        known, signatures = found
        signed: dict[str, list[SignatureRow]] = {touch_id: [] for touch_id in digests}
        for touch_id, draft_digest, *signature in signatures:
            if draft_digest == digests[touch_id]:
                signed[touch_id].append(SignatureRow(*signature))
        return {row[0]: TouchRow(*row) for row in known}, signed

    those = {"touch_ids": digests}
    return Asking(((_TOUCHES, those), (_SIGNATURES, those)), read)


#: What is asked of every batch, made once.
_TOUCHES = (
    select(
        touches.c.touch_id, enrolments.c.customer_id, touches.c.channel, touches.c.address_key, touches.c.offer_id,
        touches.c.state,
    )
    .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
    .where(among_named(touches.c.touch_id, "touch_ids"))
)  # fmt: skip
_SIGNATURES = (
    select(
        item_verdicts.c.touch_id, list_items.c.draft_digest,
        lists.c.kind, lists.c.channel, lists.c.offer_id, lists.c.offer_terms, lists.c.authors, answers.c.answer_id,
        answers.c.responder, answers.c.accepted, list_signers.c.user_id.is_not(None).label("is_signer"),
    )
    .select_from(item_verdicts)
    .join(
        list_items,
        and_(list_items.c.list_id == item_verdicts.c.list_id, list_items.c.touch_id == item_verdicts.c.touch_id),
    )
    .join(lists, lists.c.list_id == item_verdicts.c.list_id)
    .join(touches, and_(touches.c.touch_id == item_verdicts.c.touch_id, touches.c.draft_run_id == lists.c.run_id))
    .join(answers, answers.c.answer_id == item_verdicts.c.answer_id)
    .join(questions, questions.c.question_id == answers.c.question_id)
    .outerjoin(
        list_signers, and_(list_signers.c.list_id == lists.c.list_id, list_signers.c.user_id == answers.c.responder)
    )
    .where(
        among_named(list_items.c.touch_id, "touch_ids"), item_verdicts.c.verdict == "signed",
        questions.c.list_id == lists.c.list_id,
    )
    .order_by(answers.c.answer_id)
)  # fmt: skip
