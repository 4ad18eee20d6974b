"""Who is held out of all touches, so that what reactivation adds can be told from who would have come back anyway.

The hash of salt and customer id is made in SQL (``holdout_point``: its first 32 bits), so a customer stays where he is
for as long as the salt stays, whoever else is there. Source: METHODS.md section 4.
"""

from __future__ import annotations

import pandas as pd

_POINTS = 2**32


def holdout(points: pd.Series, share: float) -> pd.Series:
    """Whether each customer belongs to the held-out share (0 nobody, 1 everybody)."""
    return points < int(share * _POINTS)
