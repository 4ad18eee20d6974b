"""Rows in one parameter, as a table that a statement reads: however many there are, it is one statement, sent once.

A row at a time, a database takes longer to be told than to write (``make bench``: sends). For a batch, not for a run's
hundred thousands: those are ``bulk``'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    FromClause,
    Insert,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
    true,
)  # fmt: skip
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from reactivation.ledger.types import UtcDateTime

_ROWS = "given_rows"


class _Rows(TypeDecorator[Sequence[Mapping[str, Any]]]):
    """Rows as JSON, with instants in the database's words."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[Mapping[str, Any]] | None, dialect: Dialect) -> str:
        in_words = UtcDateTime().bind_processor(dialect) or (lambda at: at)

        def plain(one: object) -> str:
            if not isinstance(one, datetime):
                raise TypeError(f"{type(one).__name__} is in no column of rows that are given in one parameter")
            return str(in_words(one))

        return json.dumps(value, default=plain, separators=(",", ":"))


@cache
def given(dialect: str, target: Table, names: tuple[str, ...]) -> FromClause:
    """Rows with some columns of a table (texts, instants, JSON); pass them as what ``named`` makes of them."""
    rows = bindparam(_ROWS, type_=_Rows())
    columns = [column(name, target.c[name].type) for name in names]
    if dialect == "postgresql":
        return func.json_to_recordset(cast(rows, JSON)).table_valued(*columns).render_derived("given", with_types=True)
    each = func.json_each(rows).table_valued("value", name="each")
    read = [func.json_extract(each.c.value, f"$.{one.name}", type_=one.type).label(one.name) for one in columns]
    return select(*read).subquery("given")


def named(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The parameter of a statement that reads ``given`` rows."""
    return {_ROWS: rows}


def enter(
    conn: Connection, target: Table, rows: Sequence[Mapping[str, Any]], *, ignore_repeats: bool = False
) -> int:  # fmt: skip
    """Insert rows in the order given, all with the same columns; returns how many are new.

    ``ignore_repeats``: a row whose key is there already is nothing new.
    """
    if not rows:
        return 0
    statement = _entering(conn.dialect.name, target, tuple(rows[0]), ignore_repeats)
    return conn.execute(statement, named(rows)).rowcount


@cache
def _entering(dialect: str, target: Table, names: tuple[str, ...], ignore_repeats: bool) -> Insert:
    read = select(*given(dialect, target, names).c).where(true())  # SQLite takes ON CONFLICT for a join's otherwise
    own = postgresql if dialect == "postgresql" else sqlite
    entering: postgresql.Insert | sqlite.Insert = own.insert(target).from_select(list(names), read)
    entering = entering.on_conflict_do_nothing() if ignore_repeats else entering
    return entering.execution_options(preserve_rowcount=True)
