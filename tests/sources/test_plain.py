"""Facts in Parquet: plain rows stay in their file, and nobody can tell from the snapshot."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import AS_OF, KEYS, tables, write_source
from tests.sources.reads import column, plus, problems, read, said

from reactivation.contract.snapshot import SNAPSHOT
from reactivation.contract.tables import TABLES
from reactivation.evidence import SnapshotFolder, open_engine
from reactivation.sources import extract, open_source
from reactivation.sources.files import open_file
from reactivation.sources.plain import set_apart
from reactivation.sources.values import install_macros

Cells = list[list[str]]

_IDS = ["e-1", "e-1", " e-1", "e-2", "e-3", "e-4", "e\u200b-5", "é-6", "e\u0301-6", "me@home", "[7]", "", "8" * 65]
_PLAIN = ["e-1", "e\\1", "e^1", "e_1", "e|1", "e~1"]
_CUSTOMERS = ["c-ada", "c-ada", "c-ben", "c-ben ", "c-nobody", "", "a@b"]
_TIMES = ["2026-11-01T09:00:00Z", "2026-11-01 09:00:00+01:00", "45000", "31/12/2025", "05/06/2026", "soon", ""]
_WORDS = ["heating", "heating ", "Möbel", "Mo\u0308bel", "two words", "\u00a0", ""]
_KINDS = ["open", "Open", "cart abandon", "unsubscribe", "Unsubscribed", "browse", "sent", ""]
_ENGAGEMENT = st.tuples(*(st.sampled_from(pool) for pool in (
    _IDS, _CUSTOMERS, _TIMES, _KINDS, ["email", "sms", "E-Mail", ""], _WORDS, _WORDS, _WORDS, ["", "t-1", "t 1"],
)))  # fmt: skip
_PURCHASE = st.tuples(*(st.sampled_from(pool) for pool in (
    _IDS, _CUSTOMERS, _TIMES, ["order", "booking", "subscription", "Order", "gift"],
    ["120.00", "1,234.5", "-1", "x", ""], ["GBP", "gbp", "EUR", "£", ""],
    ["40", "many", ""], ["", "0", "-5", "12,5"], ["", "SPRING"], _WORDS, _WORDS,
    ["1", "0", "2.5", ""], ["", "2026-12-01"], ["", "2026-10-01", "never"],
)))  # fmt: skip


class TestSetApart:
    def test_only_rows_that_reading_would_change_are_set_apart(self, tmp_path: Path) -> None:
        """Another spelling, a broken rule, a key met twice, also where one of the two has blanks; the rest stays."""
        rows = [_engagement(f"e-{number}") for number in range(6)]
        rows[1] = _engagement("e-1", kind="Open")
        rows[2] = _engagement("e-2", occurred_at="soon")
        rows[3] = _engagement(" e-5")
        _write_parquet(tmp_path / "engagements.parquet", "engagements", rows)
        with open_engine() as engine:
            install_macros(engine)
            raw = open_file(engine, TABLES["engagements"], tmp_path / "engagements.parquet", tmp_path)
            plain, others = set_apart(engine, raw)
            assert plain == 2
            assert engine.sql(others.scan()).order("row").project("row").fetchall() == [(2,), (3,), (4,), (6,)]
            assert engine.sql("SELECT event_id FROM plain_engagements ORDER BY 1").fetchall() == [("e-0",), ("e-4",)]

    @pytest.mark.parametrize(
        "key", ["e-1", 'e"1', "e[1", "e@1", "e 1", "e\t1", "é", "e\\1", "e^1", "e_1", "e|1", "e~1"]
    )
    def test_an_id_is_plain_only_if_it_is_one(self, tmp_path: Path, key: str) -> None:
        """What is left in the file is what reading would have let pass."""
        _write_parquet(tmp_path / "engagements.parquet", "engagements", [_engagement(key)])
        with open_engine() as engine:
            install_macros(engine)
            raw = open_file(engine, TABLES["engagements"], tmp_path / "engagements.parquet", tmp_path)
            stays, _ = set_apart(engine, raw)
            ((same,),) = engine.execute("SELECT is_id($key) AND read_text($key) = $key", {"key": key}).fetchall()
            assert same or not stays
        assert stays == (key in _PLAIN)


class TestSnapshot:
    @settings(max_examples=15, deadline=None)
    @given(st.lists(_ENGAGEMENT, min_size=1, max_size=9), st.lists(_PURCHASE, min_size=1, max_size=9))
    def test_a_fact_says_the_same_in_parquet_and_in_csv(
        self, engagements: list[tuple[str, ...]], purchases: list[tuple[str, ...]]
    ) -> None:
        """Summaries, quarantine, broken noes, counts: the same, whatever stands in the cells."""
        facts = {"engagements": [list(row) for row in engagements], "purchases": [list(row) for row in purchases]}
        with TemporaryDirectory() as folder:
            made = [_snapshot(Path(folder), facts, ending) for ending in ("csv", "parquet")]
            for name in SNAPSHOT:
                assert made[0].read(name) == made[1].read(name), name
            for table in facts:
                assert _counts(said(made[0], table)) == _counts(said(made[1], table))

    @pytest.mark.parametrize("word", ["\u00a0", "\u200b", " ", "heating ", "Mo\u0308bel"])
    def test_a_text_is_read_off_wherever_it_is(self, tmp_path: Path, word: str) -> None:
        """Also where nothing is left of it: blanks are no category."""
        told = [
            read(tmp_path / ending, engagements=[{**tables()["engagements"][2], "category": word}],
                 formats={"engagements": ending})
            for ending in ("csv", "parquet")
        ]  # fmt: skip
        assert told[0].read("engagement_summary") == told[1].read("engagement_summary")

    def test_a_key_spelled_twice_is_one_key(self, tmp_path: Path) -> None:
        """The plain one and the one with a blank are settled together: two that differ are both in doubt."""
        events = plus("engagements", {**tables()["engagements"][1], "event_id": "e-2 ", "kind": "click"})
        snapshot = read(tmp_path, engagements=events, formats={"engagements": "parquet"})
        assert [(table, key, reason) for table, key, _, _, reason in problems(snapshot)] == [
            ("engagements", "e-2", "duplicate_key"), ("engagements", "e-2", "duplicate_key"),
        ]  # fmt: skip
        assert column(snapshot, "engagement_summary", "last_open_at") == [None] * 4
        assert said(snapshot, "engagements")["rows"] == 6


def _snapshot(folder: Path, facts: dict[str, Cells], ending: str) -> SnapshotFolder:
    source = write_source(folder / ending, **dict.fromkeys(facts))
    for table, cells in facts.items():
        path = source / f"{table}.{ending}"
        (_write_parquet if ending == "parquet" else _write_csv)(path, table, cells)
    return extract(open_source(source), into=folder / f"of-{ending}", snapshot_id="s", as_of=AS_OF, keys=KEYS)


def _engagement(event_id: str, *, kind: str = "open", occurred_at: str = "2026-11-01T09:00:00Z") -> list[str]:
    return [event_id, "c-ada", occurred_at, kind, "email", "", "", "", ""]


def _write_csv(path: Path, table: str, rows: Cells) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([[column.name for column in TABLES[table].columns], *rows])


def _write_parquet(path: Path, table: str, rows: Sequence[Sequence[str]]) -> None:
    """The cells as texts, an empty one as nothing: what an export without types looks like."""
    columns = {
        column.name: pa.array([row[place] or None for row in rows], pa.string())
        for place, column in enumerate(TABLES[table].columns)
    }
    pq.write_table(pa.table(columns), path)


def _counts(report: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in report.items() if name != "file"}
