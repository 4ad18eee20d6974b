"""From numpy columns to Arrow columns: codes to words, whole pence to money, epoch seconds to instants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import MONEY, TIME, Table
from reactivation.sample.dice import Flags, Whole

EMPTY = -1
"""An empty instant, amount or code."""


def words(values: Sequence[str | None], codes: Whole) -> pa.Array:
    """The word of each code; code ``-1`` and empty words are null."""
    table = pa.array([value or None for value in values], pa.string())
    return table.take(pa.array(codes, mask=codes < 0))


def ids(prefix: str, numbers: Whole, width: int) -> pa.Array:
    """``prefix`` and the number, padded with zeros; ``-1`` is null."""
    empty = bool(len(numbers)) and bool((numbers < 0).any())
    digits = pc.utf8_lpad(pc.cast(pa.array(numbers, mask=numbers < 0 if empty else None), pa.string()), width, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), digits, "")


def instants(seconds: Whole) -> pa.Array:
    """UTC instants of epoch seconds; ``-1`` is null."""
    return pa.array(seconds * 1_000_000, mask=seconds < 0).cast(TIME)


def money(pence: Whole) -> pa.Array:
    """Amounts of whole pence; ``-1`` is null."""
    raw = np.zeros((len(pence), 2), dtype=np.int64)
    raw[:, 0] = pence * 100
    return _with_nulls(pa.Array.from_buffers(MONEY, len(pence), [None, pa.py_buffer(raw)]), pence < 0)


def hundredths(amounts: pa.ChunkedArray) -> Whole:
    """Whole hundredths of amounts, what is smaller cut off; no amount is 0."""
    plain = pc.fill_null(amounts, Decimal(0)).combine_chunks()
    raw = np.frombuffer(plain.buffers()[1], dtype=np.int64).reshape(-1, 2)
    return raw[plain.offset : plain.offset + len(plain), 0] // 100


def flags(values: Flags, unknown: Flags | None = None) -> pa.Array:
    """Yes and no; ``unknown`` marks the nulls."""
    return pa.array(values, mask=unknown)


def nothing(rows: int, type_: pa.DataType | None = None) -> pa.Array:
    """A column of nulls."""
    return pa.nulls(rows, type_ or pa.string())


def constant(value: str, rows: int) -> pa.Array:
    """One word for every row."""
    return pa.repeat(pa.scalar(value), rows)


def lists(values: Sequence[Sequence[str]], codes: Whole) -> pa.Array:
    """The list of words of each code; an empty list is null."""
    table = pa.array([list(value) or None for value in values], pa.list_(pa.string()))
    return table.take(pa.array(codes))


def table_of(table: Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    """The columns in the contract's order; ``KeyError`` for one that is missing, Arrow's error for a wrong type."""
    return pa.table([columns[name] for name in table.schema.names], schema=table.schema)


def _with_nulls(array: pa.Array, empty: npt.NDArray[np.bool_]) -> pa.Array:
    return pc.if_else(pa.array(empty), pa.scalar(None, array.type), array) if empty.any() else array
