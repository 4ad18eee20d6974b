"""Spoiling a stated share of the rows, in catalogued ways that real exports show, so that reading them is proven.

A spoilt row never hides a *no*: subjects stay readable, and rows whose codes forbid contact are left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import Table
from reactivation.sample.dice import Dice, Flags, Whole
from reactivation.sample.files import Format

BAD_DATE = "bad_date"
EXCEL_DATE = "excel_date"
THOUSANDS = "thousands_separator"
UNKNOWN_CODE = "unknown_code"
MISSING_KEY = "missing_key"
DUPLICATE_KEY = "duplicate_key"
KINDS = {
    BAD_DATE: "a date that does not exist, 31/02/2024",
    EXCEL_DATE: "a date as a spreadsheet counts it, days since 1899-12-30 (readable)",
    THOUSANDS: "an amount with a thousands separator, 1,234.50 (readable)",
    UNKNOWN_CODE: "a code that the contract does not know",
    MISSING_KEY: "the row's key is empty",
    DUPLICATE_KEY: "the row is there twice",
}
_TYPED = (UNKNOWN_CODE, MISSING_KEY, DUPLICATE_KEY)
_ENOUGH_FOR_ONE = 25
"""Rows from which on a table has at least one spoilt row."""
_EXCEL_EPOCH_DAYS = 25_569
_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Spoiling:
    """How one table is spoilt: which column by which kind."""

    columns: dict[str, str] = field(default_factory=dict)
    code: str = ""


SPOILING = {
    "contacts": Spoiling({BAD_DATE: "created_at", EXCEL_DATE: "updated_at", UNKNOWN_CODE: "value_tier",
                          MISSING_KEY: "customer_id", DUPLICATE_KEY: "customer_id"}, "platinum"),
    "accounts": Spoiling({THOUSANDS: "annual_value", EXCEL_DATE: "updated_at", DUPLICATE_KEY: "account_id"}),
    "purchases": Spoiling({BAD_DATE: "occurred_at", EXCEL_DATE: "occurred_at", THOUSANDS: "amount",
                           UNKNOWN_CODE: "kind", MISSING_KEY: "purchase_id", DUPLICATE_KEY: "purchase_id"}, "quote"),
    "engagements": Spoiling({BAD_DATE: "occurred_at", EXCEL_DATE: "occurred_at", UNKNOWN_CODE: "kind",
                             MISSING_KEY: "event_id", DUPLICATE_KEY: "event_id"}, "viewed"),
    "cases": Spoiling({EXCEL_DATE: "opened_at", BAD_DATE: "opened_at", DUPLICATE_KEY: "case_id"}),
    "consents": Spoiling({BAD_DATE: "occurred_at", EXCEL_DATE: "occurred_at", UNKNOWN_CODE: "basis",
                          DUPLICATE_KEY: "record_id"}, "verbal"),
    "suppressions": Spoiling({EXCEL_DATE: "occurred_at", BAD_DATE: "occurred_at", DUPLICATE_KEY: "suppression_id"}),
}  # fmt: skip


class Dirt:
    """Spoils chunks of tables and counts what it planted."""

    def __init__(
        self, dice: Dice, share: float, format_: Format, spared: Sequence[str] = (), untouched: Sequence[str] = ()
    ) -> None:
        """``spared`` are customer ids whose rows tell their story as written, ``untouched`` the tables left alone."""
        self._dice = dice
        self._spoiling = {name: spoiling for name, spoiling in SPOILING.items() if name not in untouched}
        self._spared = pa.array(spared, pa.string())
        self._per_million = round(share * 1_000_000)
        self.format: Format = format_
        self.planted: dict[str, Counter[str]] = {}
        self._seen: Counter[str] = Counter()
        self._spoilt: Counter[str] = Counter()

    def spoil(self, table: Table, clean: pa.Table, written: pa.Table) -> pa.Table:
        """``written`` (text or typed) with its share spoilt; duplicates come at its end.

        ``clean`` is the typed original: it says which rows must be left alone and what the instants were.
        """
        spoiling = self._spoiling.get(table.name)
        kinds = [k for k in (spoiling.columns if spoiling else {}) if self.format == "csv" or k in _TYPED]
        first = self._seen[table.name]
        self._seen[table.name] += clean.num_rows
        target = (self._seen[table.name] * self._per_million + 500_000) // 1_000_000
        if self._per_million and self._seen[table.name] >= _ENOUGH_FOR_ONE:
            target = max(target, 1)
        due = target - self._spoilt[table.name]
        if spoiling is None or not kinds or due <= 0:
            return written
        rows = np.arange(first, first + clean.num_rows)
        order = self._dice.order(f"dirt {table.name}", rows)
        left = order[self._spoilable(table, clean)[order]]
        counts = self.planted.setdefault(table.name, Counter())
        twice: Whole = np.empty(0, dtype=np.int64)
        spoilt = written
        for number, kind in enumerate(kinds):
            # Kinds take turns, so a small table shows the first of them.
            wanted = (due - number + len(kinds) - 1) // len(kinds)
            fitting = _has_thousands(clean.column(spoiling.columns[kind]), left) if kind == THOUSANDS else left >= 0
            places = left[fitting][:wanted]
            left = left[~np.isin(left, places)]
            counts[kind] += len(places)
            self._spoilt[table.name] += len(places)
            if kind == DUPLICATE_KEY:
                twice = places
            elif len(places):
                spoilt = _replace(spoilt, clean, spoiling, kind, places)
        return pa.concat_tables([spoilt, spoilt.take(pa.array(twice))]) if len(twice) else spoilt

    def _spoilable(self, table: Table, clean: pa.Table) -> Flags:
        """Rows without a code that forbids, of customers who are not spared."""
        free = np.ones(clean.num_rows, dtype=bool)
        for column in table.columns:
            spared = self._spared if column.name == "customer_id" else pa.array(column.forbids, pa.string())
            if len(spared):
                free &= ~np.asarray(pc.is_in(clean.column(column.name), spared))
        return free


def _has_thousands(amounts: pa.ChunkedArray, places: Whole) -> Flags:
    return np.asarray(pc.fill_null(pc.greater_equal(amounts.take(pa.array(places)), pa.scalar(1000)), False))


def _replace(written: pa.Table, clean: pa.Table, spoiling: Spoiling, kind: str, places: Whole) -> pa.Table:
    name = spoiling.columns[kind]
    column = written.column(name)
    mask = np.zeros(written.num_rows, dtype=bool)
    mask[places] = True
    places = np.flatnonzero(mask)
    original = clean.column(name).take(pa.array(places))
    values: list[str | None]
    if kind == EXCEL_DATE:
        values = [_serial(microseconds) for microseconds in original.cast(pa.int64()).to_pylist()]
    elif kind == THOUSANDS:
        values = [f"{amount:,.2f}" for amount in original.to_pylist()]
    else:
        values = [{BAD_DATE: "31/02/2024", UNKNOWN_CODE: spoiling.code, MISSING_KEY: None}[kind]] * len(places)
    spoilt = pc.replace_with_mask(column.combine_chunks(), pa.array(mask), pa.array(values, column.type))
    return written.set_column(written.schema.get_field_index(name), name, spoilt)


def _serial(microseconds: int) -> str:
    days, rest = divmod(microseconds, _DAY_US)
    return f"{_EXCEL_EPOCH_DAYS + days}.{rest * 100_000 // _DAY_US:05d}"
