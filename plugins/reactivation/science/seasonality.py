"""Which months people buy in: each month's share of the purchases of two whole years.

Source: METHODS.md section 1; PLAYBOOKS.md, section 1 (seasonal demand: month's share over 24 months, else none).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reactivation.science.arrays import Floats

MONTHS = 24

Days = npt.NDArray[np.datetime64]


def month_shares(days: Days, as_of: np.datetime64) -> Floats | None:
    """The share of January … December in the last 24 whole months before ``as_of``; they sum to 1.

    ``days`` are of purchases, in any order. None where the first of them is younger than these months (there is no
    second year to compare with) or nobody bought in them.
    """
    bought = days.astype("datetime64[M]").astype(np.int64)
    end = int(as_of.astype("datetime64[M]").astype(np.int64))
    if not len(bought) or bought.min() > end - MONTHS:
        return None
    counted = bought[(bought >= end - MONTHS) & (bought < end)]
    if not len(counted):
        return None
    counts = np.bincount(counted % 12, minlength=12)
    shares: Floats = counts / counts.sum()
    return shares
