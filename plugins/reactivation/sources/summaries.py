# ruff: noqa: S608 - SQL is made of contract names only
"""Purchases and engagements condensed to one row per customer, by one SQL text wherever the rows are.

The text works on whole numbers: instants are microseconds since 1970, money is ten-thousandths, and so are its results
(*as told*). They become instants, money and lists here, after they crossed.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa

from reactivation import paths
from reactivation.contract.snapshot import SNAPSHOT
from reactivation.contract.tables import MONEY, TABLES, TEXT, TIME
from reactivation.evidence.engine import quoted
from reactivation.sources.base import Condensed
from reactivation.sources.rows import Report

#: Summary to the table it condenses.
SUMMARISED = {"purchase_summary": "purchases", "engagement_summary": "engagements"}
SUMMARY_OF = {table: summary for summary, table in SUMMARISED.items()}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def limits(summary: str, as_of: datetime) -> dict[str, int]:
    """The parameters of a summary's SQL: instants in microseconds since 1970."""
    at = as_of.astimezone(UTC)
    instants = {
        "as_of": at,
        "since_24m": _two_years_before(at),
        "since_90d": _day(at) - timedelta(days=89),
        "since_180d": at - timedelta(days=180),
        "since_7d": at - timedelta(days=7),
        "since_48h": at - timedelta(hours=48),
    }
    text = paths.sql(summary)
    return {name: micros(instant) for name, instant in instants.items() if f"${name}" in text}


def micros(instant: datetime) -> int:
    """Microseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def told_schema(summary: str) -> pa.Schema:
    """What a summary's SQL gives, wherever it runs: texts and whole numbers, a list as one column per place."""
    fields = []
    for field in SNAPSHOT[summary]:
        if pa.types.is_list(field.type):
            fields += [(name, pa.int64()) for name in _months()]
        else:
            fields.append((field.name, TEXT if field.type == TEXT else pa.int64()))
    return pa.schema(fields)


def add_facts(engine: duckdb.DuckDBPyConnection, plain: Collection[str] = ()) -> None:
    """``purchases`` and ``engagements`` as the summaries' SQL expects them: the good rows of ``typed_*``, and of
    ``plain_*`` for the tables in ``plain``."""
    for name in SUMMARISED.values():
        columns = ", ".join(_whole(column.name, column.type) for column in TABLES[name].columns)
        stayed = f" UNION ALL SELECT {columns} FROM plain_{name}" if name in plain else ""
        engine.execute(f"CREATE VIEW {name} AS SELECT {columns} FROM typed_{name} WHERE NOT bad{stayed}")


def add_told(engine: duckdb.DuckDBPyConnection, elsewhere: Mapping[str, Condensed]) -> None:
    """``told_*``: the summaries that were made elsewhere."""
    for summary, name in SUMMARISED.items():
        told = elsewhere.get(name)
        if told is None:
            types = ", ".join(f"{f.name} {'VARCHAR' if f.type == TEXT else 'BIGINT'}" for f in told_schema(summary))
            engine.execute(f"CREATE TABLE told_{summary} ({types})")
        else:
            engine.execute(f"CREATE VIEW told_{summary} AS FROM read_parquet({quoted(str(told.summary))})")


def count_elsewhere(
    engine: duckdb.DuckDBPyConnection, elsewhere: Mapping[str, Condensed], reports: Mapping[str, Report]
) -> None:
    """``facts_elsewhere``: how many facts each customer has that were condensed elsewhere; the reports count them."""
    engine.execute('CREATE TABLE facts_elsewhere ("table" VARCHAR, customer_id VARCHAR, facts BIGINT)')
    for name, told in elsewhere.items():
        engine.execute(
            f"INSERT INTO facts_elsewhere SELECT {quoted(name)}, * FROM read_parquet({quoted(str(told.counts))})"
        )
    counted = engine.sql('SELECT "table", CAST(sum(facts) AS BIGINT) FROM facts_elsewhere GROUP BY "table"').fetchall()
    for name, facts in counted:
        reports[name].rows += facts


def condensed(engine: duckdb.DuckDBPyConnection, summary: str, as_of: datetime) -> pa.RecordBatchReader:
    """The summary under its schema, by customer: what is condensed here and what was told."""
    columns = ", ".join(_arrived(field) for field in SNAPSHOT[summary])
    query = (
        f"SELECT {columns} FROM (SELECT * FROM ({paths.sql(summary)}) UNION ALL BY NAME FROM told_{summary}) "
        "ORDER BY customer_id"
    )
    return engine.sql(query, params=limits(summary, as_of)).to_arrow_reader()


def _two_years_before(at: datetime) -> datetime:
    """The same day 24 calendar months earlier; the last of the month where it had no such day."""
    year = at.year - 2
    return at.replace(year=year, day=min(at.day, calendar.monthrange(year, at.month)[1]))


def _day(at: datetime) -> datetime:
    """The beginning of the day."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _months() -> tuple[str, ...]:
    return tuple(f"month_{number}" for number in range(1, 13))


def _whole(name: str, type_: pa.DataType) -> str:
    if type_ == TIME:
        return f"epoch_us({name}) AS {name}"
    return f"ten_thousandths({name}) AS {name}" if type_ == MONEY else name


def _arrived(field: pa.Field) -> str:
    if pa.types.is_list(field.type):
        return f"[{', '.join(_months())}] AS {field.name}"
    readers: Mapping[pa.DataType, str] = {
        TIME: "make_timestamptz({0})",
        MONEY: "CAST(CAST({0} AS DECIMAL(18, 0)) * CAST(0.0001 AS DECIMAL(4, 4)) AS DECIMAL(18, 4))",
    }
    return f"{readers.get(field.type, '{0}').format(field.name)} AS {field.name}"
