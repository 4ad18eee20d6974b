"""Files as the world sends them: formats, encodings, broken ones."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.builders import AS_OF, KEYS, contact, purchase, tables, write_source
from tests.sources.reads import column, problems, read, rows, said
from upath import UPath

from reactivation.sources import SourceError, extract, open_source

HEADER = "customer_id,business_segment,is_subscriber_only,created_at,updated_at,first_name"
ADA = "c-ada,household,false,2024-01-01,2026-11-16,Ada"
BEN = "c-ben,household,false,2024-01-01,2026-11-16,Ben"


class TestFormats:
    @pytest.mark.parametrize("ending", ["jsonl", "parquet"])
    def test_the_same_rows_give_the_same_snapshot(self, tmp_path: Path, ending: str) -> None:
        """CSV, JSON lines and Parquet are ways to write one thing: every file is the same, byte for byte."""
        as_csv = read(tmp_path / "csv")
        other = read(tmp_path / ending, formats=dict.fromkeys(tables(), ending))
        assert other.files == as_csv.files

    def test_a_source_in_an_object_store(self, tmp_path: Path) -> None:
        """A folder behind a URL is read like one on the disk."""
        local = write_source(tmp_path / "source")
        remote = UPath(f"memory://{uuid4()}/crm")
        remote.mkdir(parents=True)
        for file in local.iterdir():
            (remote / file.name).write_bytes(file.read_bytes())
        found = extract(open_source(str(remote)), into=tmp_path / "far", snapshot_id="s", as_of=AS_OF, keys=KEYS)
        near = extract(open_source(local), into=tmp_path / "near", snapshot_id="s", as_of=AS_OF, keys=KEYS)
        assert found.files == near.files

    @pytest.mark.parametrize(
        "text",
        [
            f"{HEADER}\n{ADA}\n{BEN}\n",
            f"\ufeff{HEADER}\r\n{ADA}\r\n{BEN}\r\n",
            f"{HEADER}\r\n{ADA}\n{BEN}",
            f"{HEADER}\r\n{ADA},\n{BEN},\r\n".replace("first_name", "first_name,"),
            f"{HEADER}\n{ADA}\n{BEN}\n".replace(",", ";"),
            f"{HEADER}\n{ADA}\n{BEN}\n".replace(",", "\t"),
            f"{HEADER}\n\n{ADA}\n\n{BEN}\n\n\n",
            f"{HEADER}\n{ADA}\n,,,,,\n{BEN}\n , ,,,,\n",
            f"{HEADER}\n{ADA}\n{BEN}\n".replace("customer_id", "Customer ID").replace("updated_at", " Updated-At "),
            f"{HEADER}\n{ADA}\n{BEN}\n".replace("Ada", '"Ada, known as ""Ace""\nand more"'),
        ],
        ids=["plain", "excel", "mixed line ends", "mixed and a blank column", "semicolons", "tabs", "blank lines",
             "empty rows", "titles as people write them", "quoted"],
    )  # fmt: skip
    def test_ways_to_write_csv(self, tmp_path: Path, text: str) -> None:
        """Marks, line ends, separators, blank lines and quotes change nothing about who is in the file."""
        snapshot = read(tmp_path, contacts=text)
        assert column(snapshot, "contacts", "customer_id") == ["c-ada", "c-ben"]
        assert problems(snapshot) == []

    def test_a_note_with_other_line_ends_keeps_its_words(self, tmp_path: Path) -> None:
        """Lines inside a quoted value are part of it."""
        note = 'c-ada,household,false,2024-01-01,2026-11-16,"two\nlines"'
        snapshot = read(tmp_path, contacts=f"{HEADER}\r\n{note}\r\n")
        assert column(snapshot, "people", "first_name")[-1] == "two\nlines"

    def test_names_in_any_script(self, tmp_path: Path) -> None:
        """Letters outside ASCII come through, composed."""
        snapshot = read(
            tmp_path, contacts=[contact("c-ada", first_name="Zoe\u0308", last_name="Đặng 山田")], accounts=[]
        )
        (person,) = rows(snapshot, "people")
        assert (person["first_name"], person["last_name"]) == ("Zoë", "Đặng 山田")


class TestColumns:
    def test_unknown_columns_are_kept_out_and_named(self, tmp_path: Path) -> None:
        """Whatever else a CRM exports does not enter the snapshot, and the manifest says what it was."""
        snapshot = read(tmp_path, contacts=[contact("c-ada") | {"shoe_size": "42", "Score": "7"}])
        assert said(snapshot, "contacts")["unknown_columns"] == ["Score", "shoe_size"]
        assert not {"shoe_size", "Score"} & set(snapshot.read("contacts").column_names)

    def test_missing_columns_are_named_and_empty(self, tmp_path: Path) -> None:
        """A column the file lacks is unknown in every row; rows are not blamed for it."""
        snapshot = read(tmp_path, contacts=f"{HEADER}\n{ADA}\n".replace(",first_name", "").replace(",Ada", ""))
        missing = said(snapshot, "contacts")["missing_columns"]
        assert {"email", "relationship", "first_name"} <= set(missing)
        assert "customer_id" not in missing
        assert (column(snapshot, "contacts", "relationship"), problems(snapshot)) == ([None], [])

    def test_a_required_column_that_is_missing_blames_no_row(self, tmp_path: Path) -> None:
        """Readiness judges the column; a million rows in quarantine would say the same a million times."""
        snapshot = read(tmp_path, contacts=[{k: v for k, v in contact("c-ada").items() if k != "updated_at"}])
        assert said(snapshot, "contacts")["missing_columns"] == ["updated_at"]
        assert column(snapshot, "contacts", "updated_at") == [None]

    def test_without_its_key_no_row_can_be_kept(self, tmp_path: Path) -> None:
        """Rows nobody can call by a name go to quarantine."""
        snapshot = read(tmp_path, products=[{"name": "Boiler service", "category": "heating", "updated_at": AS_OF}])
        assert said(snapshot, "products")["missing_columns"] == ["product_id", "url", "in_stock"]
        assert problems(snapshot) == [("products", None, 1, "product_id", "missing")]

    def test_a_missing_table_is_told_not_raised(self, tmp_path: Path) -> None:
        """Also when it is the contacts themselves: readiness decides what that means."""
        snapshot = read(tmp_path, contacts=None, cases=None)
        assert not said(snapshot, "contacts")["present"]
        assert not said(snapshot, "cases")["present"]
        assert said(snapshot, "consents")["present"]
        assert snapshot.read("contacts").num_rows == snapshot.read("cases").num_rows == 0

    @pytest.mark.parametrize("nothing", [b"", b"\xef\xbb\xbf"])
    @pytest.mark.parametrize("ending", ["csv", "jsonl"])
    def test_an_empty_file_has_no_columns(self, tmp_path: Path, nothing: bytes, ending: str) -> None:
        """No byte says nothing: present, without rows, without any column; so an empty list of noes proves nothing."""
        snapshot = read(tmp_path, suppressions=nothing, formats={"suppressions": ending})
        told = said(snapshot, "suppressions")
        assert (told["present"], told["rows"]) == (True, 0)
        assert "suppression_id" in told["missing_columns"]

    def test_a_header_alone_is_a_table_without_rows(self, tmp_path: Path) -> None:
        """An export of nothing that says what it would have had."""
        told = said(read(tmp_path, suppressions=[]), "suppressions")
        assert (told["present"], told["rows"], told["missing_columns"]) == (True, 0, [])


class TestBrokenFiles:
    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("contacts.csv", f"{HEADER}\n{ADA}\nc-ben,hou", "contacts.csv line 3 has 2 columns, the header has 6"),
            ("contacts.csv", f"{HEADER}\n{ADA},more\n", "contacts.csv line 2 has 7 columns, the header has 6"),
            ("contacts.csv", f'{HEADER}\n{ADA}\nc-ben,"household', "contacts.csv line 3 opens a quoted value"),
            ("contacts.csv", f"{HEADER}\n{ADA}\n".encode() + b"c-\xff,a,b,c,d,e\n", "contacts.csv line 3 is not UTF-8"),
            ("contacts.csv", f"{HEADER}\n{ADA}\n".encode("utf-16"), "contacts.csv line 1 cannot be read as a CSV"),
            ("contacts.csv", f"{ADA}\n{BEN}\n", "contacts.csv has none of the columns of contacts"),
            ("contacts.csv", f"{HEADER},customer_id\n{ADA},x\n", "contacts.csv has the column customer_id twice"),
            ("contacts.jsonl", '{"customer_id": "c-ada"}\n{"customer_id": "c-b', "contacts.jsonl line 2 is no JSON"),
            ("contacts.jsonl", b'{"customer_id": "c-ada"}\n{"phone": "\xff"}', "contacts.jsonl line 2 is not UTF-8"),
            ("contacts.jsonl", '[{"customer_id": "c-ada"}]\n', "contacts.jsonl has 1 lines that are no JSON object"),
            ("contacts.parquet", b"", "contacts.parquet is not a whole Parquet file"),
            ("contacts.parquet", b"PAR1 and so on", "contacts.parquet is not a whole Parquet file"),
        ],
    )  # fmt: skip
    def test_a_broken_file_says_what_and_where(
        self, tmp_path: Path, name: str, content: str | bytes, message: str
    ) -> None:
        """The message names the file, the place and the fix, quotes nobody's row, and nothing is left behind."""
        table, _, ending = name.partition(".")
        with pytest.raises(SourceError) as broken:
            read(tmp_path, **{table: content}, formats={table: ending})
        assert message in str(broken.value)
        assert "Ada" not in "".join((str(broken.value), str(broken.value.__cause__)))
        assert broken.value.__suppress_context__ or broken.value.__context__ is None
        assert [file.name for file in tmp_path.iterdir()] == ["source"]

    def test_a_parquet_file_cut_short(self, tmp_path: Path) -> None:
        """Half a file has no footer."""
        source = write_source(tmp_path / "source", formats={"purchases": "parquet"})
        whole = (source / "purchases.parquet").read_bytes()
        (source / "purchases.parquet").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(SourceError, match=r"purchases\.parquet is not a whole Parquet file"):
            extract(open_source(source), into=tmp_path / "s", snapshot_id="s", as_of=AS_OF, keys=KEYS)

    def test_a_broken_line_far_down_is_found(self, tmp_path: Path) -> None:
        """The line is counted from the beginning of the file, however many parts read it."""
        lines = [json.dumps({"customer_id": f"c-{n}", "first_name": "x" * 200}) for n in range(60_000)]
        lines[55_000] = '{"customer_id": '
        with pytest.raises(SourceError, match=r"contacts\.jsonl line 55001 is no JSON"):
            read(tmp_path, contacts="\n".join(lines), formats={"contacts": "jsonl"})


class TestRowNumbers:
    def test_a_row_is_found_by_its_number(self, tmp_path: Path) -> None:
        """Rows count from 1 without the header, empty rows too, also in files that several threads read."""
        rows_ = [purchase(f"b-{n}", "c-ada", AS_OF) for n in range(30_000)]
        rows_[29_990]["amount"] = "a lot"
        rows_[7] = dict.fromkeys(rows_[7])
        for ending in ("csv", "jsonl", "parquet"):
            if ending == "parquet":
                rows_[29_990]["amount"] = None
            snapshot = read(tmp_path / ending, purchases=rows_, formats={"purchases": ending})
            (problem,) = problems(snapshot)
            assert problem[:4] == ("purchases", "b-29990", 29_991, "amount")
            assert said(snapshot, "purchases")["rows"] == 29_999


class TestTypesOfParquet:
    def write(self, folder: Path, **columns: pa.Array) -> Path:
        """A source whose contacts are one Parquet file of these columns beside the required ones."""
        source = write_source(folder, contacts=None)
        count = len(next(iter(columns.values())))
        base = {
            "customer_id": pa.array([f"c-{n}" for n in range(count)]),
            "business_segment": pa.array(["household"] * count),
            "is_subscriber_only": pa.array([False] * count),
            "created_at": pa.array([AS_OF] * count, pa.timestamp("ns")),
            "updated_at": pa.array([AS_OF] * count, pa.timestamp("ms", tz="America/New_York")),
        }
        pq.write_table(pa.table(base | columns), source / "contacts.parquet")
        return source

    def test_ids_that_a_data_frame_made_fractions(self, tmp_path: Path) -> None:
        """1001.0 is the id 1001, and not a number is no id."""
        source = self.write(tmp_path / "source", account_id=pa.array([1001.0, float("nan")]))
        found = extract(open_source(source), into=tmp_path / "s", snapshot_id="s", as_of=AS_OF, keys=KEYS)
        assert column(found, "contacts", "account_id") == ["1001", None]
        assert column(found, "contacts", "created_at") == column(found, "contacts", "updated_at") == [AS_OF, AS_OF]

    def test_types_that_cannot_be_read_are_wrong(self, tmp_path: Path) -> None:
        """A structure where a text belongs and an endless number where an amount belongs are bad rows."""
        source = self.write(tmp_path / "source", region=pa.array([{"state": "NY"}, None]))
        accounts = {"account_id": ["a-1"], "name": ["Quay"], "annual_value": [float("inf")], "updated_at": [AS_OF]}
        (source / "accounts.csv").unlink()
        pq.write_table(pa.table(accounts), source / "accounts.parquet")
        found = extract(open_source(source), into=tmp_path / "s", snapshot_id="s", as_of=AS_OF, keys=KEYS)
        assert problems(found) == [
            ("accounts", "a-1", 1, "annual_value", "wrong_type"),
            ("contacts", "c-0", 1, "region", "wrong_type"),
        ]
