"""Spoilt rows: as many as stated, in the catalogued ways, and never one that hides a *no*."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sample.crm import AS_OF, rows

from reactivation.contract.tables import TABLES
from reactivation.sample import SampleSummary, generate
from reactivation.sample.dirt import (
    BAD_DATE,
    DUPLICATE_KEY,
    EXCEL_DATE,
    KINDS,
    MISSING_KEY,
    SPOILING,
    THOUSANDS,
    UNKNOWN_CODE,
)


def found(folder: Path, table: str, kind: str) -> int:
    """How many rows of a table show a kind of dirt, counted from the file."""
    data = rows(folder, table)
    column = data[SPOILING[table].columns[kind]]
    if kind == DUPLICATE_KEY:
        keys = data[TABLES[table].key]
        return int((keys[keys != ""].duplicated()).sum())
    matches = {
        BAD_DATE: column == "31/02/2024",
        EXCEL_DATE: column.str.fullmatch(r"4\d{4}\.\d{5}"),
        THOUSANDS: column.str.fullmatch(r"\d{1,3}(,\d{3})+\.\d\d"),
        UNKNOWN_CODE: column == SPOILING[table].code,
        MISSING_KEY: column == "",
    }
    return int(matches[kind].sum())


class TestCounts:
    """The summary is the truth about the files."""

    def test_the_summary_counts_every_kind_by_table(self, made: tuple[Path, SampleSummary]) -> None:
        """Counting in the files gives the summary's numbers."""
        folder, summary = made
        for table, spoiling in SPOILING.items():
            counted = {kind: found(folder, table, kind) for kind in spoiling.columns}
            assert {kind: number for kind, number in counted.items() if number} == summary.dirt[table], table
            assert summary.dirty[table] == sum(counted.values())

    @pytest.mark.parametrize("share", [0.005, 0.01, 0.05])
    def test_the_stated_share_of_the_rows_is_spoilt(self, tmp_path: Path, share: float) -> None:
        """Within one row, or one part in fifty of the larger tables (too few dear services for the separators)."""
        summary = generate(tmp_path, customers=3000, as_of=AS_OF, dirty_share=share)
        for table in SPOILING:
            clean = summary.rows[table] - summary.dirt[table].get(DUPLICATE_KEY, 0)
            assert summary.dirty[table] == pytest.approx(share * clean, rel=0.02, abs=1), table

    def test_every_kind_is_planted_in_the_default_sample(self, made: tuple[Path, SampleSummary]) -> None:
        """A reader that copes with the default sample has met every kind, in every larger table at least one."""
        _, summary = made
        assert {kind for kinds in summary.dirt.values() for kind in kinds} == set(KINDS)
        assert set(summary.dirt) == set(SPOILING)

    def test_no_share_no_dirt(self, tmp_path: Path) -> None:
        """With a share of nothing every file is clean, and the summary says so."""
        summary = generate(tmp_path, customers=400, as_of=AS_OF, dirty_share=0)
        assert summary.dirty == {}
        assert all(found(tmp_path, table, kind) == 0 for table in SPOILING for kind in SPOILING[table].columns)

    def test_the_accounts_come_from_a_spreadsheet(self, crm: Path) -> None:
        """Byte order mark and CRLF in one file, and in no other."""
        raw = (crm / "accounts.csv").read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf")
        assert raw.count(b"\n") == raw.count(b"\r\n") > 1
        others = [path.read_bytes() for path in crm.glob("*.csv") if path.name != "accounts.csv"]
        assert not any(b"\r" in text or text.startswith(b"\xef\xbb\xbf") for text in others)


class TestNoes:
    """Dirt never turns a *no* into silence."""

    def test_a_no_keeps_its_subject_and_its_code(self, tmp_path: Path) -> None:
        """With a fifth of the rows spoilt, every forbidding code and every suppression's subject is still there."""
        generate(tmp_path / "clean", customers=800, as_of=AS_OF, dirty_share=0)
        generate(tmp_path / "dirty", customers=800, as_of=AS_OF, dirty_share=0.2)
        for name, table in TABLES.items():
            clean, dirty = rows(tmp_path / "clean", name), rows(tmp_path / "dirty", name)
            for column in table.columns:
                for no in column.forbids:
                    kept = set(dirty[dirty[column.name] == no][table.key])
                    assert set(clean[clean[column.name] == no][table.key]) <= kept, (name, no)
        stops = rows(tmp_path / "dirty", "suppressions")
        assert ((stops["customer_id"] != "") | (stops["address"] != "")).all()

    def test_subjects_of_open_cases_stay_readable(self, tmp_path: Path) -> None:
        """Every case still names a customer or an account, and open cases stay open."""
        generate(tmp_path / "clean", customers=800, as_of=AS_OF, dirty_share=0)
        generate(tmp_path / "dirty", customers=800, as_of=AS_OF, dirty_share=0.2)
        clean, dirty = rows(tmp_path / "clean", "cases"), rows(tmp_path / "dirty", "cases")
        assert ((dirty["customer_id"] != "") | (dirty["account_id"] != "")).all()
        assert set(clean[clean["closed_at"] == ""]["case_id"]) == set(dirty[dirty["closed_at"] == ""]["case_id"])
