"""Which months people buy in: each month's share of the purchases of two whole years.

Source: METHODS.md section 1; PLAYBOOKS.md, section 1 (seasonal demand: month's share over 24 months, else none).
"""

from __future__ import annotations

from reactivation.science.arrays import Floats, Whole, require

DAYS = 730


def month_shares(counts: Whole, days_known: int) -> Floats | None:
    """The share of January … December in the last 24 months; they sum to 1.

    ``counts`` are the purchases of those months by month of the year, ``days_known`` the days since the first purchase
    ever. None where these are fewer than 24 months (there is no second year to compare with) or nobody bought in them.
    """
    require(counts >= 0, "counts are at least 0")
    if days_known < DAYS or not counts.sum():
        return None
    shares: Floats = counts / counts.sum()
    return shares
