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
from tests.sending import Ready, prepare

from reactivation.ledger import migrations
from reactivation.ledger.engine import Ledger, open_ledger

# A property is about outcomes; how long a busy machine takes for one example is not.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

POSTGRES = os.environ.get("REACTIVATION_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/")


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


class _database:
    """A database that lives as long as the block."""

    def __init__(self, server: psycopg.Connection, template: str = "template1") -> None:
        self.server, self.template, self.name = server, template, f"reactivation_test_{uuid4().hex[:12]}"

    def __enter__(self) -> str:
        self.server.execute(f"CREATE DATABASE {self.name} TEMPLATE {self.template}")
        return self.name

    def __exit__(self, *_: object) -> None:
        self.server.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


def _url(database: str) -> str:
    return f"{POSTGRES.rstrip('/')}/{database}"


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
    template = request.getfixturevalue("postgres_template")
    with _database(request.getfixturevalue("postgres"), template) as name:
        yield _url(name)


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
) -> Iterator[tuple[Path, str]]:
    """The same with its ledger in a PostgreSQL database: the home, and the database's name."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    with _database(postgres, postgres_template) as name:
        prepare(home, _url(name))
        yield home, name


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
    prepared, template = request.getfixturevalue("prepared_postgres")
    shutil.copytree(prepared, home)
    with _database(request.getfixturevalue("postgres"), template) as name:
        made = Ready(home, _url(name))
        yield made
        made.close()


@pytest.fixture
def postgres_database(postgres: psycopg.Connection) -> Iterator[Engine]:
    """An empty PostgreSQL database of this test's own, as somebody else's system would be."""
    with _database(postgres) as name:
        engine = create_engine(_url(name).replace("postgresql://", "postgresql+psycopg://"))
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
