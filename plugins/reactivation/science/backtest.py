"""How good the probabilities are, told by the days that were held out, and made better by what they tell.

The model is fitted on what was known before the last H days and asked about them. Its ranking is usually good and its
level is not (it knows no seasons: up to a third off), so the level is set right by those days: a logistic
recalibration, which keeps the ranking.

Source: Cox (1958), Biometrika 45 (recalibration by intercept and slope); METHODS.md section 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import rankdata

from reactivation.science.arrays import Flags, Floats, require, require_one_length, summed
from reactivation.science.proportions import Interval, wilson

BANDS = 10

#: A probability of exactly 0 or 1 has no logarithm of odds; nobody is surer than this.
_SUREST = 1e-6
_STEPS, _STILL = 50, 1e-9


@dataclass(frozen=True)
class Band:
    """Customers of like probability: what was predicted of them, raw and recalibrated, and how many bought."""

    customers: int
    predicted: float
    recalibrated: float
    returned: int
    rate: float
    interval: Interval | None


@dataclass(frozen=True)
class Recalibration:
    """What makes a model's probability one that may be read as such: log odds ``intercept`` + ``slope`` × its own."""

    intercept: float
    slope: float

    def of(self, probabilities: Floats) -> Floats:
        """The recalibrated probabilities, in the same order; a higher one stays higher."""
        set_right: Floats = expit(self.intercept + self.slope * _log_odds(probabilities))
        return set_right


@dataclass(frozen=True)
class Backtest:
    """What the last ``days`` said of the probabilities. ``auc`` is that of the ranking, 0.5 being chance.

    ``level`` is predicted ÷ observed before recalibration. ``learned_here``: the probabilities were made from
    these very days, so that they fit better than they predict.
    """

    days: int
    customers: int
    returned: int
    auc: float
    level: float
    bands: tuple[Band, ...]
    learned_here: bool


def area_under_curve(scores: Floats, happened: Flags) -> float | None:
    """The chance that whom it happened to has a higher score than whom it did not, ties half; none without both."""
    require_one_length(scores=scores, happened=happened)
    yes = int(np.count_nonzero(happened))
    no = len(happened) - yes
    if not yes or not no:
        return None
    ranks = rankdata(scores)
    return float((ranks[happened].sum() - yes * (yes + 1) / 2) / (yes * no))


def calibration(predicted: Floats, recalibrated: Floats, returned: Flags, bands: int = BANDS) -> tuple[Band, ...]:
    """Bands of about equally many customers, the least probable first. Equal probabilities are never in two bands."""
    require_one_length(predicted=predicted, recalibrated=recalibrated, returned=returned)
    require((predicted >= 0) & (predicted <= 1), "a probability lies between 0 and 1")
    band = np.minimum((rankdata(predicted) - 1) * bands // max(len(predicted), 1), bands - 1).astype(np.int64)
    told = []
    for one in np.unique(band):
        mine = band == one
        customers, count = int(np.count_nonzero(mine)), int(np.count_nonzero(returned[mine]))
        means = float(predicted[mine].mean()), float(recalibrated[mine].mean())
        told.append(Band(customers, *means, count, count / customers, wilson(count, customers)))
    return tuple(told)


def recalibration(predicted: Floats, returned: Flags) -> Recalibration | None:
    """The most likely intercept and slope; none where they cannot be told or the ranking would be turned round."""
    require_one_length(predicted=predicted, returned=returned)
    if not returned.any() or returned.all() or np.ptp(predicted) == 0:
        return None
    odds, happened = _log_odds(predicted), returned.astype(float)
    found = np.array([0.0, 1.0])
    for _ in range(_STEPS):
        chance = expit(found[0] + found[1] * odds)
        spread, off = chance * (1 - chance), happened - chance
        by_slope, by_both = summed(spread, odds * odds), summed(spread, odds)
        by_intercept = spread.sum()
        determinant = by_intercept * by_slope - by_both * by_both
        if not determinant > 0:
            return None
        slope = np.array([off.sum(), summed(off, odds)])
        step = np.array([by_slope * slope[0] - by_both * slope[1], by_intercept * slope[1] - by_both * slope[0]])
        found += step / determinant
        if np.max(np.abs(step / determinant)) < _STILL:
            return Recalibration(float(found[0]), float(found[1])) if found[1] > 0 else None
    return None


def _log_odds(probabilities: Floats) -> Floats:
    odds: Floats = logit(np.clip(probabilities, _SUREST, 1 - _SUREST))
    return odds
