"""The rows of a query as columns."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Select

_AT_ONCE = 10_000


def table_of(conn: Connection, wanted: Select[Any], schema: pa.Schema) -> pa.Table:
    """The rows of a query whose columns are those of ``schema``, in their order.

    Fetched some at a time: as rows they take many times the room that they take as columns.
    """
    found = conn.execute(wanted, execution_options={"yield_per": _AT_ONCE})
    batches = [
        pa.record_batch(
            [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), schema, strict=True)],
            schema=schema,
        )
        for rows in found.partitions()
    ]
    return pa.Table.from_batches(batches, schema).combine_chunks()
