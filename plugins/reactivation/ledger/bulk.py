"""Many rows at once: columns in, one statement per database's fast way.

``make bench`` has the figures; row by row through SQLAlchemy it takes several times as long.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from sqlalchemy import JSON, Boolean, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from reactivation.evidence import open_engine
from reactivation.evidence.engine import quoted
from reactivation.ledger.types import Money, UtcDateTime


@dataclass(frozen=True)
class Stored:
    """Many rows as their database keeps them, in the order they go in."""

    rows: pa.Table

    def __len__(self) -> int:
        return int(self.rows.num_rows)


Rows: TypeAlias = pa.Table | Sequence[Mapping[str, Any]] | Stored

_SLICE = 50_000
#: So few rows are not worth a statement of their own.
FEW = 1_000


def insert_rows(conn: Connection, target: Table, rows: Rows, *, ignore_repeats: bool = False) -> int:
    """Insert rows whose columns are named like ``target``'s; returns how many are new. An Arrow table is the fast way.

    Lists and structs become JSON. ``ignore_repeats``: a row whose primary key is there already is nothing new; else it
    is an ``IntegrityError``, like every other broken constraint.
    """
    if len(rows) == 0:
        return 0
    ready = stored(conn.dialect.name, target, rows)
    if not isinstance(ready, Stored):
        return _insert_few(conn, target, ready, ignore_repeats=ignore_repeats)
    conflict = f"ON CONFLICT ({', '.join(c.name for c in target.primary_key)}) DO NOTHING" if ignore_repeats else ""
    if conn.dialect.name == "postgresql":
        return _copy(conn, target.name, ready.rows, conflict)
    return _executemany(conn, target, ready.rows, conflict)


def stored(dialect: str, target: Table, rows: Rows, *, order: Sequence[str] = ()) -> Rows:
    """The rows as ``insert_rows`` would store them, so that this can be done beside other work; a few are left as they
    are. ``order``: columns to go by instead of the key's."""
    if isinstance(rows, Stored) or len(rows) <= FEW:
        return rows
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist([dict(row) for row in rows])
    # In the order of the key an index is filled page by page instead of all over the place.
    by = order or [column.name for column in target.primary_key]
    table = table.sort_by([(name, "ascending") for name in by if name in table.column_names])
    return Stored(pa.table({name: _stored(target, name, table[name], dialect) for name in table.column_names}))


def insert_if_new(conn: Connection, target: Table, row: Mapping[str, Any]) -> bool:
    """Insert one row, unless one that may stand there only once is there already; whether it was new."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    added = dialect.insert(target).values(**row).on_conflict_do_nothing()
    return conn.execute(added.returning(*target.primary_key)).first() is not None


def _insert_few(
    conn: Connection, target: Table, rows: pa.Table | Sequence[Mapping[str, Any]], *, ignore_repeats: bool
) -> int:
    """As the types of their columns say; what makes many rows fast takes longer than a few of them."""
    listed = rows.to_pylist() if isinstance(rows, pa.Table) else [dict(row) for row in rows]
    added = (postgresql if conn.dialect.name == "postgresql" else sqlite).insert(target)
    added = added.on_conflict_do_nothing() if ignore_repeats else added
    return conn.execute(added.execution_options(preserve_rowcount=True), listed).rowcount


def _stored(target: Table, name: str, values: pa.ChunkedArray, dialect: str) -> pa.ChunkedArray | pa.Array:
    """A column as its database keeps it (``ledger/types.py``)."""
    kind = target.c[name].type
    if isinstance(kind, UtcDateTime):
        return _as_texts(values, "+00" if dialect == "postgresql" else "")
    if isinstance(kind, Money):
        return pa.array(
            [None if v is None else int(Decimal(v).scaleb(4).to_integral_exact()) for v in values.to_pylist()]
        )
    if isinstance(kind, JSON):
        return _as_json(values)
    if isinstance(kind, Boolean):
        return values if dialect == "postgresql" else values.cast(pa.int8())
    return values


def _as_texts(instants: pa.ChunkedArray, zone: str) -> pa.Array:
    """Instants in the database's words: many rows of one step share few of them, and each is worded once."""
    encoded = instants.cast(pa.timestamp("us", tz="UTC")).combine_chunks().dictionary_encode()
    return pc.strftime(encoded.dictionary, format=f"%Y-%m-%d %H:%M:%S{zone}").take(encoded.indices)


def _executemany(conn: Connection, target: Table, rows: pa.Table, conflict: str) -> int:
    """Of many rows, what is the same in all is said once, in the statement: most of what enters on one day is."""
    keys = {column.name for column in target.primary_key}
    same = {
        name: _literal(rows[name][0].as_py()) for name in rows.column_names if name not in keys and _is_one(rows[name])
    }
    values = ", ".join(same.get(name, "?") for name in rows.column_names)
    statement = f"INSERT INTO {target.name} ({', '.join(rows.column_names)}) VALUES ({values}) {conflict}"  # noqa: S608
    new = 0
    for batch in rows.drop_columns(list(same)).to_batches(max_chunksize=_SLICE):
        given = list(zip(*(_listed(column) for column in batch.columns), strict=True))
        new += conn.exec_driver_sql(statement, given).rowcount
    return new


def _is_one(values: pa.ChunkedArray) -> bool:
    """Whether the same stands in every row; columns of ids differ at their ends already."""
    first, last = values[0], values[-1]
    if not first.is_valid:
        return int(values.null_count) == len(values)
    return last == first and bool(pc.all(pc.fill_null(pc.equal(values, first), False)).as_py())


def _listed(values: pa.Array) -> list[Any]:
    """Python's values; texts are most of them, and made several times as fast by way of NumPy."""
    return list(values.to_numpy(False).tolist()) if values.type == pa.string() else list(values.to_pylist())


def _literal(value: str | int | None) -> str:
    if value is None:
        return "NULL"
    return quoted(value) if isinstance(value, str) else str(value)


def _as_json(values: pa.ChunkedArray) -> pa.Array:
    with open_engine() as engine:
        engine.register("given", pa.table({"value": values}))
        texts = engine.sql("SELECT coalesce(CAST(to_json(value) AS VARCHAR), 'null') AS text FROM given")
        return texts.to_arrow_table()["text"].combine_chunks()


def _copy(conn: Connection, name: str, rows: pa.Table, conflict: str) -> int:
    """Straight into the table, or by way of a temporary one where there are repeats that are to be let pass: most often
    there are none."""
    try:
        with conn.begin_nested():
            _copy_into(conn, name, rows)
    except IntegrityError:
        if not conflict:
            raise
    else:
        return int(rows.num_rows)
    columns = ", ".join(rows.column_names)
    conn.exec_driver_sql(f"CREATE TEMP TABLE arriving ON COMMIT DROP AS SELECT {columns} FROM {name} LIMIT 0")  # noqa: S608
    _copy_into(conn, "arriving", rows)
    arrived = f"INSERT INTO {name} ({columns}) SELECT {columns} FROM arriving {conflict}"  # noqa: S608
    new = conn.exec_driver_sql(arrived).rowcount
    conn.exec_driver_sql("DROP TABLE arriving")
    return new


def _copy_into(conn: Connection, name: str, rows: pa.Table) -> None:
    statement = f"COPY {name} ({', '.join(rows.column_names)}) FROM STDIN (FORMAT csv)"
    cursor: Any = conn.connection.cursor()
    try:
        with cursor, cursor.copy(statement) as copy:
            for batch in rows.to_batches(max_chunksize=_SLICE):
                text = io.BytesIO()
                pyarrow.csv.write_csv(batch, text, pyarrow.csv.WriteOptions(include_header=False))
                copy.write(text.getbuffer())
    except psycopg.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error
