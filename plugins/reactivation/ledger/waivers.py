"""Waivers: conditions of readiness that compliance lets pass for one run, each with its reason and its end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from reactivation.ledger.tables import answers, waivers


@dataclass(frozen=True)
class Waiver:
    """One condition that may pass in one run, by whose answer, why, and until when."""

    run_id: str
    condition: str
    reason: str
    answer_id: str
    signed_at: datetime
    expires_at: datetime
    signed_by: str | None = None


def insert_waivers(
    conn: Connection, *, run_id: str, conditions: Collection[str], reason: str, answer_id: str, signed_at: datetime,
    expires_at: datetime,
) -> None:  # fmt: skip
    """Let these conditions pass in this run."""
    same = {
        "run_id": run_id,
        "reason": reason,
        "answer_id": answer_id,
        "signed_at": signed_at,
        "expires_at": expires_at,
    }
    conn.execute(insert(waivers), [same | {"condition": condition} for condition in sorted(conditions)])


def waivers_of(conn: Connection, run_id: str) -> list[Waiver]:
    """Every waiver of a run, expired ones too, with who signed it."""
    query = (
        select(*waivers.c, answers.c.responder.label("signed_by"))
        .join(answers, answers.c.answer_id == waivers.c.answer_id)
        .where(waivers.c.run_id == run_id)
        .order_by(waivers.c.condition)
    )
    return [Waiver(**row._mapping) for row in conn.execute(query)]
