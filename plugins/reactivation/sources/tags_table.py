"""The table ``reactivation_tags`` in a database of others, brought to what we say.

All of it is read and compared (13 s for a million rows); only what differs is written, a batch in a transaction. We
never make or change a table: what a CRM looks like is its owner's business, so the message has the statement.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

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

from reactivation import paths
from reactivation.contract.tables import TEXT
from reactivation.sources.errors import SourceError
from reactivation.sources.refusals import writing
from reactivation.sources.streaming import read_into
from reactivation.sources.tags import NAME, SAID, views

#: The table as we ask for it.
WANTED = Table(
    NAME, MetaData(),
    Column("customer_id", String(80), primary_key=True),
    Column("tag", String(80), primary_key=True),
    Column("set_at", DateTime(timezone=True), primary_key=True),
    Column("removed_at", DateTime(timezone=True)),
)  # fmt: skip

_AT_ONCE = 500


@dataclass(frozen=True)
class TagsTable:
    """The table ``reactivation_tags`` of a database and, where it has several, of the schema in it."""

    engine: Engine
    name: str
    schema: str | None = None

    def write(self, ours: Path, erased: Collection[str], work: Path) -> dict[str, int]:
        """See ``sources.tags.Tags``; counts rows that are new, changed and, of the erased, taken out.

        Rows of nobody we know stay. A batch is one transaction: killed in between, the table has whole batches, and the
        next writing does the rest.
        """
        shown, theirs = f"{self.name}: {f'{self.schema}.' if self.schema else ''}{NAME}", work / "theirs.parquet"
        counts = {"tags_new": 0, "tags_changed": 0, "tags_erased": 0}
        with writing(self.name, shown):
            with self.engine.connect() as connection:
                there = self._there(connection, shown)
                _read(theirs, connection, there, shown)
            with views(work, ours=ours, theirs=theirs) as engine:
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


def _read(into: Path, connection: Connection, there: _There, shown: str) -> None:
    columns = [there.table.c[there.names[name]] for name in SAID.names]
    try:
        read_into(into, connection, select(*columns), {}, SAID)
    except ValueError:  # its words quote the value
        raise SourceError(f"{shown} has a value that is no instant in set_at or removed_at; take it out") from None


def _batches(reader: Iterable[pa.RecordBatch]) -> Iterator[list[dict[str, Any]]]:
    for batch in reader:
        for begin in range(0, len(batch), _AT_ONCE):
            yield batch.slice(begin, _AT_ONCE).to_pylist()
