"""Who is held out of all touches, and which variant everybody else gets: by chance, so that what a message adds can be
told from who got it.

The hashes of salt and customer id are made in SQL (``holdout_point``, ``variant_point``: their first 32 bits; another
text is hashed for each, so that the one says nothing of the other). So a customer stays where he is for as long as the
salt and the shares stay, whoever else is there. Source: METHODS.md sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from reactivation.contract.tables import TEXT
from reactivation.playbooks.touches import Variant
from reactivation.policy.columns import constant, series

_POINTS = 2**32


def holdout(points: pd.Series, share: float) -> pd.Series:
    """Whether each customer belongs to the held-out share (0 nobody, 1 everybody)."""
    return points < int(share * _POINTS)


def variant(points: pd.Series, held_out: pd.Series, variants: Sequence[Variant]) -> pd.Series:
    """The variant of each customer, in proportion to the shares, in the order in which they are declared; nothing for
    whoever is held out of all touches, and where a playbook has none."""
    if not variants:
        return constant(None, len(points))
    edges = (np.cumsum([one.share for one in variants])[:-1] * _POINTS).astype(np.int64)
    places = np.searchsorted(edges, points.to_numpy(dtype=np.int64), side="right")
    names = pa.array([one.variant for one in variants], TEXT)
    return series(names.take(pa.array(places, mask=held_out.to_numpy(dtype=bool))))
