"""Many rows at once: columns in, one statement per database's fast way.

Measured on two cores, one million measurement events: 4 s on SQLite, 9 s on PostgreSQL (``tests/bench``); row by row
through SQLAlchemy it is thirty.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from sqlalchemy import JSON, Boolean, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from reactivation.ledger.types import Money, UtcDateTime

_SLICE = 50_000


def insert_table(conn: Connection, target: Table, rows: pa.Table, *, ignore_repeats: bool = False) -> int:
    """Insert an Arrow table whose columns are named like ``target``'s; returns how many rows are new.

    Lists and structs become JSON. ``ignore_repeats``: a row whose primary key is there already is nothing new.
    """
    if rows.num_rows == 0:
        return 0
    stored = pa.table({name: _stored(target, name, rows[name], conn.dialect.name) for name in rows.column_names})
    conflict = f"ON CONFLICT ({', '.join(c.name for c in target.primary_key)}) DO NOTHING" if ignore_repeats else ""
    if conn.dialect.name == "postgresql":
        return _copy(conn, target.name, stored, conflict)
    return _executemany(conn, target.name, stored, conflict)


def insert_if_new(conn: Connection, target: Table, row: Mapping[str, Any]) -> bool:
    """Insert one row, unless one that may stand there only once is there already; whether it was new."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    added = dialect.insert(target).values(**row).on_conflict_do_nothing()
    return conn.execute(added.returning(*target.primary_key)).first() is not None


def _stored(target: Table, name: str, values: pa.ChunkedArray, dialect: str) -> pa.ChunkedArray | pa.Array:
    """A column as its database keeps it (``ledger/types.py``)."""
    kind = target.c[name].type
    if isinstance(kind, UtcDateTime):
        zone = "+00" if dialect == "postgresql" else ""
        return pc.strftime(values.cast(pa.timestamp("us", tz="UTC")), format=f"%Y-%m-%d %H:%M:%S{zone}")
    if isinstance(kind, Money):
        return pa.array(
            [None if v is None else int(Decimal(v).scaleb(4).to_integral_exact()) for v in values.to_pylist()]
        )
    if isinstance(kind, JSON):
        return pa.array([json.dumps(v) for v in values.to_pylist()], pa.string())
    if isinstance(kind, Boolean):
        return values if dialect == "postgresql" else values.cast(pa.int8())
    return values


def _executemany(conn: Connection, name: str, rows: pa.Table, conflict: str) -> int:
    places = ", ".join("?" * rows.num_columns)
    statement = f"INSERT INTO {name} ({', '.join(rows.column_names)}) VALUES ({places}) {conflict}"  # noqa: S608
    new = 0
    for batch in rows.to_batches(max_chunksize=_SLICE):
        values = list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        new += conn.exec_driver_sql(statement, values).rowcount
    return new


def _copy(conn: Connection, name: str, rows: pa.Table, conflict: str) -> int:
    columns = ", ".join(rows.column_names)
    conn.exec_driver_sql(f"CREATE TEMP TABLE arriving ON COMMIT DROP AS SELECT {columns} FROM {name} LIMIT 0")  # noqa: S608
    cursor: Any = conn.connection.cursor()
    with cursor, cursor.copy(f"COPY arriving ({columns}) FROM STDIN (FORMAT csv)") as copy:
        for batch in rows.to_batches(max_chunksize=_SLICE):
            text = io.BytesIO()
            pyarrow.csv.write_csv(batch, text, pyarrow.csv.WriteOptions(include_header=False))
            copy.write(text.getbuffer())
    arrived = f"INSERT INTO {name} ({columns}) SELECT {columns} FROM arriving {conflict}"  # noqa: S608
    new = conn.exec_driver_sql(arrived).rowcount
    conn.exec_driver_sql("DROP TABLE arriving")
    return new
