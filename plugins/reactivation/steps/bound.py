"""What an Airflow request shows of a question, whatever its kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reactivation.approvals.form import FormField


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
