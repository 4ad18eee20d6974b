"""One way to open the ledger, on SQLite or PostgreSQL, so that every transaction means the same on both.

SQLite by default begins transactions late and loses updates between processes; here each one is ``BEGIN IMMEDIATE``,
in WAL mode, fully synchronous, with a busy time-out. PostgreSQL gets the same time-out for its locks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, ProgrammingError

from reactivation.ledger.together import Asking, answer

#: The revision this code works with: the newest file of ``ledger/migrations/versions``.
HEAD = "0010"
VERSION_TABLE = "ledger_version"

_BUSY_MS = 30_000
_WRITERS = 4
#: Ids are random, so a large run's inserts go all over the indexes; the default of 2 MiB would be read over and over.
_CACHE_KIB = 256 * 1024
#: How SQLite and PostgreSQL say that a disk is full.
_NO_ROOM = ("disk is full", "No space left on device")
_UPGRADE = "Run: reactivation ledger upgrade"

T = TypeVar("T")


class LedgerError(Exception):
    """The ledger cannot be used; the message names it, what is wrong and the fix."""


@dataclass(frozen=True)
class Ledger:
    """The database of what was decided, asked, signed, sent and observed. ``unpinged``: the engine whose connections
    nobody asks whether they live before they are used."""

    engine: Engine
    unpinged: Engine
    _checked: Event = field(default_factory=Event, repr=False, compare=False)

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    @property
    def name(self) -> str:
        """The ledger's address without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    @property
    def writers(self) -> int:
        """How many transactions of one process may be under way: on SQLite each is alone and the others would wait."""
        return _WRITERS if self.dialect == "postgresql" else 1

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A writing transaction; commits at the end, rolls back on any exception.

        Raises ``LedgerError`` when the database cannot be reached, is not migrated, or refuses to work.
        """
        self._require_file()
        with self.unchecked() as connection:
            self._require_tables(connection)
            yield connection

    @contextmanager
    def begin_by_asking(self, asking: Asking[T]) -> Iterator[tuple[Connection, T]]:
        """A writing transaction that begins with questions, which also tell whether the connection still lives: they
        are asked again of another where it has ended, as nothing was written yet. The same errors otherwise.
        """
        self._require_file()
        with self._named(), self.unpinged.connect() as connection:
            connection.begin()
            try:
                found = answer(connection, asking)
            except DBAPIError as error:
                if not _has_ended(connection):
                    raise
                connection.invalidate(error)
                connection.rollback()
                connection.begin()
                found = answer(connection, asking)
            self._require_tables(connection)
            yield connection, found
            connection.commit()

    @contextmanager
    def unchecked(self) -> Iterator[Connection]:
        """A writing transaction on whatever is there, for migrations; the same errors otherwise."""
        with self._named(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def at_once(self) -> Iterator[Connection]:
        """A connection of which each statement is a transaction; the same errors otherwise."""
        with self._named(), self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def _named(self) -> Iterator[None]:
        """A database that refuses to work is an error that names it, and the fix."""
        try:
            yield
        except (IntegrityError, ProgrammingError, DataError):
            raise
        except DBAPIError as error:
            fix = "Start the database, or correct the connection reactivation_ledger"
            if any(words in str(error.orig) for words in _NO_ROOM):
                fix = "Make room on its disk"
            elif "lock" in str(error.orig):
                fix = "Somebody else keeps it; wait for the other work to end and try again"
            raise LedgerError(f"ledger {self.name} cannot be used: {_first_line(error)}. {fix}") from error

    def close(self) -> None:
        for engine in {self.engine, self.unpinged}:
            engine.dispose()

    def _require_file(self) -> None:
        if self.dialect == "sqlite" and not Path(str(self.engine.url.database)).is_file():
            raise LedgerError(f"ledger {self.name} does not exist. {_UPGRADE}")

    def _require_tables(self, connection: Connection) -> None:
        if self._checked.is_set():
            return
        found = revision(connection)
        if found is None:
            raise LedgerError(f"ledger {self.name} has no tables. {_UPGRADE}")
        if found != HEAD:
            raise LedgerError(f"ledger {self.name} is at revision {found}, this version needs {HEAD}. {_UPGRADE}")
        self._checked.set()


def revision(connection: Connection) -> str | None:
    """The revision of a ledger's tables, or ``None`` when it has none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()  # noqa: S608
    return None if found is None else str(found)


def open_ledger(url: str) -> Ledger:
    """The ledger at a SQLAlchemy URL (``sqlite:///FILE`` or ``postgresql://…``). Connects on first use."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise LedgerError("the ledger's URL cannot be read; use sqlite:///FILE or postgresql://USER@HOST/DB") from error
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite(parsed)
        return Ledger(engine, engine)
    if parsed.get_backend_name() == "postgresql":
        return Ledger(_postgresql(parsed, ping=True), _postgresql(parsed, ping=False))
    raise LedgerError(f"a ledger on {parsed.get_backend_name()} is not supported; use SQLite or PostgreSQL")


def _postgresql(url: URL, *, ping: bool) -> Engine:
    # Compiling a statement takes PostgreSQL longer than any of ours takes without.
    options = {"options": f"-c lock_timeout={_BUSY_MS} -c timezone=UTC -c jit=off", "connect_timeout": 10}
    return create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=ping, connect_args=options,
                         hide_parameters=True)  # fmt: skip


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise LedgerError("a ledger in memory would forget what it signed; use sqlite:///FILE")
    engine = create_engine(url, connect_args={"timeout": _BUSY_MS / 1000}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # else the driver begins transactions itself, and late
        for pragma in (
            f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON",
            "secure_delete=ON",  # words that are taken out are not left in the file
            f"cache_size=-{_CACHE_KIB}",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _has_ended(connection: Connection) -> bool:
    return bool(getattr(connection.connection.driver_connection, "closed", False))


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]
