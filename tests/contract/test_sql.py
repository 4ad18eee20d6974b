"""The queries of ``include/sql``: what no query may say, so that the same rows always give the same answer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reactivation import paths

QUERIES = sorted(paths.SQL.glob("*.sql"))
#: Aggregates that answer with whichever row comes first (ARCHITECTURE.md, invariant 9).
AMBIGUOUS = re.compile(r"\b(mode|first|last|any_value|arbitrary|arg_max|arg_min|max_by|min_by)\s*\(", re.IGNORECASE)
GREATEST = re.compile(r"\bmax\s*\(\s*\{", re.IGNORECASE)
FILTERED = re.compile(r"\bmax\s*\(\s*\{[^{}]*\}\s*\)\s*FILTER\b", re.IGNORECASE)
#: Read rows that always have what is compared first: an invoice or purchase its instant, a count its number.
NEVER_NULL = {"history_customers", "retail_customers", "retail_goods", "retail_purchases"}


def code_of(query: Path) -> str:
    """The query without its comments."""
    return re.sub(r"--.*", "", query.read_text(encoding="utf-8"))


def test_there_are_queries() -> None:
    """Whoever moves them finds these tests."""
    assert len(QUERIES) > 50


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.stem)
def test_no_aggregate_is_ambiguous(query: Path) -> None:
    """Ties are decided by the query, not by the order of rows."""
    assert AMBIGUOUS.findall(code_of(query)) == []


@pytest.mark.parametrize("query", [one for one in QUERIES if one.stem not in NEVER_NULL], ids=lambda query: query.stem)
def test_greatest_struct_says_which_rows_it_is_of(query: Path) -> None:
    """A NULL inside a struct ranks highest: without a FILTER a row of nothing would win."""
    text = code_of(query)
    assert len(GREATEST.findall(text)) == len(FILTERED.findall(text))
