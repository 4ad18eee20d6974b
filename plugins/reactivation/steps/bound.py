"""What an Airflow request shows of a question, and how its answer is kept, whatever its kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection

from reactivation.approvals import Judgement
from reactivation.approvals.coded import CodedJudgement
from reactivation.approvals.form import FormField
from reactivation.ledger import questions


@dataclass(frozen=True)
class AskedUser:
    """Somebody who may answer: the auth manager's user id, and the name to show."""

    user_id: str
    name: str


@dataclass(frozen=True)
class BoundQuestion:
    """Everything a request shows: made of the ledger and the configuration, nothing of it from arguments. ``page`` is
    where the asked can read what it is about, from the root of the web server."""

    question_id: str
    page: str
    subject: str
    body: str
    options: tuple[str, ...]
    default: str
    form: tuple[FormField, ...]
    signers: tuple[AskedUser, ...]
    expires_at: datetime


def keep_answer(conn: Connection, question_id: str, judged: Judgement | CodedJudgement, now: datetime) -> str:
    """Keep an answer, whether it counts or not; its id."""
    answer_id = str(uuid4())
    questions.insert_answer(
        conn,
        {
            "answer_id": answer_id, "question_id": question_id, "responder": judged.responder,
            "chosen": judged.chosen, "form": dict(judged.form), "responded_at": judged.responded_at,
            "recorded_at": now, "accepted": judged.accepted, "refusal": judged.refusal,
        },
    )  # fmt: skip
    return answer_id
