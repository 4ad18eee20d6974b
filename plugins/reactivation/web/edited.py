"""A message in its owner's words as the page of its list shows it: before and after, part by part, and its bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from sqlalchemy import Connection

from reactivation.contract.digests import item_digest
from reactivation.ledger import edits, lists
from reactivation.ledger.edits import DraftEdit
from reactivation.ledger.lists import ListRow


@dataclass(frozen=True)
class Drafts:
    """Where the changed bytes are, and those before: run id and touch id; ``asks_second``: the list is about the
    changed ones."""

    edit: DraftEdit
    before_run: str
    asks_second: bool


@dataclass(frozen=True)
class ShownEdit:
    """``changes``: part, before and after; ``draft``: the changed message where it is what was proposed, ``before``
    where the other is still kept."""

    edit: DraftEdit
    asks_second: bool
    changes: Sequence[tuple[str, str, str]]
    draft: Mapping[str, Any] | None
    before: Mapping[str, Any] | None


def edit_of(conn: Connection, row: ListRow) -> Drafts | None:
    """The change a list is about, or the one that is proposed for its message; ``None`` without any."""
    approved = edits.of_run(conn, row.run_id)
    if approved is not None:
        before = lists.list_of(conn, approved.list_id)
        return None if before is None else Drafts(approved, before.run_id, asks_second=True)
    proposed = edits.newest_of_list(conn, row.list_id)
    return None if proposed is None else Drafts(proposed, row.run_id, asks_second=False)


def shown_edit(places: Drafts, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> ShownEdit:
    """The change, from the two drafts as far as they are kept."""
    whole = after is not None and item_digest(after) == places.edit.draft_digest
    changes = [] if before is None or after is None or not whole else list(_changes(before, after))
    return ShownEdit(places.edit, places.asks_second, changes, after if whole else None, before)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    if before["subject"] != after["subject"]:
        yield "Subject", before["subject"] or "", after["subject"] or ""
    old, new = _paragraphs(before["text"]), _paragraphs(after["text"])
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield "Text", " ".join(old[i:j]), " ".join(new[k:m])


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]
