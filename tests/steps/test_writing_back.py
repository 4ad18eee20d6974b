# ruff: noqa: S608 - SQL is made of names of the tests only
"""Tags are written back to where the settings say: one way, and nothing else is."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, NullPool, create_engine, event, inspect, text
from tests.builders import KEYS
from tests.databases import write_database
from tests.ledgers import NOW

from reactivation.ledger import erasures, tags
from reactivation.ledger.bulk import insert_rows
from reactivation.ledger.engine import Ledger, open_ledger
from reactivation.ledger.tables import tags as tags_
from reactivation.sources import SourceAwayError, SourceError
from reactivation.steps.settings import ConfigurationError, Settings
from reactivation.steps.workspace import Workspace
from reactivation.steps.writing_back import write_tags_back

TAG = "customer_reactivation_no_response"
LATER = NOW + timedelta(days=7, microseconds=123_456)
SECONDS_OF_LATER = LATER.replace(microsecond=0)
NOTHING = {"tags_new": 0, "tags_changed": 0, "tags_erased": 0}
PAGE = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text(encoding="utf-8")
#: Which ledger it is makes no difference to what is there.
on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


def made(instant: str = "TIMESTAMP WITH TIME ZONE") -> str:
    """The statement of docs/deploy.md, with this type of its instants."""
    (statement,) = re.findall(r"^CREATE TABLE reactivation_tags \(.*?^\)", PAGE, re.M | re.S)
    return re.sub(r" +--.*", "", statement).replace("TIMESTAMP WITH TIME ZONE", instant)


@pytest.fixture
def house(tmp_path: Path, ledger: Ledger, database: Engine) -> Workspace:
    """A ledger, and a CRM that waits for its tags."""
    do(database, made() if database.dialect.name == "postgresql" else made("DATETIME"))
    return at_home(tmp_path, ledger, database)


def at_home(home: Path, ledger: Ledger, database: Engine, to: str = "connection:crm_db") -> Workspace:
    settings = Settings(
        home=home, ledger_url="", address_keys=(), source="", tags_to=to, connect_to_write={"crm_db": database}.get
    )  # type: ignore[arg-type]
    return Workspace(settings, ledger, KEYS)


def put(house: Workspace, *customers: str, at: datetime = NOW) -> None:
    with house.ledger.begin() as conn:
        for one in customers:
            tags.put(conn, customer_id=one, tag=TAG, actor="test", now=at)


def take_off(house: Workspace, customer: str, at: datetime = LATER) -> None:
    with house.ledger.begin() as conn:
        tags.take_off(conn, customer_id=customer, tag=TAG, actor="test", now=at)


def erase(house: Workspace, customer: str) -> None:
    with house.ledger.begin() as conn:
        erasures.record(
            conn, customers=[customer], address_keys=[], reason="person_asked", actor="cleo", now=LATER
        )  # fmt: skip


def put_many(house: Workspace, count: int) -> list[str]:
    customers = [f"c-{number:05}" for number in range(count)]
    with house.ledger.begin() as conn:
        insert_rows(conn, tags_, [{"customer_id": c, "tag": TAG, "set_at": NOW, "removed_at": None} for c in customers])
    return customers


def do(database: Engine, statement: str) -> None:
    with database.begin() as connection:
        connection.execute(text(statement))


def there(database: Engine) -> list[tuple[str, datetime, datetime | None]]:
    """Customer, when set and when taken off, by customer."""
    with database.connect() as connection:
        found = connection.execute(text("SELECT customer_id, tag, set_at, removed_at FROM reactivation_tags"))
        rows = [(row.customer_id, _instant(row.set_at), _instant(row.removed_at), row.tag) for row in found]
    assert {tag for *_, tag in rows} <= {TAG}
    return sorted(row[:3] for row in rows)  # type: ignore[misc]


def _instant(value: Any) -> datetime | None:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at and (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))


def everything_else(database: Engine) -> dict[str, list[str]]:
    """Every row of every table but ours."""
    names = sorted({*inspect(database).get_table_names()} - {"reactivation_tags"})
    with database.connect() as connection:
        return {name: sorted(map(str, connection.execute(text(f"SELECT * FROM {name}")))) for name in names}


class TestEveryLedger:
    def test_has_tags_that_were_set_and_taken_off(self, house: Workspace, database: Engine) -> None:
        """Each from when until when, in whole seconds of UTC; one set again is a row of its own."""
        put(house, "c-ann", "c-bob")
        assert write_tags_back(house) == NOTHING | {"tags_new": 2}
        take_off(house, "c-ann")
        put(house, "c-cat", at=LATER)
        assert write_tags_back(house) == NOTHING | {"tags_new": 1, "tags_changed": 1}
        put(house, "c-ann", at=LATER + timedelta(days=200))
        assert write_tags_back(house) == NOTHING | {"tags_new": 1}
        assert there(database) == [
            ("c-ann", NOW, SECONDS_OF_LATER), ("c-ann", SECONDS_OF_LATER + timedelta(days=200), None),
            ("c-bob", NOW, None), ("c-cat", SECONDS_OF_LATER, None),
        ]  # fmt: skip
        assert write_tags_back(house) == NOTHING

    def test_has_tags_set_and_taken_off_before_anybody_wrote(self, house: Workspace, database: Engine) -> None:
        """Arrives as both at once."""
        put(house, "c-ann")
        take_off(house, "c-ann")
        assert write_tags_back(house) == NOTHING | {"tags_new": 1}
        assert there(database) == [("c-ann", NOW, SECONDS_OF_LATER)]

    def test_of_somebody_erased_goes(self, house: Workspace, database: Engine) -> None:
        """The next writing takes out what stood there of them, and none writes it again."""
        put(house, "c-ann", "c-bob", "c-cat")
        erase(house, "c-cat")
        write_tags_back(house)
        assert [who for who, *_ in there(database)] == ["c-ann", "c-bob"]
        erase(house, "c-ann")
        assert write_tags_back(house) == NOTHING | {"tags_erased": 1}
        assert there(database) == [("c-bob", NOW, None)]
        assert write_tags_back(house) == NOTHING


@on_sqlite
class TestATable:
    def test_says_what_the_ledger_says(self, house: Workspace, database: Engine) -> None:
        """What somebody changed or removed in it by hand is put right; rows of nobody we know are not ours."""
        put(house, "c-ann", "c-bob")
        write_tags_back(house)
        do(database, "UPDATE reactivation_tags SET removed_at = set_at WHERE customer_id = 'c-ann'")
        do(database, "DELETE FROM reactivation_tags WHERE customer_id = 'c-bob'")
        do(database, f"INSERT INTO reactivation_tags VALUES ('theirs', '{TAG}', '2026-01-01 00:00:00.000000', NULL)")
        assert write_tags_back(house) == NOTHING | {"tags_new": 1, "tags_changed": 1}
        assert [row for row in there(database) if row[0] != "theirs"] == [("c-ann", NOW, None), ("c-bob", NOW, None)]
        assert len(there(database)) == 3

    def test_is_all_that_is_written_to(self, house: Workspace, database: Engine) -> None:
        """Nothing else of the CRM changes: no consent, no address, no subscription."""
        write_database(database)
        before = everything_else(database)
        assert {"contacts", "consents", "suppressions"} <= set(before)
        put(house, "c-ada", "c-ben")
        take_off(house, "c-ben")
        write_tags_back(house)
        assert everything_else(database) == before

    def test_is_written_in_whole_batches(self, house: Workspace, database: Engine) -> None:
        """Whoever is killed in the middle of the second leaves the first; the next writing does the rest."""
        customers = put_many(house, 1_200)
        url = database.url.render_as_string(hide_password=False)
        child = os.fork()
        if child == 0:
            try:
                _write_and_die(house, url)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        assert [who for who, *_ in there(database)] == customers[:500]
        assert write_tags_back(house) == NOTHING | {"tags_new": 700}
        assert there(database) == [(who, NOW, None) for who in customers]

    def test_refuses_a_batch_as_a_whole(self, house: Workspace, database: Engine) -> None:
        """A rule of the table against one row keeps its whole batch out; nothing personal is quoted."""
        put(house, "c-ann", "c-bob")
        do(database, "CREATE UNIQUE INDEX one_only ON reactivation_tags (tag)")
        with pytest.raises(SourceAwayError, match="crm_db: reactivation_tags ") as refused:
            write_tags_back(house)
        assert "c-" not in str(refused.value)
        assert there(database) == []
        do(database, "DROP INDEX one_only")
        write_tags_back(house)
        assert len(there(database)) == 2


def _write_and_die(house: Workspace, url: str) -> None:
    """In a process of its own, killed when the second batch is with the database and before it is committed."""
    engine, batches = create_engine(url, poolclass=NullPool), []

    @event.listens_for(engine, "after_cursor_execute")
    def _count(*given: Any) -> None:
        if "INSERT INTO reactivation_tags" in given[2]:
            batches.append(given)
            if len(batches) == 2:
                os.kill(os.getpid(), signal.SIGKILL)

    own = open_ledger(house.ledger.engine.url.render_as_string(hide_password=False))
    write_tags_back(at_home(house.settings.home, own, engine))


@on_sqlite
class TestATableThatIsNotAsItShouldBe:
    @pytest.fixture
    def house(self, tmp_path: Path, ledger: Ledger, database: Engine) -> Workspace:
        house = at_home(tmp_path, ledger, database)
        put(house, "c-ann")
        return house

    def test_is_never_made(self, house: Workspace, database: Engine) -> None:
        """The message has the statement that makes it, for this database."""
        with pytest.raises(SourceError, match="crm_db: reactivation_tags is not there") as refused:
            write_tags_back(house)
        assert inspect(database).get_table_names() == []
        do(database, str(refused.value).partition("Make it with: ")[2])
        write_tags_back(house)
        assert there(database) == [("c-ann", NOW, None)]
        assert inspect(database).get_pk_constraint("reactivation_tags")["constrained_columns"] == [
            "customer_id", "tag", "set_at"
        ]  # fmt: skip

    def test_lacks_a_column(self, house: Workspace, database: Engine) -> None:
        """The message has the statement that adds it."""
        do(database, re.sub(r"removed_at \w+,", "", made("TIMESTAMP")))
        with pytest.raises(SourceError, match="reactivation_tags has no removed_at") as refused:
            write_tags_back(house)
        do(database, str(refused.value).partition("Add it with: ")[2])
        write_tags_back(house)
        assert there(database) == [("c-ann", NOW, None)]

    def test_has_a_column_of_another_type(self, house: Workspace, database: Engine) -> None:
        """Named, with the type it should have."""
        do(database, made("INTEGER"))
        with pytest.raises(SourceError, match=r"set_at is INTEGER; make it (DATETIME|TIMESTAMP WITH TIME ZONE)"):
            write_tags_back(house)


@on_sqlite
class TestOnPostgres:
    def test_instants_without_a_zone_are_utc(
        self, tmp_path: Path, ledger: Ledger, postgres_database: Engine
    ) -> None:  # fmt: skip
        """Wherever the server believes to be."""
        do(postgres_database, made("TIMESTAMP"))
        far = create_engine(postgres_database.url, connect_args={"options": "-c timezone=Asia/Tokyo"})
        house = at_home(tmp_path, ledger, far)
        put(house, "c-ann")
        write_tags_back(house)
        assert there(postgres_database) == [("c-ann", NOW, None)]
        assert write_tags_back(house) == NOTHING
        far.dispose()

    def test_in_a_schema(self, tmp_path: Path, ledger: Ledger, postgres_database: Engine) -> None:
        """``connection:ID/SCHEMA``; also in the statement that is asked for."""
        do(postgres_database, "CREATE SCHEMA marketing")
        house = at_home(tmp_path, ledger, postgres_database, "connection:crm_db/marketing")
        put(house, "c-ann")
        with pytest.raises(SourceError, match=r"crm_db: marketing\.reactivation_tags is not there") as refused:
            write_tags_back(house)
        do(postgres_database, str(refused.value).partition("Make it with: ")[2])
        assert write_tags_back(house) == NOTHING | {"tags_new": 1}

    def test_without_the_right_to_write(
        self, tmp_path: Path, ledger: Ledger, postgres_database: Engine
    ) -> None:  # fmt: skip
        """What has to be granted is named, and is enough."""
        do(postgres_database, made())
        do(postgres_database, "GRANT SELECT ON reactivation_tags TO pg_monitor")
        other = create_engine(postgres_database.url, connect_args={"options": "-c role=pg_monitor"})
        house = at_home(tmp_path, ledger, other)
        put(house, "c-ann")
        with pytest.raises(SourceError, match="grant SELECT, INSERT, UPDATE and DELETE"):
            write_tags_back(house)
        do(postgres_database, "GRANT INSERT, UPDATE, DELETE ON reactivation_tags TO pg_monitor")
        assert write_tags_back(house) == NOTHING | {"tags_new": 1}
        take_off(house, "c-ann")
        assert write_tags_back(house) == NOTHING | {"tags_changed": 1}
        erase(house, "c-ann")
        assert write_tags_back(house) == NOTHING | {"tags_erased": 1}
        other.dispose()

    def test_that_cannot_be_reached(self, tmp_path: Path, ledger: Ledger) -> None:
        """Another try may mend it."""
        nowhere = create_engine("postgresql+psycopg://ada:s3cret@127.0.0.1:1/none", connect_args={"connect_timeout": 2})
        with pytest.raises(SourceAwayError, match="cannot be reached or written") as refused:
            write_tags_back(at_home(tmp_path, ledger, nowhere))
        assert "s3cret" not in str(refused.value)


@on_sqlite
class TestAFile:
    @pytest.fixture
    def house(self, tmp_path: Path, ledger: Ledger) -> Workspace:
        settings = Settings(home=tmp_path, ledger_url="", address_keys=(), source="", tags_to=str(tmp_path))
        return Workspace(settings, ledger, KEYS)

    def test_has_the_tags_that_stand(self, house: Workspace, tmp_path: Path) -> None:
        """By customer, instants in UTC; replaced whole each time, and whoever was erased is not in it."""
        put(house, "c-cat", "c-ann", at=LATER)
        put(house, "c-bob", "c-dan")
        assert write_tags_back(house) == {"tags_standing": 4}
        take_off(house, "c-bob", LATER + timedelta(days=1))
        erase(house, "c-dan")
        assert write_tags_back(house) == {"tags_standing": 2}
        assert (tmp_path / "reactivation_tags.csv").read_text(encoding="utf-8").splitlines() == [
            "customer_id,tag,set_at", f"c-ann,{TAG},2026-03-10T11:00:00Z", f"c-cat,{TAG},2026-03-10T11:00:00Z",
        ]  # fmt: skip
        assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["reactivation_tags.csv"]

    def test_has_a_heading_when_nobody_bears_a_tag(self, house: Workspace, tmp_path: Path) -> None:
        """An empty list is an answer, too."""
        assert write_tags_back(house) == {"tags_standing": 0}
        assert (tmp_path / "reactivation_tags.csv").read_text(encoding="utf-8").strip() == "customer_id,tag,set_at"

    def test_in_an_object_store(self, house: Workspace) -> None:
        """The same, by its URL."""
        from upath import UPath

        put(house, "c-ann")
        there = "memory://crm/exports"
        assert write_tags_back(replace(house, settings=replace(house.settings, tags_to=there)))
        assert "c-ann" in (UPath(there) / "reactivation_tags.csv").read_text()

    def test_in_a_folder_that_is_not_there(self, house: Workspace, tmp_path: Path) -> None:
        """A wrong path does not become a new folder."""
        wrong = tmp_path / "typo"
        with pytest.raises(SourceError, match=r"there is no folder .*typo"):
            write_tags_back(replace(house, settings=replace(house.settings, tags_to=str(wrong))))
        assert not wrong.exists()


@on_sqlite
class TestSettings:
    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    def test_name_no_place(self, house: Workspace, database: Engine) -> None:
        """Nothing is written, and nothing is said."""
        put(house, "c-ann")
        assert write_tags_back(replace(house, settings=replace(house.settings, tags_to=""))) == {}
        assert there(database) == []

    @pytest.mark.parametrize(
        ("place", "said"), [("connection:", "REACTIVATION_TAGS_TO=connection: names no connection"),
                            ("connection:erp", "there is no connection erp")],
    )  # fmt: skip
    def test_name_a_connection_there_is_not(self, tmp_path: Path, ledger: Ledger, place: str, said: str) -> None:
        """With the setting and the fix."""
        settings = Settings(home=tmp_path, ledger_url="", address_keys=(), source="", tags_to=place)
        with pytest.raises(ConfigurationError, match=said):
            write_tags_back(Workspace(settings, ledger, KEYS))
