# ruff: noqa: S608 - SQL is made of contract names and quoted names only
"""A database with tables or views named after the tables of the contract.

Read in one transaction that sees one state (repeatable read where there is such a thing). Raw facts are condensed where
they are; everything else crosses in batches, as text, into Parquet. Of a few customers only rows that may be about them
cross. ``source_says`` (a table or view with one row) tells as of when the database speaks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Engine, inspect, text, types

from reactivation.contract.tables import MONEY, TABLES, TEXT, TIME, WHOLE, Table
from reactivation.sources import facts
from reactivation.sources.base import Condensed, Few, Told
from reactivation.sources.dialects import FUNCTIONS, translate
from reactivation.sources.errors import SourceError
from reactivation.sources.matching import matched
from reactivation.sources.refusals import asking
from reactivation.sources.streaming import in_order, read_into
from reactivation.sources.summaries import SUMMARY_OF, limits, told_schema

SAYS = "source_says"
_COUNTS = pa.schema([("customer_id", TEXT), ("facts", pa.int64())])
_FITS: Mapping[pa.DataType, tuple[type[types.TypeEngine[Any]], ...]] = {
    TIME: (types.DateTime, types.Date),
    MONEY: (types.Numeric, types.Integer),
    WHOLE: (types.Numeric, types.Integer),
}
_UNTOLD = (types.ARRAY, types.JSON, types.Float, types.LargeBinary)


@dataclass(frozen=True)
class DatabaseSource:
    """A database and, where it has several, the schema in it. ``name`` is what messages call it."""

    engine: Engine
    name: str
    schema: str | None = None

    def speaks_as_of(self) -> datetime:
        """What ``source_says`` says now (UTC). Raises ``SourceError``."""
        with _transaction(self) as connection:
            return _spoken(self, connection)

    @contextmanager
    def reading(self, work: Path) -> Iterator[DatabaseReader]:
        """One consistent read."""
        with _transaction(self) as connection:
            yield DatabaseReader(self, connection, work, _spoken(self, connection), _there(self, connection))


@dataclass(frozen=True)
class _Relation:
    """A table or view: what messages call it, how SQL does, its columns (contract name to quoted name), their types."""

    shown: str
    quoted: str
    columns: dict[str, str]
    types: dict[str, types.TypeEngine[Any]]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class DatabaseReader:
    """A database open for one read."""

    source: DatabaseSource
    connection: Connection = field(repr=False)
    work: Path
    speaks_as_of: datetime
    tables: Mapping[str, str]

    @property
    def by_id(self) -> bool:
        return self._dialect in FUNCTIONS

    def fetch(self, table: str, few: Few | None = None) -> Told:
        """A table whole, or what of it may be about these few."""
        contract, relation = TABLES[table], self._relation(table)
        if not self.by_id:
            columns = ", ".join(f"{quoted} AS {name}" for name, quoted in relation.columns.items())
            return self._told(table, relation, f"SELECT {columns} FROM {relation.quoted}", {})
        ctes = facts.named(contract, relation.quoted, relation.columns)
        if few is None:
            query = f"{ctes} SELECT {facts.texts(relation.columns)} FROM named"
        else:
            query = facts.few_rows(contract, ctes, relation.columns, few)
        similar = few.similar if few else None
        listed = {
            "customers": few.customers if few else (), "accounts": few.accounts if few else (),
            "locals": similar.locals if similar else (), "endings": similar.endings if similar else (),
        }  # fmt: skip
        return self._told(table, relation, translate(query, self._dialect), {k: sorted(v) for k, v in listed.items()})

    def condense(self, table: str, as_of: datetime) -> tuple[Told, Condensed | None]:
        """Customers with questionable facts row by row, all others condensed; all rows, where that is not possible."""
        contract, relation = TABLES[table], self._relation(table)
        ctes = facts.named(contract, relation.quoted, relation.columns)
        if not self._condensable(contract, relation) or self._unsure(contract, relation, ctes):
            return self.fetch(table), None
        dialect, summary = self._dialect, SUMMARY_OF[table]
        parts = Condensed(self.work / f"{summary}.told.parquet", self.work / f"{table}.counts.parquet")
        with asking(self.source.name, relation.shown):
            query = translate(facts.odd_customers(contract, ctes, relation.columns), dialect)
            odd = sorted(who for (who,) in self.connection.execute(text(query)))
            listed = {"odd": json.dumps(odd)}
            query = translate(facts.summary(contract, ctes), dialect, limits(summary, as_of))
            read_into(parts.summary, self.connection, text(query), listed, told_schema(summary))
            query = translate(facts.counts(ctes), dialect)
            read_into(parts.counts, self.connection, text(query), listed, _COUNTS)
        told = self._told(table, relation, translate(facts.odd_rows(ctes, relation.columns), dialect), {"odd": odd})
        return told, parts

    @property
    def _dialect(self) -> str:
        return self.source.engine.dialect.name

    def _condensable(self, table: Table, relation: _Relation) -> bool:
        """Whether the database can tell questionable rows: a dialect we know, what no row may lack, types that fit."""
        if not self.by_id or not {table.key, "customer_id", "occurred_at", "kind"} <= set(relation.columns):
            return False
        if self._dialect == "sqlite":  # there a type belongs to each value
            return True
        return all(
            isinstance(type_, _FITS.get(table.column(name).type, types.TypeEngine)) and not isinstance(type_, _UNTOLD)
            for name, type_ in relation.types.items()
        )

    def _unsure(self, table: Table, relation: _Relation, ctes: str) -> bool:
        query = translate(facts.unsure(table, ctes), self._dialect)
        with asking(self.source.name, relation.shown):
            return self.connection.execute(text(query)).first() is not None

    def _told(self, table: str, relation: _Relation, query: str, listed: Mapping[str, list[str]]) -> Told:
        schema = pa.schema([(name, TEXT) for name in relation.columns])
        asked = {name: json.dumps(values) for name, values in listed.items() if f":{name}" in query}
        path = self.work / f"{table}.parquet"
        with asking(self.source.name, relation.shown):
            read_into(path, self.connection, text(query), asked, schema)
        in_order(path, self.work)
        return Told(path, relation.shown, relation.unknown)

    def _relation(self, table: str) -> _Relation:
        name, schema = self.tables[table], self.source.schema
        shown = f"{self.source.name}: {f'{schema}.' if schema else ''}{name}"
        quote = self.connection.dialect.identifier_preparer
        with asking(self.source.name, shown):
            described = inspect(self.connection).get_columns(name, schema=schema)
        # In SQLite a name alone would mean the CTE of the same name.
        within = schema or ("main" if self._dialect == "sqlite" else None)
        fields, unknown = matched(TABLES[table], shown, [column["name"] for column in described])
        return _Relation(
            shown,
            (f"{quote.quote(within)}." if within else "") + quote.quote(name),
            {column: quote.quote_identifier(described[position]["name"]) for column, position in fields.items()},
            {column: described[position]["type"] for column, position in fields.items()},
            unknown,
        )


@contextmanager
def _transaction(source: DatabaseSource) -> Iterator[Connection]:
    """One transaction that sees one state and writes nothing."""
    dialect = source.engine.dialect.name
    with asking(source.name, "the database"):
        connection = source.engine.connect()
    try:
        with asking(source.name, "the database"):
            if dialect == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                # Values as text must not depend on the server; compiling takes longer than it saves here.
                for setting in ("TIME ZONE 'UTC'", "datestyle = 'ISO, YMD'", "extra_float_digits = 1", "jit = off"):
                    connection.exec_driver_sql(f"SET LOCAL {setting}")
            elif dialect == "sqlite":
                connection.exec_driver_sql("BEGIN")
        yield connection
    finally:
        connection.close()


def _there(source: DatabaseSource, connection: Connection) -> dict[str, str]:
    """The contract's tables to the names of the tables or views that hold them."""
    with asking(source.name, "the database"):
        inspector = inspect(connection)
        names = {*inspector.get_table_names(source.schema), *inspector.get_view_names(source.schema)}
        if connection.dialect.name == "postgresql":
            names |= set(inspector.get_materialized_view_names(source.schema))
    there: dict[str, str] = {}
    for name in sorted(names):
        table = name.casefold()
        if table in TABLES:
            if table in there:
                raise SourceError(f"{source.name} has {there[table]} and {name}; leave one of them")
            there[table] = name
    if not there:
        place = f" in schema {source.schema}" if source.schema else ""
        raise SourceError(
            f"{source.name} has no table or view named after a table of the contract{place} ({', '.join(TABLES)}); "
            "check the setting of the source, or make views with these names"
        )
    return there


def _spoken(source: DatabaseSource, connection: Connection) -> datetime:
    quote = connection.dialect.identifier_preparer
    fix = f"make a table or view {SAYS} with one row: as_of, the time its data speaks of (a live database: now())"
    relation = f"{quote.quote(source.schema)}.{SAYS}" if source.schema else SAYS
    with asking(source.name, SAYS):
        if not inspect(connection).has_table(SAYS, schema=source.schema):
            raise SourceError(f"{source.name} does not say as of when it speaks; {fix}")
        rows = connection.execute(text(f"SELECT as_of FROM {relation}")).fetchmany(2)
    as_of = rows[0][0] if len(rows) == 1 else None
    try:
        instant = datetime.fromisoformat(as_of) if isinstance(as_of, str) else as_of
    except ValueError:
        instant = None
    if not isinstance(instant, datetime):
        raise SourceError(f"{source.name}: {SAYS} must have one row with a time in as_of; {fix}")
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
