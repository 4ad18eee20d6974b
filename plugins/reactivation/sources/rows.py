# ruff: noqa: S608 - SQL is made of contract names only
"""One table of a source, read into the engine: good rows typed, bad rows to quarantine, broken noes kept as noes.

After ``load`` the engine has ``typed_<table>`` (``row``, the contract's columns, ``bad``) and has added to the common
tables ``problems``, ``originals`` and ``broken``.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from reactivation.contract.tables import Table
from reactivation.evidence.engine import quoted
from reactivation.sources import duplicates
from reactivation.sources.files import RawFile, reading
from reactivation.sources.nos import keep_broken_nos
from reactivation.sources.rules import reasons, rules_of
from reactivation.sources.values import SQL_TYPES, typed_query

_COMMON = (
    'CREATE TABLE problems ("table" VARCHAR, key VARCHAR, row BIGINT, "column" VARCHAR, reason VARCHAR)',
    'CREATE TABLE originals ("table" VARCHAR, key VARCHAR, row BIGINT, customer_id VARCHAR, original VARCHAR)',
    """CREATE TABLE broken ("table" VARCHAR, key VARCHAR, customer_id VARCHAR, account_id VARCHAR, email VARCHAR,
       phone VARCHAR, country VARCHAR, address VARCHAR)""",
)


@dataclass
class Report:
    """What the manifest says of one table."""

    present: bool
    rows: int = 0
    unknown_columns: tuple[str, ...] = ()
    missing_columns: tuple[str, ...] = ()
    quarantined: int = 0
    duplicates: int = 0
    broken_nos: int = 0
    broken_unreadable_nos: int = 0
    file: str | None = None

    @property
    def rules(self) -> dict[str, tuple[int, int]]:
        """Rule to how many rows it was asked of and how many broke it."""
        if not self.present:
            return {}
        return {"row": (self.rows, self.quarantined), "unique_key": (self.rows, self.duplicates)}


def prepare(engine: duckdb.DuckDBPyConnection) -> None:
    """The tables that collect what went wrong anywhere."""
    for statement in _COMMON:
        engine.execute(statement)


def load(engine: duckdb.DuckDBPyConnection, table: Table, raw: RawFile | None, wanted: str | None = None) -> Report:
    """Reads one table; ``raw`` is ``None`` if the source has none. ``wanted`` (SQL over its columns) keeps only the
    rows of some subjects, those of unreadable subjects, and every other row of the same keys."""
    if raw is None:
        engine.execute(f"CREATE TABLE typed_{table.name} ({_empty_columns(table)})")
        return Report(present=False, missing_columns=tuple(column.name for column in table.columns))
    rules = rules_of(raw)
    names = ", ".join(column.name for column in table.columns)
    broken = " OR ".join(f"({rule.broken})" for rule in rules) or "false"
    with reading(raw.path):
        if wanted is None and raw.in_order:
            _load_in_order(engine, raw, f"{names}, {broken} AS bad")
        else:
            some = None if wanted is None else _choose(engine, raw, wanted)
            if some is not None and not _count(engine, "chosen_rows"):
                return _nothing(engine, table, raw)
            engine.execute(
                f"CREATE TABLE typed_{table.name} AS SELECT row, {names}, {broken} AS bad "
                f"FROM ({typed_query(raw, rows=some)})"
            )
        report = Report(True, _count(engine, f"typed_{table.name}"), raw.unknown, raw.missing, file=raw.shown)
        report.duplicates = duplicates.settle(engine, table, raw.types)
        _quarantine(engine, table, raw, reasons(rules, raw))
    report.quarantined = _count(engine, f"typed_{table.name} WHERE bad")
    return report


def _nothing(engine: duckdb.DuckDBPyConnection, table: Table, raw: RawFile) -> Report:
    """A table that says nothing of those who are asked about: most say nothing of a few people."""
    engine.execute(f"CREATE TABLE typed_{table.name} ({_empty_columns(table)})")
    return Report(True, 0, raw.unknown, raw.missing, file=raw.shown)


def _load_in_order(engine: duckdb.DuckDBPyConnection, raw: RawFile, columns: str) -> None:
    """Reads with all threads; a row's place is where it came to lie, because insertion order is kept."""
    name = f"typed_{raw.table.name}"
    engine.execute(
        f"CREATE TABLE {name} AS SELECT CAST(NULL AS BIGINT) AS row, {columns}, empty "
        f"FROM ({typed_query(raw, in_order=True)})"
    )
    engine.execute(f"UPDATE {name} SET row = rowid + 1")
    engine.execute(f"DELETE FROM {name} WHERE empty")
    engine.execute(f"ALTER TABLE {name} DROP COLUMN empty")


def shown_key(table: Table) -> str:
    """SQL for a row's key as evidence may show it: an id, else nothing."""
    return f"CASE WHEN is_id({table.key}) THEN {table.key} END"


def _choose(engine: duckdb.DuckDBPyConnection, raw: RawFile, wanted: str) -> str:
    """SQL for the numbers of the rows that are wanted, and of those that have the key of one: rows of one key are
    settled together. Only these are typed in full."""
    key = raw.table.key
    subjects = typed_query(raw, only={key, "customer_id", "account_id", "address"}, empty=True)
    engine.execute(f"CREATE OR REPLACE TABLE chosen_rows AS SELECT row, {key} AS key FROM ({subjects}) WHERE {wanted}")
    keys = typed_query(raw, only={key})
    return f"SELECT row FROM chosen_rows UNION SELECT row FROM ({keys}) WHERE {key} IN (SELECT key FROM chosen_rows)"


def _quarantine(engine: duckdb.DuckDBPyConnection, table: Table, raw: RawFile, found: str) -> None:
    """Says what is wrong with the bad rows and keeps their originals. The file is read once more, but only these rows
    are judged and written down."""
    engine.execute(f"CREATE OR REPLACE TABLE bad_rows AS SELECT row FROM typed_{table.name} WHERE bad")
    if not _count(engine, "bad_rows"):
        return
    name, key, bad = quoted(table.name), shown_key(table), "SELECT row FROM bad_rows"
    engine.execute(
        f"""INSERT INTO problems
            SELECT {name}, {key}, row, problem."column", problem.reason
            FROM (SELECT *, unnest({found}) AS problem FROM ({typed_query(raw, rows=bad)}))"""
    )
    customer = "CASE WHEN is_id(customer_id) THEN customer_id END" if _has(table, "customer_id") else "NULL"
    engine.execute(
        f"""INSERT INTO originals
            SELECT {name}, {key}, row, {customer}, original
            FROM ({raw.originals(bad)}) JOIN typed_{table.name} USING (row)"""
    )
    keep_broken_nos(engine, table, "bad", raw.types)


def _empty_columns(table: Table) -> str:
    columns = [f"{column.name} {SQL_TYPES[column.type]}" for column in table.columns]
    return ", ".join(["row BIGINT", *columns, "bad BOOLEAN"])


def _has(table: Table, name: str) -> bool:
    return any(column.name == name for column in table.columns)


def _count(engine: duckdb.DuckDBPyConnection, rows: str) -> int:
    return int(engine.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0])
