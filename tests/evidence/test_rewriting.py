"""Rows taken out of a file of evidence: on record, whole or not at all, and the folder verifies as before."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from upath import UPath

from reactivation.evidence import EvidenceError, Rewrite, RunFolder, query, rewriting, take_out

AS_OF = datetime(2026, 11, 17, 9, tzinfo=UTC)
NOW = datetime(2026, 12, 17, 9, tzinfo=UTC)
PEOPLE = pa.table({"customer_id": ["c-ada", "c-ben"], "email": ["ada.hart@gmail.com", "ben@example.org"]})
LEFT = PEOPLE.slice(1)


class Killed(BaseException):
    """What stands in for a kill: nothing of the product catches it."""


@pytest.fixture
def run(place: UPath | Path) -> RunFolder:
    """A run with people, in each kind of place."""
    folder = RunFolder.create(place, as_of=AS_OF, inputs={"snapshot": "ab" * 32})
    folder.add({"people": PEOPLE})
    return folder


def without(*customers: str) -> Callable[[pa.Table], Any]:
    return lambda rows: pc.invert(pc.is_in(rows["customer_id"], value_set=pa.array(customers)))


def take(folder: RunFolder, *customers: str, record: Callable[[Rewrite], None] = lambda _: None) -> Rewrite | None:
    return take_out(
        folder, "people", without(*customers), columns=["customer_id"], reason="erasure", now=NOW, record=record
    )


def digest(folder: RunFolder) -> str:
    return hashlib.sha256((folder.path / "people.parquet").read_bytes()).hexdigest()


class TestTakeOut:
    def test_the_rows_are_gone_and_the_folder_verifies(self, run: RunFolder) -> None:
        """By every way of reading it; the bytes that were there are in no file of it any more."""
        take(run, "c-ada")
        run.verify()
        assert run.read("people") == LEFT
        assert query(run, "FROM people", personal=("people",)) == LEFT
        assert not any(b"ada.hart" in file.read_bytes() for file in run.path.iterdir())

    def test_the_manifest_stays_as_the_ledger_vouches_for_it(self, run: RunFolder) -> None:
        """To the byte: every later step compares its digest."""
        before = run.manifest_digest
        take(run, "c-ada")
        assert run.manifest_digest == before

    def test_old_digest_new_digest_and_reason_are_kept_with_it(self, run: RunFolder) -> None:
        """And how many rows went."""
        before = digest(run)
        made = take(run, "c-ada")
        assert made is not None
        (noted,) = run.rewrites
        assert (noted.old, noted.new, noted.reason, noted.at) == (before, digest(run), "erasure", NOW)
        assert (noted.rows_removed, noted.rows_left, noted.done) == (1, 1, True)

    def test_it_is_recorded_before_anything_changes(self, run: RunFolder) -> None:
        """When the ledger cannot be written, the file stays."""

        def broken(_: Rewrite) -> None:
            raise LookupError("the ledger is gone")

        with pytest.raises(LookupError):
            take(run, "c-ada", record=broken)
        assert run.read("people") == PEOPLE
        assert run.rewrites == []
        assert not any(file.name.startswith(".tmp") for file in run.path.iterdir())

    def test_nothing_to_take_out_changes_and_records_nothing(self, run: RunFolder) -> None:
        """So doing it again is nothing new."""
        take(run, "c-ada")
        before = (digest(run), run.rewrites)
        assert take(run, "c-ada") is None
        assert (digest(run), run.rewrites) == before

    def test_twice_for_two_reasons_makes_a_chain(self, run: RunFolder) -> None:
        """Each begins with what the other left."""
        take(run, "c-ada")
        take_out(run, "people", without("c-ben"), columns=["customer_id"], reason="retention", now=NOW,
                 record=lambda _: None)  # fmt: skip
        first, second = run.rewrites
        assert first.new == second.old
        assert run.read("people") == PEOPLE.schema.empty_table()
        run.verify()

    def test_a_file_put_back_is_refused(self, run: RunFolder) -> None:
        """Who restores the folder from an old copy is told that rows had been taken out."""
        before = (run.path / "people.parquet").read_bytes()
        take(run, "c-ada")
        (run.path / "people.parquet").write_bytes(before)
        with pytest.raises(EvidenceError, match="put back or changed after rows were taken out of it"):
            run.read("people")

    def test_a_changed_file_is_not_taken_from(self, run: RunFolder) -> None:
        """Else the change would become evidence."""
        content = bytearray((run.path / "people.parquet").read_bytes())
        content[len(content) // 4] ^= 1
        (run.path / "people.parquet").write_bytes(bytes(content))
        with pytest.raises(EvidenceError, match=r"changed after it was written|missing or broken"):
            take(run, "c-ada")

    def test_what_was_taken_out_is_not_written_anew(self, run: RunFolder) -> None:
        """A step that was killed and runs again has the very bytes the manifest knows, and must not bring them back."""
        take(run, "c-ada")
        with pytest.raises(EvidenceError, match=r"rows were taken out of .*begin a new run"):
            run.add_file("people", PEOPLE)
        assert run.read("people") == LEFT


@pytest.mark.parametrize("after", ["note", "replace"])
def test_killed_in_the_middle_it_reads_as_before_or_after_and_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    """Killed with the new file noted but not in its place, and with the file in its place but not noted as done."""
    run = RunFolder.create(tmp_path / "r-1", as_of=AS_OF, inputs={})
    run.add({"people": PEOPLE})

    def killed(*_: Any) -> None:
        raise Killed

    if after == "note":
        real = rewriting.note

        def noted(folder: UPath, made: Rewrite) -> None:
            real(folder, made)
            shutil.copy(tmp_path / "r-1" / ".tmp-people.parquet", tmp_path / "half")
            raise Killed

        monkeypatch.setattr(rewriting, "note", noted)
    else:
        monkeypatch.setattr(rewriting, "note_done", killed)
    with pytest.raises(Killed):
        take(run, "c-ada")
    if after == "note":  # a kill tidies nothing up
        shutil.move(tmp_path / "half", tmp_path / "r-1" / ".tmp-people.parquet")
    monkeypatch.undo()
    assert run.read("people") == (PEOPLE if after == "note" else LEFT)
    run.verify()

    take(run, "c-ada")

    (noted_once,) = run.rewrites
    assert noted_once.done
    assert run.read("people") == LEFT
    assert sorted(os.listdir(run.path)) == ["manifest.json", "people.parquet", "rewrites.json"]  # noqa: PTH208
