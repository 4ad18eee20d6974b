# ruff: noqa: S608 - SQL is made of names of the tests only
"""Databases for tests of sources: rows of ``tests.builders`` as tables of SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine, create_engine, text
from tests.builders import AS_OF, Row, tables

from reactivation.contract.tables import FLAG, MONEY, TABLES, TIME, WHOLE

TYPES: Mapping[pa.DataType, str] = {FLAG: "BOOLEAN", WHOLE: "BIGINT", TIME: "TIMESTAMPTZ", MONEY: "NUMERIC(18, 4)"}


def write_database(
    engine: Engine, *, as_of: datetime | None = AS_OF, schema: str | None = None, only: Sequence[str] | None = None,
    **replaced: Sequence[Row] | None,
) -> Engine:  # fmt: skip
    """Writes the six customers as tables, like ``write_source``; ``only`` names the tables wanted."""
    with engine.begin() as connection:
        if schema:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        prefix = f"{schema}." if schema else ""
        if as_of is not None:
            connection.execute(text(f"CREATE TABLE {prefix}source_says (as_of {TYPES[TIME]})"))
            connection.execute(text(f"INSERT INTO {prefix}source_says VALUES (:at)"), {"at": as_of.isoformat()})
        for name, rows in (tables() | replaced).items():
            if rows is None or (only is not None and name not in only):
                continue
            columns = list(rows[0]) if rows else [column.name for column in TABLES[name].columns]
            types = {column.name: column.type for column in TABLES[name].columns}
            typed = ", ".join(f"{column} {_type(types.get(column), rows, column)}" for column in columns)
            connection.execute(text(f"CREATE TABLE {prefix}{name} ({typed})"))
            places = ", ".join(f":{column}" for column in columns)
            if rows:
                connection.execute(
                    text(f"INSERT INTO {prefix}{name} VALUES ({places})"),
                    [{column: _value(row.get(column)) for column in columns} for row in rows],
                )
    return engine


def sqlite(file: Any) -> Engine:
    """An engine on a file."""
    return create_engine(f"sqlite:///{file}")


def _type(type_: pa.DataType | None, rows: Sequence[Row], column: str) -> str:
    """The column's type, or text where a row has something that is none."""
    fits = {FLAG: bool, WHOLE: int, TIME: datetime, MONEY: Decimal}.get(type_, str)
    values = [row.get(column) for row in rows if row.get(column) is not None]
    return TYPES.get(type_, "TEXT") if all(isinstance(value, fits) for value in values) else "TEXT"


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(sep=" ")
    if isinstance(value, Decimal):
        return str(value)
    return "|".join(value) if isinstance(value, list) else value
