"""Snapshot and run folders, on a disk, in an object store, and as Airflow gives them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from upath import UPath

from reactivation.evidence import EvidenceError, RunFolder, SnapshotFolder, query

AS_OF = datetime(2026, 11, 17, 9, tzinfo=UTC)
DECISIONS = pa.table({"customer_id": ["c-ada", "c-ben"], "decision": ["enrol", "suppress"]})
PEOPLE = pa.table({"customer_id": ["c-ada"], "email": ["ada.hart@gmail.com"]})


@pytest.fixture
def run(place: UPath | Path) -> RunFolder:
    """A run with its decisions and people, in each kind of place."""
    folder = RunFolder.create(place, as_of=AS_OF, inputs={"snapshot": "ab" * 32})
    folder.add({"decisions": DECISIONS, "people": PEOPLE, "readiness.json": {"ready": True}})
    return folder


class TestManifest:
    def test_tells_what_the_folder_is(self, run: RunFolder) -> None:
        """Kind, id, as-of, inputs, and a digest of every file."""
        assert (run.id, run.as_of, run.manifest["inputs"]) == ("r-1", AS_OF, {"snapshot": "ab" * 32})
        content = (run.path / "decisions.parquet").read_bytes()
        assert run.files["decisions.parquet"] == hashlib.sha256(content).hexdigest()
        assert sorted(run.files) == ["decisions.parquet", "people.parquet", "readiness.json"]

    def test_its_digest_stands_for_every_file(self, run: RunFolder) -> None:
        """Another file gives another digest, the same file again the same one."""
        before = run.manifest_digest
        assert run.add_file("decisions", DECISIONS) == before
        assert run.add_file("plan", DECISIONS) != before

    def test_a_folder_without_one_is_no_evidence(self, tmp_path: Path) -> None:
        """A missing, broken or foreign manifest is told apart from an empty folder."""
        assert not SnapshotFolder(tmp_path).exists()
        with pytest.raises(EvidenceError, match="no snapshot at"):
            _ = SnapshotFolder(tmp_path).manifest
        (tmp_path / "manifest.json").write_text("{half")
        with pytest.raises(EvidenceError, match="broken"):
            _ = SnapshotFolder(tmp_path).manifest
        (tmp_path / "manifest.json").write_text(json.dumps({"schema": 1, "kind": "run"}))
        with pytest.raises(EvidenceError, match="not of a snapshot"):
            _ = SnapshotFolder(tmp_path).manifest


class TestRead:
    def test_gives_back_what_was_added(self, run: RunFolder) -> None:
        """Tables, JSON and bytes, by their names."""
        assert run.read("decisions") == DECISIONS
        assert run.read_json("readiness.json") == {"ready": True}
        assert run.has("people")
        assert not run.has("drafts")

    def test_a_changed_file_is_refused(self, run: RunFolder) -> None:
        """One changed byte, and nothing of the file is used, by any way of reading it."""
        content = bytearray((run.path / "decisions.parquet").read_bytes())
        content[50] ^= 1
        (run.path / "decisions.parquet").write_bytes(bytes(content))
        for use in (run.verify, lambda: run.read("decisions"), lambda: query(run, "FROM decisions")):
            with pytest.raises(EvidenceError, match=r"decisions\.parquet was changed"):
                use()

    def test_a_missing_file_is_named(self, run: RunFolder) -> None:
        """A file the manifest has and the folder lacks, and one neither has."""
        (run.path / "readiness.json").unlink()
        with pytest.raises(EvidenceError, match=r"readiness\.json is missing"):
            run.verify()
        with pytest.raises(EvidenceError, match=r"no file drafts\.parquet; it has decisions\.parquet"):
            run.read("drafts")

    def test_a_column_that_was_not_there_yet_is_named(self, run: RunFolder) -> None:
        """What an earlier version wrote is not read as if it were whole."""
        assert run.read("people", ["email"]).column_names == ["email"]
        nested = pa.table({"evidence": [{"window": 90}], "evidence_of": ["x"]})
        run.add_file("told", nested)
        assert run.read("told", ["evidence.window"]).to_pylist() == [{"evidence": {"window": 90}}]
        for column in ("evidence.days", "evid"):
            with pytest.raises(EvidenceError, match=f"told\\.parquet has no {column}: "):
                run.read("told", [column])
        with pytest.raises(EvidenceError, match=r"people\.parquet has no city, phone: .*; begin a new run"):
            run.read("people", ["email", "city", "phone"])


class TestAdd:
    def test_never_rewrites(self, run: RunFolder) -> None:
        """Other bytes under a name that is there are refused, and the file stays."""
        with pytest.raises(EvidenceError, match="already there with other content"):
            run.add_file("decisions", PEOPLE)
        assert run.read("decisions") == DECISIONS

    def test_rows_that_come_one_by_one_are_written_as_they_come(self, run: RunFolder) -> None:
        """A reader is as good as a table, and only one row group of it waits to be written."""
        waiting: list[int] = []

        def rows() -> Iterator[pa.RecordBatch]:
            for number in range(250):
                waiting.append(number)
                yield pa.record_batch({"number": [number]})

        schema = pa.schema([("number", pa.int64())])
        run.add_file("plan", pa.RecordBatchReader.from_batches(schema, rows()), rows_per_group=100)
        assert run.read("plan")["number"].to_pylist() == waiting
        assert pq.ParquetFile(pa.BufferReader(run.read_bytes("plan.parquet"))).num_row_groups == 3

    def test_rows_that_break_off_leave_nothing(self, run: RunFolder) -> None:
        """The folder is as it was: no file, no entry in the manifest."""

        def rows() -> Iterator[pa.RecordBatch]:
            yield pa.record_batch({"number": list(range(1000))})
            raise LookupError("the customers' file is gone")

        before, files = run.manifest_digest, sorted(file.name for file in run.path.iterdir())
        reader = pa.RecordBatchReader.from_batches(pa.schema([("number", pa.int64())]), rows())
        with pytest.raises(LookupError, match="file is gone"):
            run.add_file("plan", reader, rows_per_group=100)
        assert (run.manifest_digest, sorted(file.name for file in run.path.iterdir())) == (before, files)

    def test_a_file_the_manifest_does_not_know_is_no_evidence(self, run: RunFolder) -> None:
        """A process killed between file and manifest leaves a file that may be written anew."""
        (run.path / "plan.parquet").write_bytes(b"half")
        run.add_file("plan", DECISIONS)
        assert run.read("plan") == DECISIONS


class TestQuery:
    def test_sees_a_view_per_file_and_what_it_is_given(self, run: RunFolder) -> None:
        """Files by name, extra tables by name, parameters by name."""
        extra = {"tiers": pa.table({"customer_id": ["c-ada"], "tier": ["high"]})}
        sql = (
            "SELECT d.customer_id, t.tier FROM decisions d JOIN tiers t USING (customer_id) WHERE decision = $decision"
        )
        assert query(run, sql, {"decision": "enrol"}, extra).to_pylist() == [{"customer_id": "c-ada", "tier": "high"}]

    def test_people_are_seen_only_when_named(self, run: RunFolder) -> None:
        """No query meets an address by accident."""
        with pytest.raises(Exception, match="people"):
            query(run, "FROM people")
        assert query(run, "FROM people", personal=("people",)) == PEOPLE

    def test_only_what_is_asked_about_is_read(self, run: RunFolder) -> None:
        """A file that was changed does not matter to a query that names another; the others are not there at all."""
        run.add_file("plan", DECISIONS)
        (run.path / "plan.parquet").write_bytes(b"changed")
        assert query(run, "FROM decisions", only=("decisions",)) == DECISIONS
        with pytest.raises(EvidenceError, match="plan"):
            query(run, "FROM decisions")
        with pytest.raises(duckdb.CatalogException):
            query(run, "FROM plan", only=("decisions",))

    def test_threads_do_not_show(self, run: RunFolder) -> None:
        """One thread or four: the same rows in the same order."""
        many = {"many": pa.table({"n": list(range(300_000))})}
        sql = "SELECT n % 1000 AS bucket, count(*) AS rows, sum(n) AS total FROM many GROUP BY bucket ORDER BY bucket"
        assert query(run, sql, extra=many, threads=1) == query(run, sql, extra=many, threads=4)

    def test_instants_are_utc(self, run: RunFolder) -> None:
        """A time without a zone is read as UTC, whatever the machine's zone is."""
        told = query(run, "SELECT CAST('2026-07-01 12:00' AS TIMESTAMPTZ) AS at").column("at")
        assert told.type == pa.timestamp("us", tz="UTC")
        assert told.to_pylist() == [datetime(2026, 7, 1, 12, tzinfo=UTC)]
