"""Cells of files that are opened in a spreadsheet. Ids come from sources, so none may be taken for a formula."""

from __future__ import annotations

#: What a spreadsheet takes for the beginning of a formula, full-width signs included.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_CONTROL = ("\t", "\r", "\n")


def as_text(cell: str) -> str:
    """A cell that no spreadsheet computes: a sign that begins a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.startswith(_CONTROL) or cell.lstrip().startswith(_FORMULA) else cell
