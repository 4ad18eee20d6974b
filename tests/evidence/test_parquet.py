"""Parquet whose bytes depend on the rows alone."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from reactivation.evidence.parquet import write_parquet

SCHEMA = pa.schema([("customer_id", pa.string()), ("purchases", pa.int64()), ("zones", pa.list_(pa.string()))])


def table(rows: int) -> pa.Table:
    """Customers with purchases and zones, some of them unknown."""
    return pa.table(
        {
            "customer_id": [f"c-{number:06}" for number in range(rows)],
            "purchases": [None if number % 7 == 0 else number % 5 for number in range(rows)],
            "zones": [["Europe/London"] if number % 3 else None for number in range(rows)],
        },
        schema=SCHEMA,
    )


class TestWriteParquet:
    @settings(max_examples=20, deadline=None)
    @given(cuts=st.lists(st.integers(0, 5000), max_size=6))
    def test_batches_do_not_show(self, tmp_path_factory, cuts: list[int]) -> None:  # noqa: ANN001
        """However the rows are cut into batches, the file is the same, byte for byte."""
        folder: Path = tmp_path_factory.mktemp("cuts")
        whole = table(5000)
        places = [0, *sorted(cuts), 5000]
        parts = [whole.slice(begin, end - begin) for begin, end in pairwise(places)]
        assert write_parquet(folder / "whole.parquet", whole, SCHEMA) == 5000
        batches = [batch for part in parts for batch in part.to_batches()]
        reader = pa.RecordBatchReader.from_batches(SCHEMA, batches)
        assert write_parquet(folder / "cut.parquet", reader, SCHEMA) == 5000
        assert (folder / "cut.parquet").read_bytes() == (folder / "whole.parquet").read_bytes()

    def test_row_groups_are_cut_by_count(self, tmp_path: Path) -> None:
        """Many rows are written group by group, and read back as they were."""
        assert write_parquet(tmp_path / "many.parquet", table(250), SCHEMA, rows_per_group=100) == 250
        assert [pq.ParquetFile(tmp_path / "many.parquet").metadata.row_group(n).num_rows for n in range(3)] == [
            100,
            100,
            50,
        ]
        assert pq.read_table(tmp_path / "many.parquet") == table(250)

    def test_the_schema_is_exactly_the_one_asked_for(self, tmp_path: Path) -> None:
        """Columns are put in order and cast; an empty table still has all of them."""
        loose = pa.table({"purchases": pa.array([1], pa.int32()), "zones": [["x"]], "customer_id": ["c"], "more": [1]})
        write_parquet(tmp_path / "loose.parquet", loose, SCHEMA)
        assert pq.read_schema(tmp_path / "loose.parquet").equals(SCHEMA)
        assert write_parquet(tmp_path / "none.parquet", SCHEMA.empty_table(), SCHEMA) == 0
        assert pq.read_table(tmp_path / "none.parquet") == SCHEMA.empty_table()
