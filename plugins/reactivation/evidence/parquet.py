"""Parquet written so that the same rows give the same bytes, however they arrive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_PER_GROUP = 131_072

#: A column of ids outgrows it at once and is written as it is: smaller and faster than a dictionary of them all.
_DICTIONARY = 64 * 1024


def write_parquet(
    path: Path, rows: pa.Table | pa.RecordBatchReader, schema: pa.Schema, *, rows_per_group: int = ROWS_PER_GROUP
) -> int:
    """Writes rows, in their order, under exactly ``schema``; returns how many. Holds one row group in memory.

    Row groups are cut by count alone: neither the sizes of incoming batches nor the number of threads that made them
    show in the bytes. Rows of many kilobytes each are written in smaller groups.
    """
    written = 0
    with pq.ParquetWriter(
        path, schema, version="2.6", compression="zstd", compression_level=1, dictionary_pagesize_limit=_DICTIONARY
    ) as writer:
        for group in _groups(rows, rows_per_group):
            writer.write_table(group.select(schema.names).cast(schema).combine_chunks(), row_group_size=rows_per_group)
            written += len(group)
    return written


def _groups(rows: pa.Table | pa.RecordBatchReader, size: int) -> Iterator[pa.Table]:
    batches = rows.to_batches() if isinstance(rows, pa.Table) else rows
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += len(batch)
        while count >= size:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, size)
            waiting = table.slice(size).to_batches()
            count -= size
    if count:
        yield pa.Table.from_batches(waiting)
