"""Drafts in the words of an account's owner: what was proposed, for which message, by whom. Written once each.

Of a list the newest proposal is the one that can be approved.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, insert, select

from reactivation.ledger import audit
from reactivation.ledger.tables import answers, draft_edits, lists, questions


@dataclass(frozen=True)
class DraftEdit:
    """One changed draft. ``edit_id`` is also the run in whose ``drafts.parquet`` its bytes are; ``parts``: what is
    changed, by name; ``proposed_by``: as he was named, which proves nothing."""

    edit_id: str
    list_id: str
    touch_id: str
    draft_digest: str
    signing_code: str
    parts: list[str]
    proposed_by: str
    proposed_at: datetime


def propose(conn: Connection, edit: DraftEdit) -> None:
    """Keep a proposal, and write it into the trail."""
    conn.execute(insert(draft_edits).values(asdict(edit)))
    told = {"list_id": edit.list_id, "edit_id": edit.edit_id, "digest": edit.draft_digest, "parts": edit.parts}
    audit.write(
        conn, at=edit.proposed_at, actor=edit.proposed_by, action="edit_proposed", subject=edit.touch_id, details=told
    )


def newest_of_list(conn: Connection, list_id: str) -> DraftEdit | None:
    """The proposal for a list's message that can be approved."""
    mine = _EDITS.where(draft_edits.c.list_id == list_id)
    order = (draft_edits.c.proposed_at.desc(), draft_edits.c.edit_id)
    return _one(conn, mine.order_by(*order).limit(1))


def of_run(conn: Connection, run_id: str) -> DraftEdit | None:
    """The edit whose bytes a run has; ``None`` for a run that is none."""
    return _one(conn, _EDITS.where(draft_edits.c.edit_id == run_id))


def of_touch(conn: Connection, touch_id: str) -> list[tuple[DraftEdit, bool]]:
    """What was proposed for a touch, oldest first, each with whether it was approved: then a second approver was
    asked."""
    asked = select(lists.c.run_id).where(lists.c.run_id == draft_edits.c.edit_id).exists()
    query = select(draft_edits, asked.label("approved")).where(draft_edits.c.touch_id == touch_id)
    rows = conn.execute(query.order_by(draft_edits.c.proposed_at, draft_edits.c.edit_id))
    return [(DraftEdit(*row[:-1]), bool(row.approved)) for row in rows]


def approver_of(conn: Connection, list_id: str) -> str | None:
    """The user who approved the message that a list asks a second approver about; ``None`` for any other list."""
    return _approvers(conn, lists.c.list_id == list_id).get(list_id)


def approvers_of_open(conn: Connection) -> dict[str, str]:
    """The same of every open list that has one, by list id."""
    return _approvers(conn, lists.c.state == "open")


def _approvers(conn: Connection, which: ColumnElement[bool]) -> dict[str, str]:
    """By the accepted answer that names the edit; who is said to have written it proves nothing."""
    query = (
        select(lists.c.list_id, draft_edits.c.edit_id, answers.c.responder, answers.c.form)
        .join(draft_edits, draft_edits.c.edit_id == lists.c.run_id)
        .join(questions, questions.c.list_id == draft_edits.c.list_id)
        .join(answers, answers.c.question_id == questions.c.question_id)
        .where(which, answers.c.accepted)
    )
    return {row.list_id: row.responder for row in conn.execute(query) if row.form.get("edit") == row.edit_id}


def _one(conn: Connection, query: Select[tuple[object, ...]]) -> DraftEdit | None:
    row = conn.execute(query).one_or_none()
    return None if row is None else DraftEdit(**row._mapping)


_EDITS = select(draft_edits)
