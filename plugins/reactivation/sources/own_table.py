"""A table of ours in a database of others: looked at, read and written to, never made or changed.

What a CRM looks like is its owner's business, so a refusal has the statement that mends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
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

from reactivation.sources.errors import SourceError
from reactivation.sources.streaming import read_into

#: Rows in one transaction.
AT_ONCE = 500


@dataclass(frozen=True)
class OwnTable:
    """The table ``wanted`` as it is there, behind ``engine``; ``names``: our name of a column to its own."""

    engine: Engine
    wanted: Table
    table: TableClause
    names: Mapping[str, str]

    def read(self, into: Path, connection: Connection, shown: str, schema: pa.Schema) -> None:
        """All of it as Parquet, columns in the order of ``schema``. Raises ``SourceError``."""
        try:
            read_into(into, connection, select(*(self._of(name) for name in schema.names)), {}, schema)
        except ValueError:  # its words quote the value
            instants = " or ".join(field.name for field in schema if pa.types.is_timestamp(field.type))
            raise SourceError(f"{shown} has a value that is no instant in {instants}; take it out") from None

    def take_out(self, customers: Sequence[str]) -> int:
        """Deletes every row of these customers, in one transaction; returns how many."""
        with self.engine.begin() as connection:
            gone = delete(self.table).where(self._of("customer_id").in_(customers))
            return connection.execute(gone).rowcount

    def put(self, new: Sequence[Mapping[str, Any]], changed: Sequence[Mapping[str, Any]] = (), value: str = "") -> None:
        """Inserts rows, and sets ``value`` of those that are there under the same key; in one transaction."""
        with self.engine.begin() as connection:
            if new:
                connection.execute(insert(self.table), [self._row(one) for one in new])
            if changed:
                until = self._of(value)
                listed = [{**self._key_values(one), "until": self._row(one)[until.name]} for one in changed]
                mended = update(self.table).where(*self._same()).values({until: bindparam("until", type_=until.type)})
                connection.execute(mended, listed)

    def remove(self, gone: Sequence[Mapping[str, Any]]) -> None:
        """Deletes the rows with the keys of these, in one transaction."""
        with self.engine.begin() as connection:
            connection.execute(delete(self.table).where(*self._same()), [self._key_values(one) for one in gone])

    def _of(self, name: str) -> Any:  # noqa: ANN401  (a column of any type)
        return self.table.c[self.names[name]]

    def _keys(self) -> list[Any]:
        return [self._of(one.name) for one in self.wanted.primary_key]

    def _same(self) -> list[Any]:
        return [key == bindparam(f"of_{number}", type_=key.type) for number, key in enumerate(self._keys())]

    def _key_values(self, said: Mapping[str, Any]) -> dict[str, Any]:
        row = self._row(said)
        return {f"of_{number}": row[key.name] for number, key in enumerate(self._keys())}

    def _row(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """A row for it. A column without a time zone gets UTC: with one, a database would make it its own time."""
        row = {own: said[name] for name, own in self.names.items()}
        for own, value in row.items():
            if isinstance(value, datetime) and not getattr(self.table.c[own].type, "timezone", False):
                row[own] = value.replace(tzinfo=None)
        return row


def own_table(engine: Engine, connection: Connection, wanted: Table, shown: str, schema: str | None) -> OwnTable:
    """The table as it is there. Raises ``SourceError`` with the statement that makes it, or what it lacks."""
    asked = wanted.to_metadata(MetaData(), schema=schema) if schema else wanted
    try:
        described = inspect(connection).get_columns(wanted.name, schema=schema)
    except NoSuchTableError:
        statement = " ".join(str(CreateTable(asked).compile(dialect=connection.dialect)).split())
        raise SourceError(f"{shown} is not there; we never make it. Make it with: {statement}") from None
    found = {one["name"].casefold(): one for one in described}
    for one in asked.columns:
        _require(one, found, connection, asked, shown)
    columns = {one.name: column(found[one.name]["name"], found[one.name]["type"]) for one in asked.columns}
    named = table(wanted.name, *columns.values(), schema=schema)
    return OwnTable(engine, wanted, named, {name: one.name for name, one in columns.items()})


def _require(one: Column[Any], found: Mapping[str, Any], connection: Connection, asked: Table, shown: str) -> None:
    kind, type_ = type(one.type), one.type.compile(connection.dialect)
    if one.name not in found:
        place = connection.dialect.identifier_preparer.format_table(asked)
        raise SourceError(f"{shown} has no {one.name}. Add it with: ALTER TABLE {place} ADD {one.name} {type_}")
    if not isinstance(found[one.name]["type"], kind):
        raise SourceError(f"{shown}: {one.name} is {found[one.name]['type']}; make it {type_}")


def batches(reader: Iterable[pa.RecordBatch]) -> Iterator[list[dict[str, Any]]]:
    """Rows, as many as one transaction takes."""
    for batch in reader:
        for begin in range(0, len(batch), AT_ONCE):
            yield batch.slice(begin, AT_ONCE).to_pylist()
