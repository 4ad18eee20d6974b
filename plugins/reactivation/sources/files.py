# ruff: noqa: S608 - SQL is made of contract names and quoted names only
"""One file as rows of raw values, whatever its format, read by DuckDB without holding it.

CSV and JSON lines give texts; Parquet gives its own types. A broken file raises ``SourceError`` with the place and the
fix; DuckDB's own message is dropped, because it quotes the row.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from reactivation.contract.tables import Table
from reactivation.evidence.engine import quoted
from reactivation.sources.base import Told
from reactivation.sources.errors import SourceError
from reactivation.sources.matching import matched

_BOM = b"\xef\xbb\xbf"
_DELIMITERS = ",;\t|"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class RawFile:
    """The SQL to read one file by. ``types`` are DuckDB's, by contract column; ``unknown`` are the other columns;
    ``shown`` is what the manifest calls it.

    ``relation`` has the file's rows and ``number`` says which one (from 1); of them ``columns`` are the contract's, and
    ``as_json`` is the whole row as text, of ``whole`` where that is another relation. ``in_order`` is a query for
    ``columns`` alone, where counting would keep DuckDB from reading with more than one thread."""

    table: Table
    path: Path
    relation: str
    number: str
    columns: str
    as_json: str
    in_order: str | None
    types: dict[str, str]
    unknown: tuple[str, ...]
    shown: str = ""
    whole: str | None = None

    def scan(self, only: str | None = None) -> str:
        """A query for ``row`` and the contract columns the file has; ``only`` is one for the rows that are wanted."""
        return f"SELECT {self.number} AS row, {self.columns} FROM {self.relation}{self._where(only)}"

    def originals(self, only: str) -> str:
        """A query for ``row`` and ``original``, the whole row as JSON text, of the rows that ``only`` asks for."""
        relation = self.whole or self.relation
        return f"SELECT {self.number} AS row, {self.as_json} AS original FROM {relation}{self._where(only)}"

    def _where(self, only: str | None) -> str:
        return "" if only is None else f" WHERE {self.number} IN ({only})"

    @property
    def numbers_rows(self) -> bool:
        """Whether the file itself knows which row is which, so that some of them can be read with every thread."""
        return self.in_order is None

    @property
    def missing(self) -> tuple[str, ...]:
        """Contract columns the file does not have."""
        return tuple(column.name for column in self.table.columns if column.name not in self.types)


def open_told(engine: duckdb.DuckDBPyConnection, table: Table, told: Told, work: Path) -> RawFile:
    """What a source told of a table, its columns known. Raises ``SourceError`` as ``open_file`` does."""
    raw = open_file(engine, table, told.path, work)
    return replace(raw, shown=told.shown, unknown=tuple(sorted({*raw.unknown, *told.unknown})))


def open_file(engine: duckdb.DuckDBPyConnection, table: Table, path: Path, work: Path) -> RawFile:
    """The file of a table, its columns known. Raises ``SourceError`` if it is broken or has no column of the table."""
    if path.suffix == ".parquet":
        return _parquet(engine, table, path)
    if path.stat().st_size <= len(_BOM) and path.read_bytes() in (b"", _BOM):
        # Nothing at all, not even a header: present, without rows and without columns.
        return RawFile(table, path, _EMPTY, "number", "original", "original", None, {}, ())
    if path.suffix == ".jsonl":
        return _json_lines(engine, table, path, work)
    return _csv(table, path, work)


_EMPTY = "(SELECT 0::BIGINT AS number, ''::VARCHAR AS original WHERE false)"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns DuckDB's refusal of a file into ``SourceError``."""
    try:
        yield
    except (duckdb.InvalidInputException, duckdb.IOException, duckdb.ConversionException) as error:
        # ``from None``: the original quotes the row, and rows are personal.
        raise SourceError(f"{path.name} {_explained(path, str(error))}") from None


def _csv(table: Table, path: Path, work: Path) -> RawFile:
    path = _one_line_end(path, work)
    header, delimiter = _header(path)
    fields, unknown = matched(table, path.name, header)
    names = [f"c{position}" for position in range(len(header))]
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    relation = (
        f"read_csv({quoted(str(path))}, auto_detect = false, header = true, delim = {quoted(delimiter)}, quote = '\"', "
        f"escape = '\"', nullstr = '', strict_mode = true, columns = {{{columns}}})"
    )
    written = ", ".join(f"{quoted(title)}, {name}" for title, name in zip(header, names, strict=True))
    return RawFile(
        table,
        path,
        f"(SELECT row_number() OVER () AS number, * FROM {relation})",
        "number",
        _renamed(fields, names),
        f"CAST(json_object({written}) AS VARCHAR)",
        f"SELECT {_renamed(fields, names)} FROM {relation}",
        dict.fromkeys(fields, "VARCHAR"),
        unknown,
    )


def _json_lines(engine: duckdb.DuckDBPyConnection, table: Table, path: Path, work: Path) -> RawFile:
    path = _without_bom(path, work)
    objects = f"read_ndjson_objects({quoted(str(path))})"
    with reading(path):
        ((odd,),) = engine.sql(f"SELECT count(*) FROM {objects} WHERE json_type(json) <> 'OBJECT'").fetchall()
        keys = engine.sql(f"SELECT DISTINCT unnest(json_keys(json)) AS key FROM {objects} ORDER BY key").fetchall()
    if odd:
        raise SourceError(f"{path.name} has {odd} lines that are no JSON object; write one object per line")
    titles = [key for (key,) in keys]
    fields, unknown = matched(table, path.name, titles)
    columns = ", ".join(f"{quoted(titles[position])}: 'VARCHAR'" for position in fields.values())
    relation = f"read_ndjson({quoted(str(path))}, columns = {{{columns}}})"
    return RawFile(
        table,
        path,
        f'(SELECT row_number() OVER () AS "row number!", * FROM {relation})',
        '"row number!"',
        _renamed(fields, titles),
        "CAST(json AS VARCHAR)",
        f"SELECT {_renamed(fields, titles)} FROM {relation}",
        dict.fromkeys(fields, "VARCHAR"),
        unknown,
        whole=f'(SELECT row_number() OVER () AS "row number!", json FROM {objects})',
    )


def _parquet(engine: duckdb.DuckDBPyConnection, table: Table, path: Path) -> RawFile:
    relation = f"read_parquet({quoted(str(path))}, file_row_number = true)"
    with reading(path):
        described = engine.sql(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {relation}").fetchall()
    titles, types = [row[0] for row in described], [row[1] for row in described]
    fields, unknown = matched(table, path.name, titles)
    return RawFile(
        table,
        path,
        relation,
        "(file_row_number + 1)",
        _renamed(fields, titles),
        f"CAST(to_json(struct_pack({_packed(titles)})) AS VARCHAR)",
        None,
        {column: types[position] for column, position in fields.items()},
        unknown,
    )


def _renamed(fields: dict[str, int], titles: Sequence[str]) -> str:
    return ", ".join(f"{_identifier(titles[position])} AS {column}" for column, position in fields.items())


def _packed(titles: Sequence[str]) -> str:
    return ", ".join(f"{_identifier(title)} := {_identifier(title)}" for title in titles)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _header(path: Path) -> tuple[list[str], str]:
    # Bytes that are no UTF-8 may come into view with the first line; only those in it are the header's.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        line = file.readline()
        delimiter = max(_DELIMITERS, key=line.count)
        file.seek(0)
        try:
            header = next(csv.reader(file, delimiter=delimiter, strict=True))
            "".join(header).encode()
        except (UnicodeEncodeError, csv.Error, StopIteration):
            raise SourceError(
                f"{path.name} line 1 cannot be read as a CSV header; save the file as CSV in UTF-8"
            ) from None
    return header, delimiter


def _one_line_end(path: Path, work: Path) -> Path:
    """The file, or its copy with one kind of line end: DuckDB accepts no mixture, spreadsheets and scripts make one."""
    lines = windows = 0
    with path.open("rb") as file:
        last = b""
        while chunk := file.read(_CHUNK):
            lines += chunk.count(b"\n")
            windows += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
            last = chunk[-1:]
            if not windows and lines > _CHUNK:
                return path
    if not windows or windows == lines:
        return path
    work.mkdir(exist_ok=True)
    copy = work / path.name
    with path.open("rb") as file, copy.open("wb") as out:
        held = b""
        while chunk := file.read(_CHUNK):
            chunk = held + chunk
            held = b"\r" if chunk.endswith(b"\r") else b""
            out.write(chunk[: len(chunk) - len(held)].replace(b"\r\n", b"\n"))
        out.write(held)
    return copy


def _without_bom(path: Path, work: Path) -> Path:
    with path.open("rb") as file:
        if file.read(len(_BOM)) != _BOM:
            return path
        copy = work / path.name
        with copy.open("wb") as out:
            while chunk := file.read(_CHUNK):
                out.write(chunk)
    return copy


def _explained(path: Path, message: str) -> str:
    if path.suffix == ".parquet":
        return "is not a whole Parquet file (cut short, or something else); export it again"
    if path.suffix == ".jsonl":
        return f"{_bad_line(path)}; export the file again, one JSON object per line in UTF-8"
    found = re.search(r"CSV Error on Line: (\d+)", message)
    line = f"line {found[1]}" if found else "somewhere"
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if counts:
        return f"{line} has {counts[2]} columns, the header has {counts[1]}; the file may be cut short: export it again"
    if "unterminated quote" in message:
        return f"{line} opens a quoted value that is never closed; the file may be cut short: export it again"
    if "unicode" in message:
        return f"{line} is not UTF-8; save the file as CSV in UTF-8"
    return f"{line} cannot be read as CSV; save the file as CSV in UTF-8, values with separators in double quotes"


def _bad_line(path: Path) -> str:
    """Where a file of JSON lines breaks, found by reading it line by line: DuckDB counts lines per buffer."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                text = line.decode()
            except UnicodeDecodeError:
                return f"line {number} is not UTF-8"
            try:
                if text.strip():
                    json.loads(text)
            except ValueError:
                return f"line {number} is no JSON"
    return "cannot be read as JSON lines"
