# ruff: noqa: S608 - SQL is made of contract names only
"""One SQL text, three databases, the same rows: the same summary."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, text
from tests.builders import Row, engagement, purchase
from tests.databases import write_database

from reactivation import paths
from reactivation.contract.tables import ENGAGEMENT_KINDS, TABLES
from reactivation.evidence import open_engine
from reactivation.sources import DatabaseSource
from reactivation.sources.summaries import SUMMARY_OF, add_facts, limits, told_schema
from reactivation.sources.values import install_macros

#: Leap day, month end, the day clocks change, and an ordinary Tuesday.
AS_OFS = [datetime(2024, 2, 29, 12, tzinfo=UTC), datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC),
          datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 11, 17, 9, tzinfo=UTC)]  # fmt: skip
_EDGES = [timedelta(0), timedelta(days=2), timedelta(days=7), timedelta(days=180), timedelta(days=730),
          timedelta(days=731), timedelta(days=28), timedelta(days=20_600)]  # fmt: skip
_NUDGES = [timedelta(0), timedelta(microseconds=1), timedelta(microseconds=-1), timedelta(hours=-3)]
_WORDS = [None, "zinc", "Zinc", "adhesive", "a b", "Möbel"]
_AMOUNTS = [Decimal("0"), Decimal("0.0001"), Decimal("12.35"), Decimal("999999.9999"), Decimal("7")]


@st.composite
def _moments(draw: st.DrawFn, as_of: datetime) -> datetime:
    return as_of - draw(st.sampled_from(_EDGES)) + draw(st.sampled_from(_NUDGES))


@st.composite
def _purchases(draw: st.DrawFn) -> tuple[datetime, list[Row]]:
    as_of = draw(st.sampled_from(AS_OFS))
    maybe = st.one_of(st.none(), _moments(as_of))
    return as_of, [
        purchase(
            f"b-{number}", f"c-{draw(st.integers(0, 2))}", draw(_moments(as_of)),
            kind=draw(st.sampled_from(["order", "booking", "subscription", "Order"])),
            amount=draw(st.sampled_from(_AMOUNTS)), currency=draw(st.sampled_from(["GBP", "GBP", "EUR", "gbp"])),
            margin=draw(st.sampled_from([None, Decimal("-3.5"), *_AMOUNTS])),
            discount=draw(st.sampled_from([None, *_AMOUNTS])), offer_code=draw(st.sampled_from([None, "SPRING"])),
            category=draw(st.sampled_from(_WORDS)), product=draw(st.sampled_from(_WORDS)),
            period_end=draw(maybe), cancelled_at=draw(maybe),
        )
        for number in range(draw(st.integers(1, 12)))
    ]  # fmt: skip


@st.composite
def _engagements(draw: st.DrawFn) -> tuple[datetime, list[Row]]:
    as_of = draw(st.sampled_from(AS_OFS))
    return as_of, [
        engagement(
            f"e-{number}", f"c-{draw(st.integers(0, 2))}", draw(_moments(as_of)),
            draw(st.sampled_from(ENGAGEMENT_KINDS)), channel=draw(st.sampled_from([None, "email", "sms", "web"])),
            category=draw(st.sampled_from(_WORDS)), objection=draw(st.sampled_from(_WORDS)),
        )
        for number in range(draw(st.integers(1, 14)))
    ]  # fmt: skip


@pytest.fixture(scope="module")
def databases(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Engine]]:
    """A SQLite file and a PostgreSQL database whose text order is not that of bytes."""
    name = f"reactivation_test_{uuid4().hex[:12]}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE template0 ICU_LOCALE 'en' LOCALE_PROVIDER icu ENCODING 'UTF8'")
    server = f"postgresql+psycopg://{postgres.info.user}@{postgres.info.host}:{postgres.info.port}/{name}"
    engines = [create_engine(f"sqlite:///{tmp_path_factory.mktemp('portable') / 'facts.db'}"), create_engine(server)]
    yield engines
    for engine in engines:
        engine.dispose()
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


def by_duckdb(table: str, facts: list[Row], as_of: datetime) -> pa.Table:
    """The summary as told, by DuckDB."""
    with open_engine() as engine:
        install_macros(engine)
        for name in SUMMARY_OF:
            schema = pa.schema([(column.name, column.type) for column in TABLES[name].columns])
            rows = [_plain(row) for row in facts] if name == table else []
            engine.register("arriving", pa.Table.from_pylist(rows, schema=schema))
            engine.execute(f"CREATE TABLE typed_{name} AS SELECT *, false AS bad FROM arriving")
        add_facts(engine)
        summary = SUMMARY_OF[table]
        query = f"SELECT * FROM ({paths.sql(summary)}) ORDER BY customer_id"
        return engine.sql(query, params=limits(summary, as_of)).to_arrow_table().cast(told_schema(summary))


def by_database(engine: Engine, folder: Path, table: str, facts: list[Row], as_of: datetime) -> pa.Table:
    """The same by a database, nobody's rows read one by one."""
    with engine.begin() as connection:
        for name in ("source_says", table):
            connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
    write_database(engine, only=[table], **{table: facts})
    with DatabaseSource(engine, "facts_db").reading(folder) as reader:
        rest, condensed = reader.condense(table, as_of)
    assert condensed is not None
    assert pq.read_metadata(rest.path).num_rows == 0
    return pq.read_table(condensed.summary).sort_by("customer_id")


@settings(max_examples=12, deadline=None)
@given(_purchases())
def test_purchases(
    databases: list[Engine], tmp_path_factory: pytest.TempPathFactory, made: tuple[datetime, list[Row]]
) -> None:
    """Ties, mixed currencies, unknown margins, cancellations, edges of windows, months and days."""
    _same(databases, tmp_path_factory.mktemp("p"), "purchases", *made)


@settings(max_examples=12, deadline=None)
@given(_engagements())
def test_engagements(
    databases: list[Engine], tmp_path_factory: pytest.TempPathFactory, made: tuple[datetime, list[Row]]
) -> None:
    """Every kind, with and without a channel, at the edges of every window."""
    _same(databases, tmp_path_factory.mktemp("e"), "engagements", *made)


def _same(databases: list[Engine], folder: Path, table: str, as_of: datetime, facts: list[Row]) -> None:
    expected = by_duckdb(table, facts, as_of)
    for engine in databases:
        found = by_database(engine, folder, table, facts, as_of)
        assert found.equals(expected), (engine.dialect.name, found.to_pylist(), expected.to_pylist())


def _plain(row: Row) -> Row:
    if "currency" not in row:
        return row
    return row | {"kind": row["kind"].lower(), "currency": row["currency"].upper()}
