"""A ledger for every test: a migrated one, empty, on SQLite and on PostgreSQL.

PostgreSQL is asked for at ``REACTIVATION_TEST_POSTGRES``; where it is missing the tests fail, they are not skipped.
Each database is migrated once and copied for every test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import hypothesis
import psycopg
import pytest
from sqlalchemy import Engine, create_engine
from tests.office import Office, open_office
from tests.sending import Ready, prepare

from reactivation.ledger import migrations
from reactivation.ledger.engine import Ledger, open_ledger

# A property is about outcomes; how long a busy machine takes for one example is not.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

_IN_MEMORY, _ROOM = Path("/dev/shm"), 8 << 30  # noqa: S108
_LONGEST = ("test_demo.py", "test_quarter.py", "test_whole_flow.py")

POSTGRES = os.environ.get("REACTIVATION_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/")


def pytest_configure() -> None:
    """Temporary files in memory where there is room: the product waits for the disk at every commit, as it should, and
    the tests need not."""
    if _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free > _ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that nobody waits for one at the end; those with an Airflow not side by side."""
    items.sort(key=lambda item: item.path.name not in _LONGEST)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Shows the tables that tests tell of, whichever process they ran in."""
    for report in terminalreporter.getreports("passed"):
        for name, text in getattr(report, "user_properties", ()):
            if name == "table":
                terminalreporter.write_line(str(text))


@pytest.fixture(scope="session")
def postgres() -> Iterator[psycopg.Connection]:
    """The PostgreSQL server, as somebody who may make databases."""
    try:
        connection = psycopg.connect(POSTGRES, dbname="postgres", autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        pytest.fail(
            f"no PostgreSQL at {POSTGRES} ({error}); start one or set REACTIVATION_TEST_POSTGRES", pytrace=False
        )
    with connection:
        yield connection


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file."""
    file = tmp_path_factory.mktemp("ledger") / "template.db"
    migrations.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres: psycopg.Connection) -> Iterator[str]:
    """The name of a migrated PostgreSQL database."""
    with _database(postgres) as name:
        migrations.upgrade(_url(name))
        yield name


@pytest.fixture(scope="session")
def migrated_postgres(postgres: psycopg.Connection, postgres_template: str) -> Iterator[Reused]:
    """A migrated, empty database, over and over."""
    with Reused(postgres, postgres_template) as made:
        yield made


class _database:
    """A database that lives as long as the block."""

    def __init__(self, server: psycopg.Connection, template: str = "template1") -> None:
        self.server, self.template, self.name = server, template, f"reactivation_test_{uuid4().hex[:12]}"

    def __enter__(self) -> str:
        self.server.execute(f"CREATE DATABASE {self.name} TEMPLATE {self.template}")
        # Nobody pulls the plug here: a commit need not wait for the disk.
        self.server.execute(f"ALTER DATABASE {self.name} SET synchronous_commit = off")
        return self.name

    def __exit__(self, *_: object) -> None:
        self.server.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


def _url(database: str) -> str:
    return f"{POSTGRES.rstrip('/')}/{database}"


class Reused:
    """One copy of a template database for many tests, its rows put back before each: dropping a database makes the
    server write everything to the disk, which takes longer than most tests do."""

    def __init__(self, server: psycopg.Connection, template: str) -> None:
        self.server, self.template = server, template
        self.copy: _database | None = None

    def __enter__(self) -> Reused:
        return self

    def __exit__(self, *_: object) -> None:
        if self.copy is not None:
            self.copy.__exit__()

    def url(self) -> str:
        """The database as its template is; whoever was still connected to it is thrown out."""
        if self.copy is None or not self._put_back(self.copy.name):
            self.__exit__()
            self.copy = _database(self.server, self.template)
            self.copy.__enter__()
            with self._connect(self.copy.name) as conn:
                self._keep(conn)
        return _url(self.copy.name)

    def _connect(self, name: str) -> psycopg.Connection:
        return psycopg.connect(POSTGRES, dbname=name)

    def _keep(self, conn: psycopg.Connection) -> None:
        self.shape = conn.execute(_SHAPE).fetchall()
        self.tables = [table for (table,) in conn.execute(_TABLES)]
        self.sequences = conn.execute(_SEQUENCES).fetchall()
        conn.execute("CREATE SCHEMA kept")
        for table in self.tables:
            conn.execute(f"CREATE TABLE kept.{table} AS TABLE public.{table}")

    def _put_back(self, name: str) -> bool:
        """False when a test changed more than rows."""
        self.server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [name],
        )
        with self._connect(name) as conn:
            if conn.execute(_SHAPE).fetchall() != self.shape:
                return False
            conn.execute("SET LOCAL session_replication_role = replica")  # past the triggers and foreign keys
            for table in self.tables:
                conn.execute(f"DELETE FROM public.{table}")  # noqa: S608
                conn.execute(f"INSERT INTO public.{table} OVERRIDING SYSTEM VALUE TABLE kept.{table}")
            for sequence, value in self.sequences:
                conn.execute("SELECT setval(%s::regclass, coalesce(%s, 1), %s)", [sequence, value, value is not None])
        return True


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_SEQUENCES = "SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences ORDER BY 1"
#: What a test may have changed besides rows: triggers, and the columns of tables.
_SHAPE = """
SELECT tgrelid::regclass::text AS "table", tgname::text AS name, tgenabled::text AS how FROM pg_trigger
WHERE NOT tgisinternal
UNION ALL
SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'
ORDER BY 1, 2, 3
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A URL for ``open_ledger`` where no migration ran yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty' / 'ledger.db'}"
        return
    with _database(request.getfixturevalue("postgres")) as name:
        yield _url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty ledger of this test's own; also for other processes."""
    if request.param == "sqlite":
        file = tmp_path / "ledger" / "ledger.db"
        file.parent.mkdir()
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    yield request.getfixturevalue("migrated_postgres").url()


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A migrated, empty ledger of this test's own."""
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A home, ledger included, in which touches are signed and due."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    (home / "ledger").mkdir(parents=True)
    shutil.copyfile(sqlite_template, home / "ledger" / "ledger.db")
    prepare(home, f"sqlite:///{home / 'ledger' / 'ledger.db'}")
    return home


@pytest.fixture(scope="session")
def prepared_postgres(
    tmp_path_factory: pytest.TempPathFactory, postgres: psycopg.Connection, postgres_template: str
) -> Iterator[tuple[Path, Reused]]:
    """The same with its ledger in a PostgreSQL database: the home, and the database, over and over."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    with _database(postgres, postgres_template) as name:
        prepare(home, _url(name))
        with Reused(postgres, name) as made:
            yield home, made


@pytest.fixture(params=["sqlite", "postgresql"])
def ready(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ready]:
    """A company of this test's own whose first touches are signed and due."""
    home = tmp_path / "home"
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("prepared_sqlite"), home)
        made = Ready(home, f"sqlite:///{home / 'ledger' / 'ledger.db'}")
        yield made
        made.close()
        return
    prepared, database = request.getfixturevalue("prepared_postgres")
    shutil.copytree(prepared, home)
    made = Ready(home, database.url())
    yield made
    made.close()


@pytest.fixture(scope="session")
def system_of_others(postgres: psycopg.Connection) -> Iterator[str]:
    """The URL of a PostgreSQL database that is somebody else's system."""
    with _database(postgres) as name:
        yield _url(name)


@pytest.fixture
def postgres_database(system_of_others: str) -> Iterator[Engine]:
    """That database, empty."""
    with psycopg.connect(system_of_others) as conn:
        own = "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'"
        for (schema,) in conn.execute(own).fetchall():
            conn.execute(f"DROP SCHEMA {schema} CASCADE")
        conn.execute("CREATE SCHEMA public")
        conn.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    engine = create_engine(system_of_others.replace("postgresql://", "postgresql+psycopg://"))
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of this test's own, on SQLite and on PostgreSQL."""
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres_database")
        return
    engine = create_engine(f"sqlite:///{tmp_path / 'database.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def office(tmp_path: Path, ledger_url: str) -> Iterator[Office]:
    """A company that writes to accounts, before its first run."""
    made = open_office(tmp_path, ledger_url)
    yield made
    made.workspace.ledger.close()
