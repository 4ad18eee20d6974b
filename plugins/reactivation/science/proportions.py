"""Shares of people and how sure one can be of them.

Source: Wilson (1927), JASA 22; Newcombe (1998), Statistics in Medicine 17, 873-890 (method 10); Fabijan et al. (2019)
on sample ratios; METHODS.md section 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import chdtrc, ndtri

from reactivation.science.errors import ScienceError

CONFIDENCE = 0.95
#: Below this p a split is not the one that was meant: the groups were not made by chance, and nothing may be compared.
SAMPLE_RATIO_P = 0.001


@dataclass(frozen=True)
class Interval:
    """From ``low`` to ``high``, both included."""

    low: float
    high: float


def wilson(count: int, of: int, confidence: float = CONFIDENCE) -> Interval | None:
    """Wilson's score interval of ``count`` ÷ ``of``; none where nothing was counted."""
    _check(count, of)
    if of == 0:
        return None
    z, rate = _z(confidence), count / of
    centre = rate + z * z / (2 * of)
    half = z * math.sqrt(rate * (1 - rate) / of + z * z / (4 * of * of))
    whole = 1 + z * z / of
    # At none and at all the ends are 0 and 1 exactly, which rounding would miss.
    low = 0.0 if count == 0 else (centre - half) / whole
    return Interval(low, 1.0 if count == of else (centre + half) / whole)


def newcombe(count: int, of: int, other_count: int, other_of: int, confidence: float = CONFIDENCE) -> Interval | None:
    """Newcombe's hybrid score interval of ``count`` ÷ ``of`` less ``other_count`` ÷ ``other_of``."""
    mine, other = wilson(count, of, confidence), wilson(other_count, other_of, confidence)
    if mine is None or other is None:
        return None
    rate, other_rate = count / of, other_count / other_of
    difference = rate - other_rate
    return Interval(
        difference - math.hypot(rate - mine.low, other.high - other_rate),
        difference + math.hypot(mine.high - rate, other_rate - other.low),
    )


def sample_ratio_p(count: int, of: int, share: float) -> float:
    """The p of χ² (one degree of freedom) of ``count`` among ``of`` people, each meant to be there with ``share``."""
    _check(count, of)
    if not 0 < share < 1:
        raise ScienceError(f"a split gives a share between 0 and 1, not {share}")
    if of == 0:
        return 1.0
    return float(chdtrc(1, (count - of * share) ** 2 / (of * share * (1 - share))))


def minimum_detectable_effect(
    rate: float, of: int, other_of: int, power: float = 0.8, confidence: float = CONFIDENCE
) -> float | None:
    """The smallest true difference to a rate of ``rate`` that two groups of these sizes would show with that power.

    Two-sided, in points of the rate; none while a group is empty.
    """
    if not 0 <= rate <= 1:
        raise ScienceError(f"a rate lies between 0 and 1, not {rate}")
    if min(of, other_of) < 1:
        return None
    return float((_z(confidence) + ndtri(power)) * math.sqrt(rate * (1 - rate) * (1 / of + 1 / other_of)))


def _z(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ScienceError(f"a confidence lies between 0 and 1, not {confidence}")
    return float(ndtri((1 + confidence) / 2))


def _check(count: int, of: int) -> None:
    if not 0 <= count <= of:
        raise ScienceError(f"{count} of {of} cannot be")
