"""The pages of work on accounts: an owner's tasks, and the issues to resolve. Ids, codes and dates only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reactivation.steps.issue_queue import OpenIssue, open_issues
from reactivation.steps.owner_tasks import LATER, OwnerTask, owner_tasks
from reactivation.steps.workspace import Workspace
from reactivation.web.auth import Visitor

ROWS_PER_PAGE = 50


@dataclass(frozen=True)
class TaskPage:
    """One page of what a visitor has to do; ``asked``: how many of all he is asked about now."""

    visitor: Visitor
    tasks: Sequence[OwnerTask]
    asked: int
    total: int
    page: int
    pages: int
    now: datetime


@dataclass(frozen=True)
class IssuePage:
    """One page of the issues of a playbook's accounts, the longest waiting first."""

    visitor: Visitor
    issues: Sequence[OpenIssue]
    as_of: datetime | None
    total: int
    page: int
    pages: int


def task_page(workspace: Workspace, page: int, visitor: Visitor, now: datetime) -> TaskPage:
    """What this visitor has to do. ``page`` counts from 1; one past the end is the last."""
    tasks = owner_tasks(workspace, visitor.user_id, now)
    pages = max(1, -(-len(tasks) // ROWS_PER_PAGE))
    page = min(page, pages)
    return TaskPage(
        visitor=visitor, tasks=tasks[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE],
        asked=sum(task.what != LATER for task in tasks), total=len(tasks), page=page, pages=pages, now=now,
    )  # fmt: skip


def issue_page(workspace: Workspace, page: int, visitor: Visitor, now: datetime) -> IssuePage:
    """The issues of the playbook about accounts. ``page`` counts from 1; one past the end is the last."""
    name = next((p.playbook.playbook for p in workspace.all_playbooks() if p.playbook.subject == "account"), None)
    if name is None:
        return IssuePage(visitor, (), None, 0, 1, 1)
    found = open_issues(workspace, name, now, first=(page - 1) * ROWS_PER_PAGE, most=ROWS_PER_PAGE)
    pages = max(1, -(-found.total // ROWS_PER_PAGE))
    if page > pages:
        return issue_page(workspace, pages, visitor, now)
    return IssuePage(visitor, found.rows, found.as_of, found.total, page, pages)
