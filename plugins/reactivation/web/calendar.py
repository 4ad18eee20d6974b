"""The calendar page: how many of each touch go out on each day, and which customer's, page by page. Ids only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from reactivation.ledger import enrolments
from reactivation.steps.calendar import calendar, schedule
from reactivation.steps.workspace import Workspace
from reactivation.web.auth import Visitor

ROWS_PER_PAGE = 50


class NoSuchPlaybook(Exception):
    """No playbook of that name is declared."""


@dataclass(frozen=True)
class CalendarPage:
    """One page of the schedule, and the whole calendar above it. ``playbooks``: name and title of each there is."""

    visitor: Visitor
    playbook: str
    playbooks: Sequence[tuple[str, str]]
    numbers: Sequence[int]
    days: Sequence[Mapping[str, Any]]
    rows: Sequence[Mapping[str, Any]]
    total: int
    page: int
    pages: int


def calendar_page(workspace: Workspace, playbook: str | None, page: int, visitor: Visitor) -> CalendarPage:
    """One page of a playbook's schedule, by time: of the first with something on it when none is named. ``page`` counts
    from 1; one past the end is the last. Raises ``NoSuchPlaybook``."""
    declared = [(p.playbook.playbook, p.playbook.title) for p in workspace.all_playbooks()]
    name = playbook or _first_at_work(workspace, [known for known, _ in declared])
    if name not in {known for known, _ in declared}:
        raise NoSuchPlaybook
    found = schedule(workspace, name)
    listed = found.filter(pc.not_equal(found["state"], "skipped")).sort_by(
        [("at", "ascending"), ("customer_id", "ascending"), ("number", "ascending")]
    )
    pages = max(1, -(-listed.num_rows // ROWS_PER_PAGE))
    page = min(page, pages)
    return CalendarPage(
        visitor=visitor, playbook=name, playbooks=declared,
        numbers=[touch.number for touch in workspace.playbook(name).playbook.touches], days=calendar(found),
        rows=listed.slice((page - 1) * ROWS_PER_PAGE, ROWS_PER_PAGE).to_pylist(), total=listed.num_rows, page=page,
        pages=pages,
    )  # fmt: skip


def _first_at_work(workspace: Workspace, names: Sequence[str]) -> str:
    with workspace.ledger.begin() as conn:
        begun = set(enrolments.playbooks(conn))
    return next((name for name in names if name in begun), names[0])
