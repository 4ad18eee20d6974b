"""A database says what the same tables say as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, create_engine, event, text
from tests.builders import (
    AS_OF,
    KEYS,
    Row,
    case,
    consent,
    contact,
    days_ago,
    engagement,
    purchase,
    suppression,
    write_source,
)
from tests.databases import write_database
from tests.sources.reads import plus, read, rows, said

from reactivation.evidence import SnapshotFolder
from reactivation.sources import DatabaseSource, SourceAwayError, SourceError, extract, open_source, read_events

#: Files of a snapshot that do not depend on where a row lies in its file, or on how it is written there.
FACTS = ("accounts", "broken_nos", "cases", "claims", "consents", "contacts", "engagement_summary", "offers",
         "products", "profile", "purchase_summary", "suppressions")  # fmt: skip


def told(
    database: Engine, folder: Path, *, customer_ids: Sequence[str] | None = None, **replaced: Any
) -> SnapshotFolder:
    """A snapshot of the six customers kept in a database."""
    source = DatabaseSource(write_database(database, **replaced), "crm_db")
    return extract(
        source, into=folder / "told", snapshot_id="told", as_of=AS_OF, keys=KEYS, customer_ids=customer_ids
    )  # fmt: skip


def crossed(database: Engine, folder: Path, table: str) -> list[str]:
    """The customers whose facts a whole read brings over row by row."""
    with DatabaseSource(database, "crm_db").reading(folder) as reader:
        rest, _ = reader.condense(table, AS_OF)
        return sorted({str(who) for who in pq.read_table(rest.path)["customer_id"].to_pylist()})


DIRTY: dict[str, list[Row]] = {
    "purchases": plus(
        "purchases",
        purchase("b-1", "c-ben", days_ago(3)),  # the id is Ada's too
        purchase("b-9", " c-cem ", days_ago(3)),
        purchase("b-10", "c-dov", days_ago(3), amount="-1"),
        purchase("b-11", "c-ada", days_ago(3), currency="gbp", kind="Order"),
        purchase("b-12", None, days_ago(3)),  # type: ignore[arg-type]
        purchase("b-13", "c-gone", days_ago(3)),
        purchase("b-14", "c-fay", days_ago(-3)),
    ),
    "engagements": plus(
        "engagements",
        engagement("e-9", "c-ben", days_ago(1), "unsubscribed"),
        engagement("e-10", None, days_ago(1), "complaint"),  # type: ignore[arg-type]
        engagement("e-11", "c-fay", days_ago(1), "bounce"),
        engagement("e-12", "c-eva", days_ago(1), "browse", category="Möbel"),
    ),
    "contacts": plus("contacts", contact("c-ada", relationship="poor"), contact("c-bad", last_seen="?")),
}


class TestWholeRead:
    def test_says_what_files_say(self, tmp_path: Path, database: Engine) -> None:
        """Byte for byte, people included; the manifest names the connection and each table."""
        files, snapshot = read(tmp_path), told(database, tmp_path)
        assert snapshot.files == files.files
        assert said(snapshot, "purchases") == said(files, "purchases") | {"file": "crm_db: purchases"}
        (source,) = snapshot.manifest["sources"]
        assert (source["name"], source["speaks_as_of"]) == ("crm_db", "2026-11-17T09:00:00.000000+00:00")

    def test_dirt_is_judged_as_in_files(self, tmp_path: Path, database: Engine) -> None:
        """Duplicates, blanks around ids, unknown codes, unreadable times, nobody's rows: the same facts and counts."""
        files, snapshot = read(tmp_path, **DIRTY), told(database, tmp_path, **DIRTY)
        for name in FACTS:
            assert rows(snapshot, name) == rows(files, name), name

    def test_only_customers_in_question_cross_row_by_row(self, tmp_path: Path, database: Engine) -> None:
        """Everybody else is condensed in the database; who is in question comes with all of his rows."""
        write_database(database, **{**DIRTY, "purchases": plus("purchases", purchase("b-1", "c-ben", days_ago(3)))})
        assert crossed(database, tmp_path, "purchases") == ["c-ada", "c-ben"]
        assert crossed(database, tmp_path, "engagements") == ["None", "c-ben"]

    def test_a_table_without_columns_some_rows_need(self, tmp_path: Path, database: Engine) -> None:
        """A missing column is empty and named, as in a file; unknown ones stay behind."""
        bought = [{**purchase("b-1", "c-ada", days_ago(9)), "warehouse": "north"}]
        del bought[0]["margin"], bought[0]["category"]
        files, snapshot = read(tmp_path, purchases=bought), told(database, tmp_path, purchases=bought)
        assert rows(snapshot, "purchase_summary") == rows(files, "purchase_summary")
        assert said(snapshot, "purchases")["missing_columns"] == ["margin", "category"]
        assert said(snapshot, "purchases")["unknown_columns"] == ["warehouse"]

    def test_facts_of_a_type_that_cannot_be_judged_there(self, tmp_path: Path, database: Engine) -> None:
        """A column of texts where instants belong: the table is read row by row and says the same."""
        bought = plus("purchases", purchase("b-9", "c-ada", "03/02/2026 nonsense"))  # type: ignore[arg-type]
        files, snapshot = read(tmp_path, purchases=bought), told(database, tmp_path, purchases=bought)
        assert rows(snapshot, "purchase_summary") == rows(files, "purchase_summary")
        assert rows(snapshot, "profile") == rows(files, "profile")

    def test_a_missing_table_is_an_absent_one(self, tmp_path: Path, database: Engine) -> None:
        """Readiness judges it."""
        snapshot = told(database, tmp_path, cases=None, engagements=None)
        assert not said(snapshot, "cases")["present"]
        assert snapshot.read("engagement_summary").num_rows == 0

    def test_views_will_do(self, tmp_path: Path, database: Engine) -> None:
        """Names of the company's own behind a view; a live database says now."""
        write_database(database)
        with database.begin() as connection:
            connection.execute(text("ALTER TABLE purchases RENAME TO invoices"))
            connection.execute(text('CREATE VIEW purchases AS SELECT purchase_id AS "Purchase ID", customer_id, '
                                    "occurred_at, kind, amount, currency FROM invoices"))  # fmt: skip
        source = DatabaseSource(database, "crm_db")
        snapshot = extract(source, into=tmp_path / "s", snapshot_id="s", as_of=AS_OF, keys=KEYS)
        assert snapshot.read("purchase_summary").num_rows == 6

    def test_a_schema_of_its_own(self, tmp_path: Path, postgres_database: Engine) -> None:
        """PostgreSQL keeps the tables of several systems apart."""
        write_database(postgres_database, schema="billing", only=["purchases"])
        source = DatabaseSource(postgres_database, "erp", schema="billing")
        with source.reading(tmp_path) as reader:
            assert list(reader.tables) == ["purchases"]
            assert reader.fetch("purchases").shown == "erp: billing.purchases"


class TestById:
    @pytest.mark.parametrize("ids", [["c-ada"], ["c-cem", "c-eva"], ["c-o'neil"], ["c-gone"], []], ids=str)
    def test_says_of_them_what_files_say(self, tmp_path: Path, database: Engine, ids: list[str]) -> None:
        """Those who share an address, noes of nobody, doubles of a key and cases of an account included."""
        odd: dict[str, list[Row]] = {
            "contacts": plus(
                "contacts",
                contact("c-ida", email="Ida <ADA.hart@Gmail.com>"),
                contact("c-ona", email=None, phone="+44 (0)7400-123456"),
                contact("c-ida", email="old@gmail.com", updated_at=days_ago(9)),
                contact("c-o'neil", email="o'neil@x.com", country="DE"),
            ),
            "suppressions": [
                suppression("s-1", customer_id="c-ida"), suppression("s-2", address="mailto:ada.hart@gmail.com"),
                suppression("s-3", address="?"), suppression("s-4", address="07400 123456"), suppression("s-5"),
            ],
            "consents": plus("consents", consent("r-ada", "c-ben", state="withdrawn"), consent("r-9", "eve@x.de")),
            "cases": plus("cases", case("k-8", account_id="a-quay"), case("k-9")),
            "engagements": DIRTY["engagements"],
        }  # fmt: skip
        files, few = read(tmp_path, customer_ids=ids, **odd), told(database, tmp_path, customer_ids=ids, **odd)
        for name in FACTS:
            assert rows(few, name) == rows(files, name), name

    def test_events(self, tmp_path: Path, database: Engine) -> None:
        """What they did, fact by fact, a broken no included."""
        write_database(database, **DIRTY)
        asked = {"customer_ids": ["c-ben", "c-fay"], "since": days_ago(10)}
        found = read_events(DatabaseSource(database, "crm_db"), **asked)
        assert found == read_events(open_source(write_source(tmp_path / "files", **DIRTY)), **asked)
        assert "engagements:e-9" in found["event_id"].to_pylist()


class TestWhatIsRefused:
    def test_a_database_that_does_not_say_when_it_speaks(self, database: Engine) -> None:
        """Unknown is no; the fix is a view."""
        source = DatabaseSource(write_database(database, as_of=None), "crm_db")
        with pytest.raises(
            SourceError, match=r"crm_db does not say as of when it speaks; make a table or view source_s"
        ):
            source.speaks_as_of()

    def test_says_with_two_answers(self, database: Engine) -> None:
        """Or with none that is a time."""
        write_database(database)
        with database.begin() as connection:
            connection.execute(text("INSERT INTO source_says SELECT * FROM source_says"))
        with pytest.raises(SourceError, match="must have one row with a time in as_of"):
            DatabaseSource(database, "crm_db").speaks_as_of()

    def test_no_table_of_the_contract(self, tmp_path: Path, database: Engine) -> None:
        """A wrong schema or database looks like this."""
        source = DatabaseSource(write_database(database, only=[]), "crm_db")
        with pytest.raises(SourceError, match="crm_db has no table or view named after"), source.reading(tmp_path):
            pass

    def test_a_view_that_broke(self, tmp_path: Path, postgres_database: Engine) -> None:
        """Named with the connection, the table and a fix; the value that broke it is not repeated."""
        write_database(postgres_database, purchases=None)
        with postgres_database.begin() as connection:
            connection.execute(text("CREATE VIEW purchases AS SELECT 'ada@x.de'::text::int AS purchase_id, "
                                    "'c-1' AS customer_id, now() AS occurred_at, 'order' AS kind"))  # fmt: skip
        source = DatabaseSource(postgres_database, "crm_db")
        with pytest.raises(SourceError, match=r"crm_db: purchases has a value .*SQLSTATE 22P02") as refused:
            extract(source, into=tmp_path / "s", snapshot_id="s", as_of=AS_OF, keys=KEYS)
        assert "ada@x.de" not in str(refused.value)
        assert refused.value.__suppress_context__

    def test_no_permission(self, tmp_path: Path, postgres_database: Engine) -> None:
        """The fix is a grant."""
        write_database(postgres_database)
        with postgres_database.begin() as connection:
            connection.execute(text("REVOKE ALL ON cases FROM PUBLIC"))
        refused = pytest.raises(SourceError, match=r"crm_db: \w+ may not be read; grant SELECT")
        with _stranger(postgres_database) as stranger, refused:
            extract(stranger, into=tmp_path / "s", snapshot_id="s", as_of=AS_OF, keys=KEYS)

    def test_a_database_that_is_not_there(self, tmp_path: Path) -> None:
        """Named by its connection, without its password."""
        engine = create_engine("postgresql+psycopg://ada:s3cret@127.0.0.1:1/none", connect_args={"connect_timeout": 2})
        with pytest.raises(SourceAwayError, match="crm_db: the database cannot be reached") as refused:
            DatabaseSource(engine, "crm_db").speaks_as_of()
        assert "s3cret" not in str(refused.value)


@contextmanager
def _stranger(engine: Engine) -> Iterator[DatabaseSource]:
    """The same database as a user that may read nothing but when it speaks. Roles belong to the whole server, where
    other tests run too: this one has a name of its own and goes in the end."""
    name = f"reactivation_stranger_{uuid4().hex[:12]}"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {name}"))
        connection.execute(text(f"GRANT SELECT ON source_says TO {name}"))
    stranger = create_engine(engine.url)

    @event.listens_for(stranger, "connect")
    def _become(connection: Any, _record: Any) -> None:
        connection.execute(f"SET ROLE {name}")
        connection.commit()

    try:
        yield DatabaseSource(stranger, "crm_db")
    finally:
        stranger.dispose()
        with engine.begin() as connection:
            connection.execute(text(f"DROP OWNED BY {name}"))
            connection.execute(text(f"DROP ROLE {name}"))
