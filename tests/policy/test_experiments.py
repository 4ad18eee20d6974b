"""Who gets which variant: by a hash of salt and id alone, in proportion to the shares, independent of the holdout."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from reactivation.playbooks.touches import Variant, VariantTouch
from reactivation.policy.experiments import holdout, variant

PEOPLE = [f"c-{number}" for number in range(20_000)]


def declared(**shares: float) -> tuple[Variant, ...]:
    return tuple(
        Variant(variant=name, share=share, touches=() if name == "control" else (VariantTouch(number=1, subject=name),))
        for name, share in shares.items()
    )


def points(salt: str = "2026-h2", word: str = ":variant:") -> pd.Series:
    """What the SQL makes of each id, by hand."""
    hashes = (hashlib.sha256(f"{salt}{word}{one}".encode()).hexdigest()[:8] for one in PEOPLE)
    return pd.Series([int(one, 16) for one in hashes], dtype="int64[pyarrow]")


def nobody(count: int = len(PEOPLE)) -> pd.Series:
    return pd.Series([False] * count, dtype="bool[pyarrow]")


def assigned(salt: str = "2026-h2", **shares: float) -> pd.Series:
    return variant(points(salt), nobody(), declared(**shares))


THREE = {"control": 0.5, "bold": 0.3, "loud": 0.2}


def test_the_shares_are_kept() -> None:
    """Within what chance leaves of them."""
    counts = assigned(**THREE).value_counts(normalize=True)
    assert {name: round(float(counts[name]), 2) for name in THREE} == THREE


def test_everybody_stays_where_he_is() -> None:
    """Asked again, and in any company: each by himself."""
    whole = assigned(**THREE)
    assert whole.equals(assigned(**THREE))
    some = points().iloc[500:510].reset_index(drop=True)
    assert variant(some, nobody(10), declared(**THREE)).tolist() == whole.iloc[500:510].tolist()


def test_another_season_is_another_draw() -> None:
    """Who was in the control then may be anywhere now."""
    table = pd.crosstab(assigned("2026-h2", **THREE).to_numpy(), assigned("2027-h1", **THREE).to_numpy())
    assert chi2_contingency(table).pvalue > 0.001


def test_it_says_nothing_of_the_holdout() -> None:
    """And the holdout nothing of it, although both are of the same salt."""
    held_out = holdout(points(word=":"), 0.1)
    table = pd.crosstab(assigned(**THREE).to_numpy(), held_out.to_numpy())
    assert chi2_contingency(table).pvalue > 0.001


def test_who_is_held_out_gets_none() -> None:
    """And without variants nobody does."""
    held_out = holdout(points(word=":"), 0.1)
    got = variant(points(), held_out, declared(**THREE))
    assert got.isna().equals(held_out.astype(bool))
    assert variant(points(), held_out, ()).isna().all()


@given(st.lists(st.integers(1, 50), min_size=2, max_size=6))
def test_the_ends_are_somebodys(weights: list[int]) -> None:
    """The first point is the first variant's, the last the last's, whatever the shares."""
    names = ["control", *(f"v{number}" for number in range(1, len(weights)))]
    shares = np.array(weights) / sum(weights)
    ends = pd.Series([0, 2**32 - 1], dtype="int64[pyarrow]")
    got = variant(ends, nobody(2), declared(**dict(zip(names, map(float, shares), strict=True))))
    assert got.tolist() == [names[0], names[-1]]
