"""How single values are read: the macros of ``include/sql``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactivation.evidence import open_engine
from reactivation.sources.values import install_macros


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine with the readers of values."""
    with open_engine() as opened:
        install_macros(opened)
        yield opened


def read(engine: duckdb.DuckDBPyConnection, macro: str, text: str | None) -> Any:
    """What a macro makes of a text as a file has it."""
    return (
        engine.sql(f"SELECT {macro}(read_text($text)) AS value", params={"text": text})
        .to_arrow_table()["value"][0]
        .as_py()
    )


def at(*parts: int) -> datetime:
    """An instant in UTC."""
    return datetime(*parts, tzinfo=UTC)


class TestText:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("c-ada", "c-ada"),
            ("  c-ada\t", "c-ada"),
            ("\u00a0Mu\u0308ller\u00a0", "Müller"),
            ("\ufeffc-ada\r\n", "c-ada"),
            ("~a b~", "~a b~"),
            ("", None),
            (" \t\u00a0", None),
            (None, None),
        ],
    )
    def test_blanks_are_off_and_letters_composed(self, engine, text: str | None, expected: str | None) -> None:  # noqa: ANN001
        """Nothing but the text itself is left, and nothing at all is null."""
        assert engine.sql("SELECT read_text($text)", params={"text": text}).fetchall() == [(expected,)]

    @settings(deadline=None, max_examples=50)
    @given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8))
    def test_reading_again_changes_nothing(self, engine, text: str) -> None:  # noqa: ANN001
        """A text that was read is read as itself."""
        once = engine.sql("SELECT read_text($text)", params={"text": text}).fetchall()[0][0]
        assert engine.sql("SELECT read_text($text)", params={"text": once}).fetchall() == [(once,)]


class TestInstant:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-01-31", at(2026, 1, 31)),
            ("2026-01-31 10:00", at(2026, 1, 31, 10)),
            ("2026-01-31T10:00:00Z", at(2026, 1, 31, 10)),
            ("2026-01-31T10:00:00.250+02:00", at(2026, 1, 31, 8, 0, 0, 250_000)),
            ("2026-01-31 10:00:00 +0530", at(2026, 1, 31, 4, 30)),
            ("2026-07-31 10:00:00 Europe/London", at(2026, 7, 31, 9)),
            ("2026/01/31", at(2026, 1, 31)),
            ("46053", at(2026, 1, 31)),
            ("46053.75", at(2026, 1, 31, 18)),
            ("31/01/2026", at(2026, 1, 31)),
            ("1/31/2026 10:05 PM", at(2026, 1, 31, 22, 5)),
            ("31.1.2026 10:05:30", at(2026, 1, 31, 10, 5, 30)),
            ("05/05/2026", at(2026, 5, 5)),
            ("31-Jan-2026", at(2026, 1, 31)),
            ("January 31, 2026", at(2026, 1, 31)),
        ],
    )
    def test_one_reading_only(self, engine, text: str, expected: datetime) -> None:  # noqa: ANN001
        """ISO with any zone, Excel serial numbers, and dates that only one exporter can have meant."""
        assert read(engine, "read_instant", text) == expected

    @pytest.mark.parametrize("text", ["05/06/2026", "1.2.2026", "12-01-2026 10:00", "01/02/26"])
    def test_two_readings_are_none(self, engine, text: str) -> None:  # noqa: ANN001
        """A date that two exporters mean differently is not guessed, and is told to be ambiguous."""
        assert read(engine, "read_instant", text) is None
        assert read(engine, "is_ambiguous_date", text) is True

    @pytest.mark.parametrize(
        "text",
        ["soon", "infinity", "epoch", "2026-02-30", "2026-13-01", "32/01/2026", "13/13/2026", "0026-01-01",
         "1700000000", "99999", "20260131", "12:30", "2026-01-31 (BC)"],
    )  # fmt: skip
    def test_what_is_no_date_is_none(self, engine, text: str) -> None:  # noqa: ANN001
        """Words, impossible days, epochs and years out of range."""
        assert read(engine, "read_instant", text) is None
        assert not read(engine, "is_ambiguous_date", text)

    @settings(deadline=None, max_examples=50)
    @given(st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
    def test_any_iso_instant(self, engine, naive: datetime, minutes: int) -> None:  # noqa: ANN001
        """Whatever instant, whatever offset: read as what it is."""
        sign, offset = "-" if minutes < 0 else "+", abs(minutes)
        text = f"{naive.isoformat()}{sign}{offset // 60:02}:{offset % 60:02}"
        assert read(engine, "read_instant", text) == datetime.fromisoformat(text)


class TestAmount:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("12", "12"),
            ("-3.5", "-3.5"),
            ("1,234", "1234"),
            ("1,234,567.89", "1234567.89"),
            ("1.234,56", "1234.56"),
            ("1 234,56", "1234.56"),
            ("1\u202f234", "1234"),
            ("1'000.50", "1000.5"),
            ("12,5", "12.5"),
            ("0,123", "0.123"),
            ("1.234.567", "1234567"),
            ("£1,234.50", "1234.5"),
            ("1234.50 GBP", "1234.5"),
            ("EUR 12", "12"),
            ("12.34567", "12.3457"),
        ],
    )
    def test_ways_to_write_one(self, engine, text: str, expected: str) -> None:  # noqa: ANN001
        """Thousands separators, decimal commas, currencies."""
        assert read(engine, "read_amount", text) == Decimal(expected)

    @pytest.mark.parametrize("text", ["abc", "$", "12,34,56", "1,23,456.00", "--5", "5-", "NaN", "1e400", "GBP"])
    def test_what_is_no_amount_is_none(self, engine, text: str) -> None:  # noqa: ANN001
        """Nothing is guessed from broken numbers."""
        assert read(engine, "read_amount", text) is None

    @settings(deadline=None, max_examples=50)
    @given(st.decimals(-(10**13), 10**13, places=4))
    def test_plain_and_grouped_are_the_same(self, engine, amount: Decimal) -> None:  # noqa: ANN001
        """An amount of any size, plain, English or German."""
        english = f"{amount:,}"
        german = english.translate(str.maketrans(",.", ".,"))
        assert read(engine, "read_amount", str(amount)) == amount
        assert read(engine, "read_amount", english) == amount
        assert read(engine, "read_amount", german) == amount


class TestOthers:
    @pytest.mark.parametrize(
        ("text", "expected"), [("7", 7), ("7.0", 7), ("1,000", 1000), ("-2", -2), ("7.5", None), ("x", None)]
    )
    def test_whole_numbers_are_not_rounded(self, engine, text: str, expected: int | None) -> None:  # noqa: ANN001
        """A fraction is no whole number."""
        assert read(engine, "read_whole", text) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("TRUE", True), ("yes", True), ("1", True), ("False", False), ("n", False), ("0.0", False), ("maybe", None)],
    )
    def test_only_a_clear_yes_is_true(self, engine, text: str, expected: bool | None) -> None:  # noqa: ANN001
        """What is neither yes nor no is nothing."""
        assert read(engine, "read_flag", text) is expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a|b", ["a", "b"]),
            ("a; b,", ["a", "b"]),
            ('["a", " b "]', ["a", "b"]),
            ("[]", []),
            ("", None),
            ("[broken", None),
        ],
    )
    def test_lists_of_texts(self, engine, text: str, expected: list[str] | None) -> None:  # noqa: ANN001
        """Separated or as JSON; an empty list is not an unknown one."""
        assert read(engine, "read_texts", text) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("c-ada", True), ("Ä 7/2", True), ("x" * 64, True), ("x" * 65, False), ("ada@x.de", False), ("a\tb", False)],
    )
    def test_an_id_fits_the_ledger_and_is_no_address(self, engine, text: str, expected: bool) -> None:  # noqa: ANN001
        """Ids go into logs and the ledger."""
        assert read(engine, "is_id", text) is expected
