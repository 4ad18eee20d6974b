"""One page of a list: the exact bytes of its items, why each person is on it, and how far the signer has come.

Showing is recorded before anything is returned: which items this user had on the screen, and that addresses were
revealed to him. An item whose draft no longer has the digest that was frozen is not shown and does not count as seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation.approvals import AskedList
from reactivation.contract.digests import item_digest
from reactivation.evidence import EvidenceError
from reactivation.ledger import accounts, audit, erasures, lists, questions, views
from reactivation.ledger.accounts import AccountQuestion
from reactivation.ledger.lists import ListItem, ListRow
from reactivation.ledger.questions import RequestId
from reactivation.playbooks.declared import DeclarationError
from reactivation.playbooks.model import Playbook
from reactivation.steps.account_brief import Brief, brief_of
from reactivation.steps.answers import asked_list
from reactivation.steps.settings import ConfigurationError
from reactivation.steps.workspace import Workspace
from reactivation.web import pausing
from reactivation.web.access import seen_as
from reactivation.web.auth import Visitor
from reactivation.web.edited import ShownEdit, edit_of, shown_edit
from reactivation.web.pausing import ListPaused
from reactivation.web.reasons import Fact, why

ITEMS_PER_PAGE = 10


class NoSuchList(Exception):
    """The ledger knows no list of that id."""


class NotYours(Exception):
    """The visitor may not see the list."""


@dataclass(frozen=True)
class ShownItem:
    """One item with its bytes (none, when they are not what was frozen), its reasons and its verdict, if any.

    ``erased``: its person was, and its bytes with them; nothing of it can go out.
    """

    item: ListItem
    draft: Mapping[str, Any] | None
    why: Sequence[Fact]
    verdict: str | None
    erased: bool = False


@dataclass(frozen=True)
class ListPage:
    """Everything one page shows. ``signing_code`` is there only for a signer who has seen enough of an open list.
    ``about``: the question about the account, if the list is about one."""

    row: ListRow
    playbook: Playbook | None
    asked: AskedList
    request: RequestId | None
    visitor: Visitor
    seen_as: str
    shown: Sequence[ShownItem]
    page: int
    pages: int
    now: datetime
    brief: Brief | None = None
    edit: ShownEdit | None = None
    about: str | None = None
    paused: ListPaused | None = None

    @property
    def edit_code(self) -> str | None:
        """The code that approves the message as changed, for whoever may sign it as it is."""
        proposed = (
            self.edit is not None and self.paused is None and not self.edit.asks_second and self.edit.draft is not None
        )
        return self.edit.edit.signing_code if self.edit and proposed and self.signing_code else None

    @property
    def is_open(self) -> bool:
        return self.row.state == "open" and self.now < self.row.expires_at

    @property
    def intact(self) -> bool:
        """Every item on this page has the bytes that were frozen, but for those of people who were erased since."""
        return all(one.draft is not None or one.erased for one in self.shown)

    @property
    def may_sign(self) -> bool:
        return self.visitor.user_id in self.asked.signers and not self.visitor.is_one_of(self.asked.authors)

    @property
    def sample_seen(self) -> int:
        return min(self.asked.viewed_group_items(self.visitor.user_id), self.asked.sample_needed)

    @property
    def signing_code(self) -> str | None:
        ready = self.is_open and self.intact and self.may_sign and self.asked.hindrance is None
        return self.row.signing_code if ready and self.sample_seen >= self.asked.sample_needed else None

    @property
    def individual(self) -> list[ShownItem]:
        return [one for one in self.shown if one.item.individual]

    @property
    def group(self) -> list[ShownItem]:
        return [one for one in self.shown if not one.item.individual]

    @property
    def first_group_page(self) -> int:
        """The first page with an item of the group on it."""
        return sum(item.individual for item in self.asked.items) // ITEMS_PER_PAGE + 1


def list_page(workspace: Workspace, list_id: str, page: int, visitor: Visitor, now: datetime) -> ListPage:
    """One page of a list for one visitor, recorded as seen. Raises ``NoSuchList`` and ``NotYours``.

    ``page`` counts from 1; one past the end is the last.
    """
    with workspace.ledger.begin() as conn:
        row = lists.list_of(conn, list_id)
        if row is None:
            raise NoSuchList
        role = seen_as(conn, workspace.owners, list_id, visitor.user_id)
        if role is None:
            audit.write(conn, at=now, actor=visitor.user_id, action="list_page_refused", subject=list_id, details={})
        else:
            items = lists.items_of(conn, list_id)
            decided_in = views.deciding_runs(conn, list_id)
            verdicts = questions.verdicts_of(conn, list_id)
    if role is None:
        raise NotYours
    pages = max(1, -(-len(items) // ITEMS_PER_PAGE))
    page = min(page, pages)
    on_page = items[(page - 1) * ITEMS_PER_PAGE : page * ITEMS_PER_PAGE]
    drafts = _drafts(workspace, row, on_page)
    edit = _edit(workspace, row)
    reasons = _reasons(workspace, on_page, decided_in, row.channel)
    with workspace.ledger.begin() as conn:
        gone = {i.customer_id for i in on_page if erasures.erasure_of(conn, i.customer_id)}
    shown = [
        ShownItem(
            i, drafts.get(i.touch_id), reasons.get(i.customer_id, ()), verdicts.get(i.touch_id),
            erased=i.touch_id not in drafts and i.customer_id in gone,
        )
        for i in on_page
    ]  # fmt: skip
    with workspace.ledger.begin() as conn:
        _record_view(conn, row, shown, visitor, role=role, now=now)
        question_id = questions.question_ids_of_lists(conn).get(list_id)
        about = accounts.question_of_list(conn, list_id)
        return ListPage(
            row=row, playbook=_playbook(workspace, row), asked=asked_list(workspace, conn, row),
            request=questions.request_of(conn, question_id) if question_id else None, visitor=visitor,
            seen_as=role, shown=shown, page=page, pages=pages, now=now,
            brief=_brief(workspace, conn, about), edit=edit, about=None if about is None else about.question_id,
            paused=pausing.of_list(workspace, conn, row),
        )  # fmt: skip


def _brief(workspace: Workspace, conn: Connection, about: AccountQuestion | None) -> Brief | None:
    """The review brief of the account a list is about; none for a list about customers."""
    if about is None:
        return None
    return brief_of(workspace, conn, about.playbook, about.account_id, run_id=about.run_id, personal=True)


def _edit(workspace: Workspace, row: ListRow) -> ShownEdit | None:
    """The message in its owner's words that a list is about or could be answered with."""
    with workspace.ledger.begin() as conn:
        places = edit_of(conn, row)
    if places is None:
        return None
    before, after = (
        next(iter(_rows(workspace, run_id, "drafts", "touch_id", [places.edit.touch_id])), None)
        for run_id in (places.before_run, places.edit.edit_id)
    )
    return shown_edit(places, before, after)


def _drafts(workspace: Workspace, row: ListRow, items: Iterable[ListItem]) -> dict[str, Mapping[str, Any]]:
    """The drafts of those items whose bytes are exactly what was frozen, by touch id."""
    frozen = {item.touch_id: item.draft_digest for item in items}
    return {
        draft["touch_id"]: draft
        for draft in _rows(workspace, row.run_id, "drafts", "touch_id", frozen)
        if item_digest(draft) == frozen[draft["touch_id"]]
    }


def _reasons(
    workspace: Workspace, items: Iterable[ListItem], decided_in: Mapping[str, str], channel: str
) -> dict[str, Sequence[Fact]]:
    """Why each customer was chosen, by customer id, from the decisions of the run that enrolled him."""
    by_run: dict[str, list[str]] = {}
    for item in items:
        if item.customer_id in decided_in:
            by_run.setdefault(decided_in[item.customer_id], []).append(item.customer_id)
    return {
        decision["customer_id"]: why(decision, channel, workspace.rules.gates)
        for run_id, customers in by_run.items()
        for decision in _rows(workspace, run_id, "decisions", "customer_id", customers)
    }


def _rows(workspace: Workspace, run_id: str, file: str, key: str, wanted: Iterable[str]) -> list[dict[str, Any]]:
    """Those rows of a file of a run; none when the file is gone or is not what the manifest says."""
    try:
        table = workspace.run_folder(run_id).read(file)
    except EvidenceError:
        return []
    chosen = table.filter(pc.is_in(table[key], value_set=pa.array(list(wanted), pa.string())))
    return list(chosen.to_pylist())


def _record_view(
    conn: Connection, row: ListRow, shown: Sequence[ShownItem], visitor: Visitor, *, role: str, now: datetime
) -> None:
    """Every look is audited; a view row is added only for items this user had not seen before. An erased one counts as
    seen: there is nothing more to look at."""
    revealed = [one.item.touch_id for one in shown if one.draft]
    seen = [one.item.touch_id for one in shown if one.draft or one.erased]
    before = views.views_of(conn, row.list_id).get(visitor.user_id, frozenset())
    if not before.issuperset(seen):
        views.insert_view(
            conn, view_id=str(uuid4()), list_id=row.list_id, user_id=visitor.user_id, touch_ids=seen, now=now
        )
    audit.write(
        conn, at=now, actor=visitor.user_id, action="list_page_seen", subject=row.list_id,
        details={"as": role, "addresses_revealed": len(revealed), "touch_ids": seen},
    )  # fmt: skip


def _playbook(workspace: Workspace, row: ListRow) -> Playbook | None:
    try:
        return workspace.playbook(row.playbook).playbook
    except (DeclarationError, ConfigurationError):
        return None
