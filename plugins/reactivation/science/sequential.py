"""Is a variant worse than its control? A test that may be looked at every day.

Of the people who converted, the share that had the variant is s, the variant's randomised share, when it is as good as
its control. The evidence that the share is lower is an e-value: a bet against "as good" that on average wins nothing
while that is true, however often it is looked at (Ville: it reaches K/α with a probability of at most α/K). Whether it
is better is asked with the arms exchanged and 1-s for s.

    log e = ln B(a+t, b+c) + ln I_s(a+t, b+c) - ln B(a, b) - ln I_s(a, b) - t·ln s - c·ln(1-s)

Source: one-sided form of Lindon & Malek (2022), "Anytime-valid inference for multinomial count data"; METHODS.md
section 3.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaln, hyp2f1

from reactivation.science.arrays import Floats, require
from reactivation.science.errors import ScienceError

ALPHA = 0.05

_A = _B = 10.0
#: Below this a regularised incomplete beta function loses its digits.
_SMALLEST = 1e-290


@dataclass(frozen=True)
class Batch:
    """Conversions while the split stayed as it was, both arms matured equally long. ``share``: the variant's randomised
    share of the pair."""

    share: float
    variant: int
    control: int


def log_e_worse(variant: npt.ArrayLike, control: npt.ArrayLike, share: npt.ArrayLike) -> Floats:
    """The logarithm of the evidence that the variant is worse: conversions t and c, and s, of any one shape."""
    t, c, s = (np.asarray(column, dtype=float) for column in (variant, control, share))
    require((t >= 0) & (c >= 0), "conversions are at least 0")
    require((s > 0) & (s < 1), "a randomised share lies between 0 and 1")
    evidence: Floats = (
        betaln(_A + t, _B + c) + _log_betainc(_A + t, _B + c, s) - betaln(_A, _B) - _log_betainc(_A, _B, s)
        - t * np.log(s) - c * np.log1p(-s)
    )  # fmt: skip
    return evidence


def log_e_of(batches: Iterable[Batch]) -> float:
    """The evidence of several batches: e-values multiply, each with its own share."""
    return sum(float(log_e_worse(batch.variant, batch.control, batch.share)) for batch in batches)


def is_worse(log_e: float, variants: int = 1, alpha: float = ALPHA) -> bool:
    """Whether a variant is paused, when so many are watched; nobody is wrong more often than ``alpha``."""
    if variants < 1 or not 0 < alpha < 1:
        raise ScienceError(f"{variants} variants at α = {alpha} cannot be watched")
    return log_e >= math.log(variants / alpha)


def _log_betainc(a: Floats | float, b: Floats | float, s: Floats) -> Floats:
    value = betainc(a, b, s)
    small = value < _SMALLEST
    with np.errstate(divide="ignore"):
        logs: Floats = np.log(value)
    if not np.any(small):
        return logs
    # I_s(a, b) = s^a (1-s)^b F(a+b, 1; a+1; s) ÷ (a B(a, b)), whose series is short so far out in the tail.
    tail = a * np.log(s) + b * np.log1p(-s) - np.log(a) - betaln(a, b) + np.log(hyp2f1(a + b, 1.0, a + 1, s))
    return np.where(small, tail, logs)
