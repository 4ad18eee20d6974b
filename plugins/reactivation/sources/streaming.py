"""The answer of a database made into a Parquet file, a batch at a time: no answer is ever held whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, Executable, Row

from reactivation.evidence import open_engine
from reactivation.evidence.engine import quoted
from reactivation.evidence.parquet import write_parquet

_AT_ONCE = 20_000
_MEMORY = "1GB"


def read_into(
    path: Path, connection: Connection, query: Executable, parameters: Mapping[str, Any], schema: pa.Schema
) -> None:
    """Runs a query with a cursor of the server's and writes its rows, columns in the order of ``schema``."""
    with connection.execution_options(yield_per=_AT_ONCE).execute(query, dict(parameters)) as result:
        batches = (_batch(rows, schema) for rows in result.partitions(_AT_ONCE))
        write_parquet(path, pa.RecordBatchReader.from_batches(schema, batches), schema)


def in_order(path: Path, work: Path) -> None:
    """Puts the rows of a file in an order that does not depend on how the database keeps them."""
    ordered = path.with_suffix(".ordered")
    with open_engine(spill=work, memory=_MEMORY) as engine:
        rows = engine.sql(f"FROM read_parquet({quoted(str(path))}) ORDER BY ALL").to_arrow_reader()
        write_parquet(ordered, rows, pq.read_schema(path))
    ordered.replace(path)


def _batch(rows: Sequence[Row[Any]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.record_batch(
        [_array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def _array(column: Sequence[object], type_: pa.DataType) -> pa.Array:
    try:
        return pa.array(column, type_)
    except (pa.ArrowTypeError, pa.ArrowInvalid):  # a driver that gives its own types, where SQL did not make texts
        return pa.array([None if value is None else _text(value) for value in column], pa.string()).cast(type_)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "|".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
