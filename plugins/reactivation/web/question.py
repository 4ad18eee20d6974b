"""The page of a question about no list and no run: what is asked, on which terms, and what came of it.

Codes and counts only, so whoever may read the pages may see it; the signing code is for those alone who may sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reactivation.approvals.brief import SETTINGS
from reactivation.ledger import questions, settings
from reactivation.ledger.questions import QuestionRow, RequestId
from reactivation.ledger.settings import Signed
from reactivation.steps.accepting import KIND, asked_setting, rules_in_force, setting_of, stopped_by_it, terms
from reactivation.steps.workspace import Workspace
from reactivation.web import happened
from reactivation.web.auth import Visitor
from reactivation.web.happened import Happened


class NoSuchQuestion(LookupError):
    """There is no question of that id that has a page here."""


@dataclass(frozen=True)
class QuestionPage:
    """Everything the page shows. ``code`` is there only for whoever may sign it now; ``hindrance`` says why nobody
    can. ``signed``: what was last signed under its name, in force or not. ``stopped``: by playbook, how many the last
    run stopped who might pass by it, at most."""

    visitor: Visitor
    question: QuestionRow
    means: str
    brand: str
    terms: Mapping[str, Mapping[str, Any]]
    stopped: Mapping[str, int]
    signed: Signed | None
    in_force: bool
    is_open: bool
    may_sign: bool
    hindrance: str | None
    code: str | None
    request: RequestId | None
    happened: Sequence[Happened]
    now: datetime


def question_page(workspace: Workspace, question_id: str, visitor: Visitor, now: datetime) -> QuestionPage:
    """The page for one visitor. Raises ``NoSuchQuestion``."""
    with workspace.ledger.begin() as conn:
        question = questions.question_of(conn, question_id)
        if question is None or question.kind != KIND:
            raise NoSuchQuestion(question_id)
        asked, name = asked_setting(workspace, question), setting_of(question)
        is_open = question.state == "open" and now < question.expires_at
        may_sign = visitor.user_id in asked.signers - asked.authors
        shown = terms(workspace, name)
        code = asked.signing_code if is_open and may_sign and not asked.hindrance else None
        return QuestionPage(
            visitor=visitor, question=question, means=SETTINGS[name], brand=shown["brand"], terms=shown["terms"],
            stopped=stopped_by_it(workspace, conn, name), signed=settings.signed(conn, name),
            in_force=name in rules_in_force(workspace, conn).signed, is_open=is_open, may_sign=may_sign,
            hindrance=asked.hindrance, code=code, request=questions.request_of(conn, question_id),
            happened=happened.of_question(conn, name), now=now,
        )  # fmt: skip
