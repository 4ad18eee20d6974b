"""Small words for working on whole columns: a column is a pandas Series backed by Arrow, empty is NA, unknown is no.

Comparisons with an empty value are empty; ``choose`` and ``verdict`` say what empty means there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import MONEY, TEXT, TEXTS, TIME

MICROSECONDS_A_DAY = 86_400_000_000
#: The largest float whose ten-thousandths an amount of the contract holds: 18 digits.
_MOST_UNITS = float(np.nextafter(1e18, 0))
_SEPARATOR = "\x1f"

Instants = npt.NDArray[np.datetime64]


def frame_of(table: pa.Table) -> pd.DataFrame:
    """The table as a frame of Arrow columns; nothing is converted or copied."""
    frame: pd.DataFrame = table.combine_chunks().to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def beside(*frames: pd.DataFrame) -> pd.DataFrame:
    """The columns of frames with the same rows, side by side; a name that comes twice is a ``ValueError``."""
    return pd.concat(frames, axis=1, verify_integrity=True)


def series(values: pa.Array | pa.ChunkedArray | npt.NDArray[np.generic]) -> pd.Series:
    """An Arrow or numpy array as a column."""
    array = pa.array(values) if isinstance(values, np.ndarray) else values
    return pd.Series(pd.arrays.ArrowExtensionArray(array))


def arrow(column: pd.Series) -> pa.Array:
    """A column as one Arrow array."""
    array = pa.array(column)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def constant(value: object, rows: int, type_: pa.DataType = TEXT) -> pd.Series:
    """The same value in every row."""
    return series(pa.repeat(pa.scalar(value, type_), rows))


def holds(condition: pd.Series) -> pd.Series:
    """A condition whose empty value means no."""
    return condition.fillna(value=False)


def holds_or_unknown(condition: pd.Series) -> pd.Series:
    """A condition whose empty value means yes: for whatever forbids."""
    return condition.fillna(value=True)


def any_of(*conditions: pd.Series) -> pd.Series:
    """Whether at least one of the conditions holds, row by row; an empty one does not."""
    return reduce(or_, (holds(condition) for condition in conditions))


def choose(cases: Sequence[tuple[pd.Series, pd.Series | str | None]], otherwise: pd.Series | str | None) -> pd.Series:
    """The value of the first case that holds, row by row; an empty condition does not hold."""
    result = arrow(otherwise) if isinstance(otherwise, pd.Series) else pa.scalar(otherwise, TEXT)
    conditions = [arrow(holds(condition)) for condition, _ in cases]
    values = [arrow(value) if isinstance(value, pd.Series) else pa.scalar(value, TEXT) for _, value in cases]
    return series(pc.case_when(pc.make_struct(*conditions), *values, result))


def lengths(lists: pd.Series) -> pd.Series:
    """How many values each list has; an empty list column value counts as none."""
    return series(pc.fill_null(pc.list_value_length(arrow(lists)), 0).cast(pa.int64()))


def contains(lists: pd.Series, value: str) -> pd.Series:
    """Whether each list of codes has the value."""
    joined = pc.binary_join(arrow(lists), _SEPARATOR)
    fenced = pc.binary_join_element_wise("", joined, "", _SEPARATOR)
    return holds(series(pc.match_substring(fenced, f"{_SEPARATOR}{value}{_SEPARATOR}")))


def first_value(lists: pd.Series) -> pd.Series:
    """The first value of each list of texts; empty where there is none."""
    array = arrow(lists)
    some = pc.if_else(pc.greater(pc.list_value_length(array), 0), array, pa.scalar([None], TEXTS))
    return series(pc.list_element(pc.fill_null(some, pa.scalar([None], TEXTS)), 0))


def joined(*parts: pd.Series | str) -> pd.Series:
    """The texts of each row put together; empty where one is."""
    arrays = [arrow(p) if isinstance(p, pd.Series) else pa.scalar(p, TEXT) for p in parts]
    return series(pc.binary_join_element_wise(*arrays, ""))


def listed(*columns: pd.Series) -> pd.Series:
    """One list per row of the texts that are there, in the order of the columns."""
    arrays = [arrow(column) for column in columns]
    there = np.column_stack([pc.is_valid(array).to_numpy(zero_copy_only=False) for array in arrays])
    row, column = np.nonzero(there)
    values = pa.concat_arrays(arrays).take(pa.array(column * len(there) + row))
    offsets = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    return series(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values).cast(TEXTS))


def latest(*columns: pd.Series) -> pd.Series:
    """The latest instant of each row; empty where all are."""
    micros = (pc.cast(arrow(column), pa.int64()) for column in columns)  # there is no maximum of instants with a zone
    return series(pc.max_element_wise(*micros, skip_nulls=True).cast(TIME))


def whole_days(since: pd.Series, until: datetime) -> pd.Series:
    """Whole days from each instant until ``until``, never below 0; empty where the instant is."""
    micros = pc.cast(arrow(since), pa.int64())
    gap = pc.subtract(pa.scalar(_micros(until), pa.int64()), micros)
    return series(pc.max_element_wise(pc.divide(gap, MICROSECONDS_A_DAY), pa.scalar(0, pa.int64()), skip_nulls=False))


def later(instants: pd.Series, by: timedelta) -> pd.Series:
    """Each instant so much later."""
    return series(pc.add(arrow(instants), pa.scalar(by, pa.duration("us"))).cast(TIME))


def money(units: pd.Series | npt.NDArray[np.int64]) -> pa.Array:
    """Whole ten-thousandths as amounts."""
    whole = arrow(units) if isinstance(units, pd.Series) else pa.array(units)
    exact = pc.multiply(pc.cast(whole, pa.decimal128(19, 0)), pa.scalar(_TEN_THOUSANDTH))
    return pc.cast(exact, MONEY)


def within_money(units: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ten-thousandths no further from 0 than an amount of the contract can be; NaN stays."""
    nearest: npt.NDArray[np.float64] = np.clip(units, -_MOST_UNITS, _MOST_UNITS)
    return nearest


def numbers(column: pd.Series, unknown: float = np.nan) -> npt.NDArray[np.float64]:
    """Whole numbers as numpy floats; ``unknown`` where empty."""
    filled: npt.NDArray[np.float64] = column.to_numpy(dtype=np.float64, na_value=unknown)
    return filled


def instants(column: pd.Series) -> Instants:
    """Instants as numpy UTC microseconds; NaT where empty."""
    result: Instants = pc.cast(arrow(column), TIME).to_numpy(zero_copy_only=False).astype("datetime64[us]")
    return result


def as_instants(values: Instants) -> pd.Series:
    """Numpy UTC microseconds as a column of instants; NaT is empty."""
    return series(pa.array(values, pa.timestamp("us"), mask=np.isnat(values)).cast(TIME))


def instant(moment: datetime) -> np.datetime64:
    """One moment as numpy UTC microseconds."""
    return np.datetime64(_micros(moment), "us")


def plus_months(values: Instants, months: npt.NDArray[np.int64]) -> Instants:
    """Each instant so many calendar months later, at the month's last day where the day does not exist."""
    start = values.astype("datetime64[M]")
    target = start + months.astype("timedelta64[M]")
    moved = target.astype("datetime64[us]") + (values - start.astype("datetime64[us]"))
    time_of_day = values - values.astype("datetime64[D]").astype("datetime64[us]")
    last_day = (target + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    result: Instants = np.minimum(moved, last_day.astype("datetime64[us]") + time_of_day)
    return result


def _micros(moment: datetime) -> int:
    return int(pa.scalar(moment, TIME).value)


_TEN_THOUSANDTH = pa.scalar("0.0001").cast(pa.decimal128(5, 4)).as_py()
