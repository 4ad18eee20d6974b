"""Columns of instants, masks and reasons, row by row; what is unknown stays so unless a function says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TEXT, TIME


def latest_of(*instants: pa.Array) -> pa.Array:
    """The latest of each row; null where any is."""
    return pc.max_element_wise(*(pc.cast(i, pa.int64()) for i in instants), skip_nulls=False).cast(TIME)


def earliest_of(*instants: pa.Array) -> pa.Array:
    """The earliest of each row, of those that are known."""
    return pc.min_element_wise(*(pc.cast(i, pa.int64()) for i in instants)).cast(TIME)


def flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def any_of(masks: Iterable[pa.Array]) -> pa.Array:
    """Whether one of the masks, at least one, is true."""
    return reduce(pc.or_, masks)


def first_reason(cases: Sequence[tuple[str, Any]], rows: int) -> pa.Array:
    """The code of the first mask that is true or unknown, null where all are false."""
    masks = [
        pc.fill_null(flat(mask), True) if isinstance(mask, (pa.Array, pa.ChunkedArray)) else pa.repeat(mask, rows)
        for _, mask in cases
    ]
    codes = [pa.scalar(code) for code, _ in cases]
    return pc.case_when(pc.make_struct(*masks), *codes, pa.scalar(None, TEXT))
