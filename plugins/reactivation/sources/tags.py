"""The one thing of ours in a system of others: who bears our tags, in a table or a file that nothing else is in.

Nothing but this is ever written into a source: no consent, no address, no subscription. Nothing is remembered of the
last writing either: what is there is compared with what we say, so whoever is killed, or does it again, ends the same.

Source: PLAYBOOKS.md section 3 (tags are written back to the CRM, one-way, never a re-subscription).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    MetaData,
    String,
    Table,
    TableClause,
    bindparam,
    column,
    delete,
    insert,
    inspect,
    select,
    table,
    update,
)
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.schema import CreateTable
from upath import UPath

from reactivation import paths
from reactivation.contract.tables import TEXT, TIME
from reactivation.evidence import as_path, open_engine
from reactivation.evidence.building import alone, local_path, replacing
from reactivation.evidence.engine import quoted
from reactivation.sources.errors import SourceError
from reactivation.sources.refusals import writing
from reactivation.sources.streaming import read_into

NAME = "reactivation_tags"
FILE = f"{NAME}.csv"
#: A tag from when it was set until it was taken off; ``removed_at`` is empty while it stands.
SAID = pa.schema([("customer_id", TEXT), ("tag", TEXT), ("set_at", TIME), ("removed_at", TIME)])
#: The table as we ask for it. We never make or change one: what a CRM looks like is its owner's business.
WANTED = Table(
    NAME, MetaData(),
    Column("customer_id", String(80), primary_key=True),
    Column("tag", String(80), primary_key=True),
    Column("set_at", DateTime(timezone=True), primary_key=True),
    Column("removed_at", DateTime(timezone=True)),
)  # fmt: skip

_AT_ONCE = 500
_MEMORY = "1GB"
_STANDING = """SELECT customer_id, tag, strftime(set_at, '%Y-%m-%dT%H:%M:%SZ') AS set_at
FROM ours WHERE removed_at IS NULL ORDER BY ALL"""


class Tags(Protocol):
    """Where tags are written to."""

    def write(self, ours: Path, erased: Collection[str], work: Path) -> dict[str, int]:
        """Make it say what ``ours`` says, Parquet of ``SAID`` without the erased; returns counts, by what was done.
        ``work`` is an empty folder on this disk. Raises ``SourceError``."""


@dataclass(frozen=True)
class TagsFile:
    """A file of the tags that stand, in a folder or an object store; each time it is replaced whole."""

    folder: UPath

    def write(self, ours: Path, erased: Collection[str], work: Path) -> dict[str, int]:
        """See ``Tags``; counts the tags that stand. The erased are not in it: it is made of ``ours`` alone."""
        place = local_path(self.folder)
        if place is not None and not place.is_dir():
            raise SourceError(f"there is no folder {self.folder} to write {FILE} into; make it, or correct the setting")
        try:
            with _views(work, ours=ours) as engine, alone(self.folder), replacing(self.folder / FILE) as made:
                engine.execute(f"COPY ({_STANDING}) TO {quoted(str(made))} (FORMAT csv, HEADER)")
                ((count,),) = engine.sql("SELECT count(*) FROM ours WHERE removed_at IS NULL").fetchall()
        except (OSError, duckdb.IOException) as error:
            raise SourceError(
                f"{self.folder / FILE} cannot be written ({type(error).__name__}); let the process write there, or "
                "correct the setting"
            ) from error
        return {"tags_standing": int(count)}


@dataclass(frozen=True)
class TagsTable:
    """The table ``reactivation_tags`` of a database and, where it has several, of the schema in it."""

    engine: Engine
    name: str
    schema: str | None = None

    def write(self, ours: Path, erased: Collection[str], work: Path) -> dict[str, int]:
        """See ``Tags``; counts rows that are new, changed and, of the erased, taken out. Rows of nobody we know stay.

        A batch is one transaction: killed in between, the table has whole batches, and the next writing the rest.
        """
        shown, theirs = f"{self.name}: {f'{self.schema}.' if self.schema else ''}{NAME}", work / "theirs.parquet"
        counts = {"tags_new": 0, "tags_changed": 0, "tags_erased": 0}
        with writing(self.name, shown):
            with self.engine.connect() as connection:
                there = self._there(connection, shown)
                _read(theirs, connection, there, shown)
            with _views(work, ours=ours, theirs=theirs) as engine:
                engine.register("erased", pa.table({"customer_id": pa.array(sorted(erased), TEXT)}))
                gone = engine.sql("SELECT DISTINCT customer_id FROM theirs SEMI JOIN erased USING (customer_id)")
                for few in _batches(gone.to_arrow_reader(_AT_ONCE)):
                    counts["tags_erased"] += self._take_out(there, [row["customer_id"] for row in few])
                differ = engine.sql(paths.sql("tags_to_write"))
                for batch in _batches(differ.to_arrow_reader(_AT_ONCE)):
                    new = [row for row in batch if not row["there"]]
                    changed = [row for row in batch if row["there"]]
                    self._put(there, new, changed)
                    counts["tags_new"] += len(new)
                    counts["tags_changed"] += len(changed)
        return counts

    def _there(self, connection: Connection, shown: str) -> _There:
        wanted = WANTED.to_metadata(MetaData(), schema=self.schema) if self.schema else WANTED
        try:
            described = inspect(connection).get_columns(NAME, schema=self.schema)
        except NoSuchTableError:
            statement = " ".join(str(CreateTable(wanted).compile(dialect=connection.dialect)).split())
            raise SourceError(f"{shown} is not there; we never make it. Make it with: {statement}") from None
        found = {one["name"].casefold(): one for one in described}
        for one in wanted.columns:
            kind, type_ = type(one.type), one.type.compile(connection.dialect)
            if one.name not in found:
                place = connection.dialect.identifier_preparer.format_table(wanted)
                raise SourceError(f"{shown} has no {one.name}. Add it with: ALTER TABLE {place} ADD {one.name} {type_}")
            if not isinstance(found[one.name]["type"], kind):
                raise SourceError(f"{shown}: {one.name} is {found[one.name]['type']}; make it {type_}")
        columns = {name: column(found[name]["name"], found[name]["type"]) for name in SAID.names}
        return _There(table(NAME, *columns.values(), schema=self.schema), {n: c.name for n, c in columns.items()})

    def _take_out(self, there: _There, customers: Sequence[str]) -> int:
        with self.engine.begin() as connection:
            who = there.table.c[there.names["customer_id"]]
            return connection.execute(delete(there.table).where(who.in_(customers))).rowcount

    def _put(self, there: _There, new: Sequence[Mapping[str, Any]], changed: Sequence[Mapping[str, Any]]) -> None:
        keys = [there.table.c[there.names[one.name]] for one in WANTED.primary_key]
        same = [key == bindparam(f"of_{number}", type_=key.type) for number, key in enumerate(keys)]
        until = there.table.c[there.names["removed_at"]]
        with self.engine.begin() as connection:
            if new:
                connection.execute(insert(there.table), [there.row(one) for one in new])
            if changed:
                listed = []
                for row in map(there.row, changed):
                    of = {f"of_{number}": row[key.name] for number, key in enumerate(keys)}
                    listed.append({**of, "until": row[until.name]})
                connection.execute(
                    update(there.table).where(*same).values({until: bindparam("until", type_=until.type)}), listed
                )


@dataclass(frozen=True)
class _There:
    """The table as it is there; ``names``: our name of a column to its own."""

    table: TableClause
    names: Mapping[str, str]

    def row(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """A row for it. A column without a time zone gets UTC: with one, a database would make it its own time."""
        row = {own: said[name] for name, own in self.names.items()}
        for own, value in row.items():
            if isinstance(value, datetime) and not getattr(self.table.c[own].type, "timezone", False):
                row[own] = value.replace(tzinfo=None)
        return row


def open_tags(place: str) -> TagsFile:
    """The file in a folder, by path or object-store URL."""
    return TagsFile(as_path(place))


def _read(into: Path, connection: Connection, there: _There, shown: str) -> None:
    columns = [there.table.c[there.names[name]] for name in SAID.names]
    try:
        read_into(into, connection, select(*columns), {}, SAID)
    except ValueError:  # its words quote the value
        raise SourceError(f"{shown} has a value that is no instant in set_at or removed_at; take it out") from None


@contextmanager
def _views(work: Path, **files: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_engine(spill=work, memory=_MEMORY) as engine:
        for name, file in files.items():
            engine.execute(f"CREATE VIEW {name} AS FROM read_parquet({quoted(str(file))})")
        yield engine


def _batches(reader: Iterable[pa.RecordBatch]) -> Iterator[list[dict[str, Any]]]:
    for batch in reader:
        for begin in range(0, len(batch), _AT_ONCE):
            yield batch.slice(begin, _AT_ONCE).to_pylist()
