"""A folder as a source: what is in it, and as of when it speaks."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.builders import AS_OF, write_source

from reactivation.sources import SourceError, open_source


class TestOpenSource:
    def test_a_place_that_is_not_there(self, tmp_path: Path) -> None:
        """The message names the place and the setting."""
        with pytest.raises(SourceError, match=r"no source at .*/crm; check the setting of the source"):
            open_source(tmp_path / "crm")

    def test_a_file_is_no_folder(self, tmp_path: Path) -> None:
        """A source is a folder."""
        (tmp_path / "crm.csv").write_text("x")
        with pytest.raises(SourceError, match="cannot be listed"):
            open_source(tmp_path / "crm.csv").files()

    def test_a_folder_without_tables(self, tmp_path: Path) -> None:
        """Probably the wrong folder: it says what files it looked for."""
        (tmp_path / "kontakte.csv").write_text("x")
        with pytest.raises(SourceError, match=r"no file named after a table \(contacts, "):
            open_source(tmp_path).files()

    def test_two_files_for_one_table(self, tmp_path: Path) -> None:
        """Nobody can know which counts."""
        write_source(tmp_path)
        (tmp_path / "cases.jsonl").write_text("{}")
        with pytest.raises(SourceError, match=r"cases\.csv and cases\.jsonl; leave one"):
            open_source(tmp_path).files()


class TestSpeaksAsOf:
    def test_as_the_source_says(self, tmp_path: Path) -> None:
        """``source.json`` has the word, in any zone."""
        write_source(tmp_path)
        (tmp_path / "source.json").write_text('{"as_of": "2026-11-17T10:00:00+01:00"}')
        assert open_source(tmp_path).speaks_as_of() == AS_OF

    def test_else_as_its_oldest_file_that_may_forbid(self, tmp_path: Path) -> None:
        """A fresh product list says nothing about yesterday's opt-outs."""
        write_source(tmp_path)
        (tmp_path / "source.json").unlink()
        for file in tmp_path.iterdir():
            os.utime(file, (1_750_000_000, 1_750_000_000))
        os.utime(tmp_path / "products.csv", (1_600_000_000, 1_600_000_000))
        os.utime(tmp_path / "cases.csv", (1_700_000_000, 1_700_000_000))
        assert open_source(tmp_path).speaks_as_of() == datetime.fromtimestamp(1_700_000_000, UTC)

    @pytest.mark.parametrize(
        ("said", "message"),
        [
            ("{}", "must be like"),
            ("yesterday", "must be like"),
            ('{"as_of": "soon"}', "must be like"),
            ('{"as_of": "2026-11-17T09:00:00"}', "has no time zone"),
        ],
    )
    def test_what_it_says_must_be_an_instant(self, tmp_path: Path, said: str, message: str) -> None:
        """A time without a zone is no instant."""
        write_source(tmp_path)
        (tmp_path / "source.json").write_text(said)
        with pytest.raises(SourceError, match=message):
            open_source(tmp_path).speaks_as_of()


class TestStaged:
    def test_a_file_that_changes_while_it_is_read(self, tmp_path: Path) -> None:
        """An export that is still being written is not read."""
        source = open_source(write_source(tmp_path / "source"))
        cases = tmp_path / "source" / "cases.csv"
        with pytest.raises(SourceError, match=r"cases\.csv was changed while it was read"), source.staged(tmp_path):
            cases.write_text(cases.read_text() + "k-9,c-ada,,2026-11-01,,complaint,,,open\n")

    @pytest.mark.parametrize("removed", [False, True])
    def test_what_goes_wrong_in_a_file_that_changed(self, tmp_path: Path, removed: bool) -> None:
        """It changed: that is the error, and what came of it, which may quote a person's row, is not told."""
        source = open_source(write_source(tmp_path / "source"))
        cases = tmp_path / "source" / "cases.csv"
        with pytest.raises(SourceError, match="changed while it was read") as error, source.staged(tmp_path):
            cases.unlink() if removed else cases.write_text("cut short")
            raise ValueError("c-ada,me@home.example")
        assert error.value.__suppress_context__
