"""The review brief of an account as a file to keep: with names and notes for whoever may decide, by ids for others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from reactivation.ledger import accounts, audit, questions
from reactivation.ledger.questions import QuestionRow
from reactivation.steps.account_brief import brief_of
from reactivation.steps.brief_file import brief_html
from reactivation.steps.deciding import asked_account
from reactivation.steps.workspace import Workspace
from reactivation.web.access import seen_as
from reactivation.web.auth import Visitor
from reactivation.web.question import NoSuchQuestion


def brief_to_keep(workspace: Workspace, question_id: str, visitor: Visitor, now: datetime) -> tuple[str, str]:
    """The account's id and its brief, as it was when the question was opened. That names were read is on record.
    Raises ``NoSuchQuestion`` for a question that is about no account."""
    with workspace.ledger.begin() as conn:
        question, about = questions.question_of(conn, question_id), accounts.question_of(conn, question_id)
        if question is None or about is None:
            raise NoSuchQuestion(question_id)
        personal = _may_see_names(workspace, conn, question, visitor, now)
        brief = brief_of(workspace, conn, about.playbook, about.account_id, run_id=about.run_id, personal=personal)
        if personal:
            audit.write(
                conn, at=now, actor=visitor.user_id, action="account_read", subject=about.account_id,
                details={"kept": True},
            )  # fmt: skip
    return about.account_id, brief_html(brief, personal=personal)


def _may_see_names(
    workspace: Workspace, conn: Connection, question: QuestionRow, visitor: Visitor, now: datetime
) -> bool:
    """As on the page: who may see its list, or may answer it now where it has none."""
    if question.list_id is not None:
        return seen_as(conn, workspace.owners, question.list_id, visitor.user_id) is not None
    is_open = question.state == "open" and now < question.expires_at
    return is_open and visitor.user_id in asked_account(workspace, conn, question).signers
