"""The rows a readiness report concerns, and what its snapshot set aside: ids and places, page by page.

There may be hundreds of thousands. A page takes its own rows out of the file, and nothing is left out of the pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reactivation import paths
from reactivation.evidence import Folder, query
from reactivation.readiness.conditions import conditions
from reactivation.steps.readiness import ROWS
from reactivation.steps.workspace import Workspace
from reactivation.web.auth import Visitor
from reactivation.web.reasons import words
from reactivation.web.subjects import Kind, find

ROWS_PER_PAGE = 200
QUARANTINE = "quarantine"


@dataclass(frozen=True)
class Choice:
    """Something the rows can be narrowed to: its words, its part of the address, and how many rows it has."""

    label: str
    asked: Mapping[str, str]
    rows: int


@dataclass(frozen=True)
class RowsPage:
    """One page of rows. ``kept`` is false for a report from before its rows were kept; ``asked`` narrows them."""

    visitor: Visitor
    kind: Kind
    subject_id: str
    listed: str
    title: str
    asked: Mapping[str, str]
    choices: Sequence[Choice]
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    total: int
    page: int
    pages: int
    kept: bool = True


def concerned_counts(folder: Folder) -> dict[tuple[str, str], int]:
    """How many rows a report names, by condition and subject; none when they were not kept."""
    if not folder.has(ROWS):
        return {}
    found = query(folder, paths.sql("concerned_counts"), only=(ROWS,)).to_pylist()
    return {(one["condition"], one["subject"]): one["rows"] for one in found}


def quarantined_counts(folder: Folder) -> list[dict[str, Any]]:
    """How many broken values each table of a snapshot has, and in how many rows."""
    return list(query(folder, paths.sql("quarantined_counts"), only=(QUARANTINE,)).to_pylist())


def concerned_page(
    workspace: Workspace, kind: Kind, subject_id: str, visitor: Visitor, *, condition: str | None, subject: str | None,
    page: int,
) -> RowsPage:  # fmt: skip
    """One page of the rows concerned. ``page`` counts from 1; one past the end is the last. Raises ``NoSuchReport``."""
    with workspace.ledger.begin() as conn:
        about = find(workspace, conn, kind, subject_id)
    counts = concerned_counts(about.folder)
    total = sum(n for (of, at), n in counts.items() if condition in (None, of) and subject in (None, at))
    wanted = {"condition": condition, "subject": subject}
    page, pages = _place(page, total)
    return RowsPage(
        visitor=visitor,
        kind=kind,
        subject_id=subject_id,
        listed="rows",
        title="Rows concerned" if condition is None else _title(condition),
        asked=_given(wanted),
        choices=[
            Choice(f"{_title(of)}: {words(at)}", {"condition": of, "subject": at}, n) for (of, at), n in counts.items()
        ],
        columns=("key", "subject", "condition", "severity"),
        rows=_rows(about.folder, ROWS, "concerned_rows", wanted, page) if total else [],
        total=total,
        page=page,
        pages=pages,
        kept=about.names_rows,
    )


def quarantine_page(
    workspace: Workspace, kind: Kind, subject_id: str, visitor: Visitor, *, table: str | None, page: int
) -> RowsPage:
    """One page of what the snapshot set aside, of one table or of all. Raises ``NoSuchReport``."""
    with workspace.ledger.begin() as conn:
        about = find(workspace, conn, kind, subject_id)
    counts = {one["table"]: one["values"] for one in quarantined_counts(about.snapshot_folder)}
    total = sum(n for of, n in counts.items() if table in (None, of))
    page, pages = _place(page, total)
    return RowsPage(
        visitor=visitor,
        kind=kind,
        subject_id=subject_id,
        listed=QUARANTINE,
        title="Rows set aside",
        asked=_given({"table": table}),
        choices=[Choice(words(of), {"table": of}, n) for of, n in counts.items()],
        columns=("key", "table", "row", "column", "reason"),
        rows=_rows(about.snapshot_folder, QUARANTINE, "quarantined_rows", {"table": table}, page) if total else [],
        total=total,
        page=page,
        pages=pages,
    )


def _place(page: int, total: int) -> tuple[int, int]:
    """The page that can be shown, and how many there are."""
    pages = max(1, -(-total // ROWS_PER_PAGE))
    return min(page, pages), pages


def _rows(folder: Folder, file: str, sql: str, wanted: Mapping[str, str | None], page: int) -> list[dict[str, Any]]:
    span = {"most": ROWS_PER_PAGE, "skipped": (page - 1) * ROWS_PER_PAGE}
    return list(query(folder, paths.sql(sql), {**wanted, **span}, only=(file,)).to_pylist())


def _given(wanted: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in wanted.items() if value is not None}


def _title(condition: str) -> str:
    declared = conditions().get(condition)
    return declared.title if declared else words(condition).capitalize()
