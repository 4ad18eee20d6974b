"""Questions that are about no items: what a kind of them has to bring, and how every one is shown, kept and closed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import Connection

from reactivation.approvals.coded import CodedJudgement
from reactivation.approvals.form import HOLD_ALL, FormField
from reactivation.ledger import audit, questions
from reactivation.ledger.questions import QuestionRow
from reactivation.steps.bound import AskedUser, BoundQuestion, keep_answer

if TYPE_CHECKING:
    from reactivation.playbooks.owners import Owners
    from reactivation.steps.workspace import Workspace

_ANSWER_WITHIN = timedelta(days=3)
#: What a request shows of a question, or the code of why it cannot be asked.
Shown = tuple[BoundQuestion | None, str | None]


@dataclass(frozen=True)
class Kind:
    """One kind of question: ``show`` says what its request shows, ``record`` what an answer amounts to."""

    show: Callable[[Workspace, Connection, QuestionRow], Shown]
    record: Callable[[Workspace, Connection, QuestionRow, object, datetime], str]


def ask_again(
    conn: Connection, kind: str, subject: str, *, signers: Collection[str], word: str, actor: str, now: datetime,
    again_after: timedelta,
) -> list[str]:  # fmt: skip
    """Open a question about a subject, unless one is open or was asked lately; the ids of those opened, at most one.

    Where nobody may answer, that is recorded. ``word``: what the trail calls it, as in ``<word>_asked``.
    """
    before = questions.question_about(conn, kind, subject)
    if before is not None:
        waits = before.state == "open" and now < before.expires_at
        if waits or now < before.opened_at + again_after:
            return []
    opened = [str(uuid4())] if signers else []
    for question_id in opened:
        questions.insert_question(
            conn, question_id=question_id, kind=kind, subject=subject, opened_at=now, expires_at=now + _ANSWER_WITHIN
        )  # fmt: skip
    audit.write(
        conn, at=now, actor=actor, subject=subject, action=f"{word}_asked" if opened else f"{word}_not_asked",
        details={"question_id": opened[0] if opened else None, "signers": sorted(signers)},
    )  # fmt: skip
    return opened


def signers_in(workspace: Workspace, role: str) -> frozenset[str]:
    """The users of everybody who has a role."""
    return frozenset(signer.user_id for signer in workspace.owners.by_role(role))


def bound(
    workspace: Workspace, question: QuestionRow, *, page: str, subject: str, body: str, options: tuple[str, ...],
    form: tuple[FormField, ...], signers: Collection[str],
) -> BoundQuestion:  # fmt: skip
    """What a request shows; silence holds, whatever is asked."""
    return BoundQuestion(
        question_id=question.question_id, page=page, subject=subject, body=body, options=options, default=HOLD_ALL,
        form=form, signers=people(workspace.owners, signers), expires_at=question.expires_at,
    )  # fmt: skip


def people(owners: Owners, user_ids: Collection[str]) -> tuple[AskedUser, ...]:
    """Who is asked, with their names, by user id."""
    known = sorted((owner.user, owner.name) for owner in owners.by_id.values() if owner.user in user_ids)
    return tuple(AskedUser(user, name) for user, name in known)


def keep(conn: Connection, question: QuestionRow, judged: CodedJudgement, now: datetime) -> str:
    """Keep an answer, whether it counts or not, and close its question with it; the answer's id."""
    answer_id = keep_answer(conn, question.question_id, judged, now)
    if question.state == "open":
        questions.close_question(conn, question.question_id, answered=judged.agreed, now=now)
    return answer_id


def write_answer(
    conn: Connection, question: QuestionRow, judged: CodedJudgement, answer_id: str, now: datetime, *,
    action: str | None = None, **details: object,
) -> None:  # fmt: skip
    """Record an answer in the trail, with what it said; ``action`` where it did something by itself."""
    audit.write(
        conn, at=now, actor=judged.responder or "nobody", subject=question.subject,
        action=action or ("answer_accepted" if judged.accepted else "answer_refused"),
        details={"question_id": question.question_id, "answer_id": answer_id, "chosen": judged.chosen,
                 "refusal": judged.refusal, **details},
    )  # fmt: skip


def close_expired_questions(conn: Connection, now: datetime) -> int:
    """Close the questions nobody answered in time: silence agrees to nothing. Returns how many."""
    expired = questions.expired_questions(conn, now)
    for one in expired:
        questions.close_question(conn, one.question_id, answered=False, now=now)
    told = [(one.subject, {"question_id": one.question_id}) for one in expired]
    audit.write_many(conn, at=now, actor="ask_people", action="question_expired", subjects=told)
    return len(expired)
