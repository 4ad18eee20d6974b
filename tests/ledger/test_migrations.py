"""The migrations: up, down, up again, and nothing between them and ``tables.py``."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import column, insert, inspect, select, table
from sqlalchemy.exc import IntegrityError

from reactivation.ledger import migrations, tables
from reactivation.ledger.engine import HEAD, VERSION_TABLE, Ledger, LedgerError, open_ledger
from reactivation.ledger.migrations.versions import m0001_foundation as foundation
from reactivation.ledger.migrations.versions import m0003_waivers as waivers
from reactivation.ledger.migrations.versions import m0004_privacy as privacy
from reactivation.ledger.migrations.versions import m0005_replies as replies
from reactivation.ledger.migrations.versions import m0007_accounts as accounts
from reactivation.ledger.migrations.versions import m0008_pilots as pilots
from reactivation.ledger.migrations.versions import m0009_variants as variants
from reactivation.ledger.migrations.versions import m0010_edits as edits

_AT = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)


def _tables(url: str) -> set[str]:
    ledger = open_ledger(url)
    with ledger.unchecked() as conn:
        names = set(inspect(conn).get_table_names())
    ledger.close()
    return names


def test_migrating_up_gives_exactly_the_declared_tables(ledger: Ledger) -> None:
    """What the migrations build and what ``tables.py`` declares are the same, down to types and indexes."""
    with ledger.begin() as conn:
        context = MigrationContext.configure(conn, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_up_down_and_up_again(empty_database_url: str) -> None:
    """A ledger can be taken down to nothing and built again."""
    assert migrations.current(empty_database_url) is None
    migrations.upgrade(empty_database_url)
    assert migrations.current(empty_database_url) == HEAD
    migrations.downgrade(empty_database_url)
    assert _tables(empty_database_url) == {VERSION_TABLE}
    assert migrations.current(empty_database_url) is None
    migrations.upgrade(empty_database_url)
    assert migrations.current(empty_database_url) == HEAD
    assert _tables(empty_database_url) == {VERSION_TABLE, *tables.metadata.tables}


def test_a_ledger_in_use_goes_up_with_what_it_has(empty_database_url: str) -> None:
    """Events stay; of a tag that two recorders had set at once the first stays standing."""
    migrations.upgrade(empty_database_url, "0001")
    ledger = open_ledger(empty_database_url)
    with ledger.unchecked() as conn:
        told = ("event_id", "kind", "occurred_at", "recorded_at", "source", "crossed")
        values = ["e-1", "order", _AT, _AT, "source", False]
        conn.execute(insert(table("events", *map(column, told))).values(dict(zip(told, values, strict=True))))
        for minutes in (1, 0):
            row = {"customer_id": "C001", "tag": "quiet", "set_at": _AT + timedelta(minutes=minutes)}
            conn.execute(insert(tables.tags).values(row))
    migrations.upgrade(empty_database_url)
    with ledger.begin() as conn:
        assert conn.execute(select(tables.events.c.event_id, tables.events.c.amount)).all() == [("e-1", None)]
        standing = select(tables.tags.c.set_at).where(tables.tags.c.removed_at.is_(None))
        assert conn.scalars(standing).all() == [_AT]
        with pytest.raises(IntegrityError, match="never changed"):
            conn.execute(tables.events.update().values(amount=1))
    migrations.downgrade(empty_database_url, "0001")
    with ledger.unchecked() as conn:
        assert conn.scalars(select(column("event_id")).select_from(table("events"))).all() == ["e-1"]
    ledger.close()


def test_upgrading_twice_changes_nothing(ledger_url: str) -> None:
    """An upgrade of a ledger that is up to date does nothing."""
    before = _tables(ledger_url)
    migrations.upgrade(ledger_url)
    assert _tables(ledger_url) == before


def test_the_code_knows_the_newest_revision() -> None:
    """``engine.HEAD`` is the newest file of the folder of revisions."""
    assert ScriptDirectory(str(Path(migrations.__file__).parent)).get_heads() == [HEAD]


def test_the_migration_guards_what_the_tables_declare_guarded() -> None:
    """The triggers of the migrations cover exactly ``APPEND_ONLY`` and ``CHANGES_ONLY``."""
    rooms = (foundation, waivers, privacy, accounts, variants, edits)
    guarded = {name for room in rooms for name in room.APPEND_ONLY}
    assert guarded == set(tables.APPEND_ONLY)
    frozen = foundation.FROZEN | privacy.FROZEN | replies.FROZEN | pilots.FROZEN | variants.FROZEN
    for name, free in tables.CHANGES_ONLY.items():
        assert set(frozen[name]) == {c.name for c in tables.metadata.tables[name].columns} - set(free)


def test_a_ledger_without_tables_is_refused_with_the_fix(empty_database_url: str) -> None:
    """Work on an unmigrated ledger stops at once, and the message says what to run."""
    ledger = open_ledger(empty_database_url)
    with pytest.raises(LedgerError, match="reactivation ledger upgrade"), ledger.begin():
        pass
    ledger.close()
    if ledger.dialect == "sqlite":
        assert not Path(str(ledger.engine.url.database)).exists(), "a mistyped path must not become an empty ledger"


def test_a_ledger_of_another_revision_is_refused(ledger: Ledger) -> None:
    """An older or newer ledger is refused with both revisions in the message."""
    with ledger.unchecked() as conn:
        conn.execute(table(VERSION_TABLE, column("version_num")).update().values(version_num="0000"))
    with pytest.raises(LedgerError, match=f"revision 0000, this version needs {HEAD}"), ledger.begin():
        pass


def test_a_ledger_that_cannot_be_reached_is_named_without_its_password() -> None:
    """An unreachable database is a ``LedgerError`` with the address, the fix and no password."""
    ledger = open_ledger("postgresql://somebody:secret@127.0.0.1:1/ledger")
    with (
        pytest.raises(LedgerError, match=r"127\.0\.0\.1:1/ledger cannot be used.*Start the database") as caught,
        ledger.begin(),
    ):
        pass
    assert "secret" not in str(caught.value)
    ledger.close()


def test_a_file_that_is_no_database_is_a_ledger_error(tmp_path: Path) -> None:
    """A text file in the ledger's place is reported, not overwritten."""
    file = tmp_path / "ledger.db"
    file.write_text("this is no database, but a text of some length\n" * 50)
    before = file.read_bytes()
    ledger = open_ledger(f"sqlite:///{file}")
    with pytest.raises(LedgerError, match="not a database"), ledger.begin():
        pass
    assert file.read_bytes() == before


@pytest.mark.parametrize("url", ["mysql://root@127.0.0.1/ledger", "sqlite://", "sqlite:///:memory:", "nonsense"])
def test_only_lasting_databases_we_know_are_opened(url: str) -> None:
    """Other databases and databases in memory are refused."""
    with pytest.raises(LedgerError, match=r"sqlite:///FILE|use SQLite"):
        open_ledger(url)


def test_the_migrations_travel_with_the_package(tmp_path: Path) -> None:
    """The folder works wherever the package is installed, also below a path with a percent sign."""
    copied = tmp_path / "100% here"
    shutil.copytree(Path(migrations.__file__).parent, copied)
    assert ScriptDirectory(str(copied)).get_current_head() == HEAD
