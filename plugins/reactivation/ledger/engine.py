"""One way to open the ledger, on SQLite or PostgreSQL, so that every transaction means the same on both.

SQLite by default begins transactions late and loses updates between processes; here each one is ``BEGIN IMMEDIATE``,
in WAL mode, fully synchronous, with a busy time-out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

_BUSY_MS = 30_000


class LedgerError(Exception):
    """The ledger cannot be used; the message names it, what is wrong and the fix."""


@dataclass(frozen=True)
class Ledger:
    """The database of what was decided, asked, signed, sent and observed."""

    engine: Engine

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    @property
    def name(self) -> str:
        """The ledger's address without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A writing transaction; commits at the end, rolls back on any exception. Raises ``LedgerError``."""
        try:
            connection = self.engine.connect()
        except OperationalError as error:
            raise LedgerError(f"ledger {self.name} cannot be reached: {_first_line(error)}. Start the database, or "
                              "correct the connection reactivation_ledger") from error  # fmt: skip
        with connection, connection.begin():
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def open_ledger(url: str) -> Ledger:
    """The ledger at a SQLAlchemy URL (``sqlite:///file`` or ``postgresql://…``). Connects on first use."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise LedgerError("the ledger's URL cannot be read; use sqlite:///FILE or postgresql://USER@HOST/DB") from error
    if parsed.get_backend_name() == "sqlite":
        return Ledger(_sqlite(str(parsed), parsed.database))
    if parsed.get_backend_name() == "postgresql":
        return Ledger(create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True))
    raise LedgerError(f"a ledger on {parsed.get_backend_name()} is not supported; use SQLite or PostgreSQL")


def _sqlite(url: str, database: str | None) -> Engine:
    if not database or database == ":memory:":
        raise LedgerError("a ledger in memory would forget what it signed; use sqlite:///FILE")
    Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_MS / 1000})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # else the driver begins transactions itself, and late
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]
