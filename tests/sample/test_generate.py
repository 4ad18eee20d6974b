"""The sample as a whole: the same bytes every time, whole files or none, and fast."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from tests.sample.crm import AS_OF, digests, rows

from reactivation.contract.tables import TABLES
from reactivation.sample import SampleError, SampleSummary, generate

ELSEWHERE = """
import sys
from datetime import datetime
from pathlib import Path
from reactivation.sample import generate
generate(Path(sys.argv[1]), as_of=datetime.fromisoformat(sys.argv[2]), customers=120, format=sys.argv[3])
"""


class TestBytes:
    """Same arguments, same bytes."""

    @pytest.mark.parametrize("format_", ["csv", "parquet"])
    def test_another_process_writes_the_same_bytes(self, tmp_path: Path, format_: str) -> None:
        """Neither the hash seed nor the time zone nor the number of threads of the process moves a byte."""
        written = []
        for number, (hash_seed, zone, threads) in enumerate([("0", "UTC", "1"), ("4711", "Pacific/Apia", "4")]):
            out = tmp_path / str(number)
            environment = {"PYTHONHASHSEED": hash_seed, "TZ": zone, "OMP_NUM_THREADS": threads,
                           "PYTHONPATH": os.pathsep.join(sys.path)}  # fmt: skip
            command = [sys.executable, "-c", ELSEWHERE, str(out), AS_OF.isoformat(), format_]
            subprocess.run(command, check=True, env=environment)
            written.append(digests(out))
        assert written[0] == written[1]
        assert len(written[0]) == len(TABLES) + 3

    def test_writing_again_into_the_same_folder_changes_nothing(self, tmp_path: Path) -> None:
        """A second run replaces the files by equal ones and leaves nothing else behind."""
        generate(tmp_path, customers=60, as_of=AS_OF)
        before = digests(tmp_path)
        generate(tmp_path, customers=60, as_of=AS_OF)
        assert digests(tmp_path) == before

    def test_an_instant_in_another_zone_is_the_same_instant(self, tmp_path: Path) -> None:
        """As-of is an instant, however it is written."""
        generate(tmp_path / "utc", customers=60, as_of=AS_OF)
        generate(tmp_path / "east", customers=60, as_of=AS_OF.astimezone(timezone(timedelta(hours=9))))
        assert digests(tmp_path / "utc") == digests(tmp_path / "east")

    def test_another_seed_tells_of_other_people(self, tmp_path: Path) -> None:
        """The seed decides the crowd; the hand-written customers stay."""
        generate(tmp_path / "a", customers=80, seed=1, as_of=AS_OF)
        generate(tmp_path / "b", customers=80, seed=2, as_of=AS_OF)
        one, two = rows(tmp_path / "a", "contacts"), rows(tmp_path / "b", "contacts")
        assert one["last_name"].tolist()[:20] == two["last_name"].tolist()[:20]
        assert one["last_name"].tolist()[50:80] != two["last_name"].tolist()[50:80]

    def test_the_first_customers_do_not_depend_on_how_many_follow(self, tmp_path: Path) -> None:
        """Three hundred customers are the first three hundred of five hundred."""
        generate(tmp_path / "a", customers=300, as_of=AS_OF, dirty_share=0)
        generate(tmp_path / "b", customers=500, as_of=AS_OF, dirty_share=0)
        for table in ("contacts", "purchases"):
            few, more = rows(tmp_path / "a", table), rows(tmp_path / "b", table)
            assert few.equals(more.head(len(few)))


class TestFiles:
    """What lies in the folder."""

    def test_all_tables_and_the_small_files_are_there(self, crm: Path) -> None:
        """Ten tables, the owners, when the source speaks, and the stories."""
        expected = {f"{name}.csv" for name in TABLES} | {"owners.yaml", "source.json", "README.txt"}
        assert {path.name for path in crm.iterdir()} == expected

    def test_the_source_says_when_it_speaks(self, crm: Path) -> None:
        """source.json carries the as-of that was asked for."""
        assert datetime.fromisoformat(json.loads((crm / "source.json").read_text())["as_of"]) == AS_OF

    def test_every_owner_of_the_data_is_declared(self, crm: Path) -> None:
        """No contact or account belongs to somebody owners.yaml does not know."""
        declared = set(yaml.safe_load((crm / "owners.yaml").read_text())["owners"])
        used = {*rows(crm, "contacts")["owner_id"], *rows(crm, "accounts")["owner_id"]} - {""}
        assert used == {"own-ada", "own-ben"}
        assert {"own-ada", "own-ben", "own-olu", "own-cleo"} <= declared

    def test_the_summary_counts_what_was_written(self, made: tuple[Path, SampleSummary]) -> None:
        """Rows of each table, spoilt duplicates included."""
        folder, summary = made
        assert {name: len(rows(folder, name)) for name in TABLES} == summary.rows

    def test_parquet_has_the_contracts_types(self, tmp_path: Path) -> None:
        """Every column of every table, in order, with its type."""
        generate(tmp_path, customers=150, as_of=AS_OF, format="parquet")
        for name, table in TABLES.items():
            schema = pq.read_schema(tmp_path / f"{name}.parquet")
            assert [(field.name, field.type) for field in schema] == [(c.name, c.type) for c in table.columns]

    def test_another_format_leaves_no_second_copy(self, tmp_path: Path) -> None:
        """A folder holds one file per table; files that are not ours stay."""
        generate(tmp_path, customers=20, as_of=AS_OF)
        (tmp_path / "notes.csv").write_text("mine")
        generate(tmp_path, customers=20, as_of=AS_OF, format="parquet")
        assert {path.name for path in tmp_path.glob("*.csv")} == {"notes.csv"}

    @pytest.mark.parametrize("customers", [1, 2, 37, 99])
    def test_a_handful_of_customers_is_a_sample_too(self, tmp_path: Path, customers: int) -> None:
        """Any number from one on works, with all tables."""
        generate(tmp_path, customers=customers, as_of=AS_OF)
        assert rows(tmp_path, "contacts")["customer_id"].nunique() == customers


class TestContract:
    """Clean rows fit the contract to the letter."""

    @pytest.mark.parametrize("name", list(TABLES))
    def test_a_clean_table_fits_the_contract(self, tmp_path: Path, name: str) -> None:
        """Without spoilt rows: required cells filled, codes known, keys unique, types exact."""
        generate(tmp_path, customers=400, as_of=AS_OF, dirty_share=0, format="parquet")
        table = TABLES[name]
        data = pq.read_table(tmp_path / f"{name}.parquet")
        for column in table.columns:
            values = data.column(column.name)
            assert not (column.required and values.null_count), column.name
            if column.values:
                assert set(values.to_pylist()) - {None} <= set(column.values), column.name
        assert len(set(data.column(table.key).to_pylist())) == data.num_rows

    def test_text_and_parquet_say_the_same(self, tmp_path: Path) -> None:
        """The CSV of a clean sample, read with the contract's types, is the Parquet file."""
        generate(tmp_path / "text", customers=150, as_of=AS_OF, dirty_share=0)
        generate(tmp_path / "typed", customers=150, as_of=AS_OF, dirty_share=0, format="parquet")
        for name, table in TABLES.items():
            typed = pq.read_table(tmp_path / "typed" / f"{name}.parquet")
            text = rows(tmp_path / "text", name)
            for column in table.columns:
                given = [_typed(cell, column.type) for cell in text[column.name]]
                assert pa.array(given, column.type).equals(typed.column(column.name).combine_chunks()), column.name

    @pytest.mark.parametrize(
        ("table", "column", "of"),
        [("purchases", "customer_id", "contacts"), ("engagements", "customer_id", "contacts"),
         ("consents", "customer_id", "contacts"), ("cases", "customer_id", "contacts"),
         ("cases", "account_id", "accounts"), ("contacts", "account_id", "accounts"),
         ("accounts", "primary_contact_id", "contacts")],
    )  # fmt: skip
    def test_tables_join_even_with_spoilt_rows(self, crm: Path, table: str, column: str, of: str) -> None:
        """At least 97 % of the references are found: more than readiness asks for."""
        references = rows(crm, table)[column]
        references = references[references != ""]
        assert references.isin(set(rows(crm, of)[TABLES[of].key])).mean() >= 0.97

    def test_nothing_happened_after_the_source_spoke(self, tmp_path: Path) -> None:
        """Facts lie before as-of."""
        generate(tmp_path, customers=400, as_of=AS_OF, dirty_share=0, format="parquet")
        facts = {
            "purchases": ["occurred_at", "cancelled_at"],
            "engagements": ["occurred_at"],
            "contacts": ["updated_at", "created_at"],
            "consents": ["occurred_at", "confirmed_at"],
            "suppressions": ["occurred_at"],
            "cases": ["opened_at", "closed_at"],
            "accounts": ["updated_at", "cancelled_at"],
        }
        for name, column in [(name, column) for name, columns in facts.items() for column in columns]:
            latest = max(filter(None, pq.read_table(tmp_path / f"{name}.parquet").column(column).to_pylist()))
            assert latest <= AS_OF, (name, column)


class TestRefusals:
    """What cannot be written is said, and nothing is half-written."""

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [({"customers": 0}, "customers is 0"), ({"dirty_share": 0.5}, "dirty_share is 0.5"),
         ({"format": "xlsx"}, "format is 'xlsx'"), ({"as_of": datetime(2026, 11, 24)}, "has no time zone")],  # noqa: DTZ001
    )  # fmt: skip
    def test_a_wrong_argument_is_named(self, tmp_path: Path, wrong: dict[str, object], says: str) -> None:
        """The message names the argument; no folder appears."""
        with pytest.raises(SampleError, match=says):
            generate(tmp_path / "out", **{"as_of": AS_OF, **wrong})  # type: ignore[arg-type]
        assert not (tmp_path / "out").exists()

    def test_a_file_in_the_place_of_the_folder_is_named(self, tmp_path: Path) -> None:
        """A file is never overwritten by a folder."""
        (tmp_path / "out").write_text("keep")
        with pytest.raises(SampleError, match="is a file"):
            generate(tmp_path / "out", as_of=AS_OF)
        assert (tmp_path / "out").read_text() == "keep"

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        """A wrong path is an error of the sample, with the path in it."""
        (tmp_path / "file").write_text("")
        with pytest.raises(SampleError, match="cannot write the sample into"):
            generate(tmp_path / "file" / "below", as_of=AS_OF)

    def test_a_failure_in_the_middle_keeps_the_earlier_sample(self, tmp_path: Path) -> None:
        """The old files stay as they were while the new ones cannot be completed."""
        generate(tmp_path, customers=30, as_of=AS_OF)
        before = digests(tmp_path)
        with pytest.raises(OverflowError):
            generate(tmp_path, customers=30, as_of=AS_OF, seed=_Broken())  # type: ignore[arg-type]
        assert digests(tmp_path) == before


class TestSpeed:
    """Fast enough to be a habit."""

    def test_twenty_thousand_customers_take_seconds(self, tmp_path: Path) -> None:
        """About 200,000 purchases and 400,000 engagements as text, well below half a minute on a busy machine."""
        began = time.monotonic()
        summary = generate(tmp_path, customers=20_000, as_of=AS_OF)
        assert time.monotonic() - began < 30
        assert summary.rows["purchases"] > 180_000
        assert summary.rows["engagements"] > 380_000


class _Broken:
    """A seed that fails once some tables are written."""

    drawn = 0

    def __str__(self) -> str:
        _Broken.drawn += 1
        if _Broken.drawn > 30:
            raise OverflowError
        return "7"


def _typed(cell: str, type_: pa.DataType) -> object:
    if cell == "":
        return None
    if pa.types.is_timestamp(type_):
        return datetime.fromisoformat(cell)
    if pa.types.is_decimal(type_):
        return Decimal(cell)
    if pa.types.is_integer(type_):
        return int(cell)
    if pa.types.is_boolean(type_):
        return {"true": True, "false": False}[cell]
    return cell.split("|") if pa.types.is_list(type_) else cell
