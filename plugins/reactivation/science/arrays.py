"""The kinds of column this room counts with, and what may be asked of them before anything is counted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reactivation.science.errors import ScienceError

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def summed(weights: Floats | Whole, values: Floats) -> float:
    """The sum of ``values``, each so many times.

    Summed by numpy, pairwise. BLAS would share a long sum among its threads: their number would show in the last digits
    that decide where a search stops, and on a busy machine they wait for each other for longer than they sum.
    """
    return float((weights * values).sum())


def require(holds: npt.ArrayLike, sentence: str) -> None:
    """Raises ``ScienceError`` with the sentence and the first row where it does not hold."""
    wrong = np.flatnonzero(~np.atleast_1d(np.asarray(holds, dtype=bool)))
    if wrong.size:
        raise ScienceError(f"row {wrong[0]}: {sentence} ({wrong.size} such rows)")


def require_one_length(**columns: npt.NDArray[np.generic]) -> None:
    """Raises ``ScienceError`` naming the lengths when the columns are not of one."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ScienceError(f"columns of one table differ in length: {told}")
