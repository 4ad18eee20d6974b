"""Writing the tables: text as real exports look, or Parquet, one file per table, chunk after chunk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from reactivation.contract.tables import TABLES, Table

Format = Literal["csv", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "parquet")
LIST_SEPARATOR = "|"
WINDOWS_EXPORT = "accounts"
"""The table whose CSV comes from a spreadsheet: byte order mark, CRLF."""
_BOM = b"\xef\xbb\xbf"
_OPTIONS = pacsv.WriteOptions(include_header=False, quoting_style="needed")


class TableFile:
    """One table on disk, written in chunks. Close it to finish the file."""

    def __init__(self, folder: Path, table: Table, format_: Format) -> None:
        self.path = folder / f"{table.name}.{format_}"
        self._windows = format_ == "csv" and table.name == WINDOWS_EXPORT
        self._parquet: pq.ParquetWriter | None = None
        if format_ == "parquet":
            # Spoilt rows have empty keys, so no column may be declared non-nullable.
            self._schema = pa.schema([pa.field(f.name, f.type) for f in table.schema])
            self._parquet = pq.ParquetWriter(self.path, self._schema, compression="snappy", write_statistics=True)
        else:
            self._file = self.path.open("wb")
            header = (",".join(table.schema.names) + "\n").encode()
            self._file.write(_BOM + header.replace(b"\n", b"\r\n") if self._windows else header)

    def write(self, chunk: pa.Table) -> None:
        """Append typed rows (Parquet) or rows of text (CSV)."""
        if self._parquet is not None:
            self._parquet.write_table(chunk.cast(self._schema))
            return
        if chunk.num_rows == 0:
            return
        buffer = pa.BufferOutputStream()
        pacsv.write_csv(chunk, buffer, _OPTIONS)
        text = buffer.getvalue().to_pybytes()
        self._file.write(text.replace(b"\n", b"\r\n") if self._windows else text)

    def close(self) -> None:
        if self._parquet is not None:
            self._parquet.close()
        else:
            self._file.close()


def as_text(chunk: pa.Table) -> pa.Table:
    """Every column as an export would print it: ISO instants in UTC, plain amounts, lists joined by ``|``."""
    return pa.table({field.name: _text(chunk.column(field.name), field.type) for field in chunk.schema})


def replace_files(written: Path, out: Path, last: str) -> None:
    """Move finished files into ``out``, ``last`` at the end, and drop tables of an earlier sample in another format."""
    paths = sorted(written.iterdir(), key=lambda path: (path.name == last, path.name))
    for path in paths:
        path.replace(out / path.name)
    fresh = {path.name for path in paths}
    for table in TABLES:
        for other in FORMATS:
            if f"{table}.{other}" not in fresh:
                (out / f"{table}.{other}").unlink(missing_ok=True)


def write_text(folder: Path, files: Mapping[str, str]) -> None:
    """Write small text files."""
    for name, text in files.items():
        (folder / name).write_bytes(text.encode())


def _text(column: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_string(type_):
        return column
    if pa.types.is_timestamp(type_):
        seconds = column.cast(pa.timestamp("s", tz="UTC")).cast(pa.string())
        return pc.binary_replace_slice(seconds, 10, 11, "T")
    if pa.types.is_decimal(type_):
        return pc.replace_substring_regex(column.cast(pa.decimal128(18, 4)).cast(pa.string()), "00$", "")
    if pa.types.is_list(type_):
        return pc.binary_join(column, LIST_SEPARATOR)
    return column.cast(pa.string())
