"""Churn probability: one less the probability of at least one purchase in the next H days.

Not one less P(alive): that says nothing of whether a customer will buy soon, and under BG/NBD it ranks everybody who
bought once as the most alive of all. A model is used only where it converged and its backtest agrees with it; else the
empirical hazard speaks, under its own name; else nobody is scored.

Source: METHODS.md section 1; Ascarza (2018), JMR 55(1): the riskiest are not the best targets. The score tells how much
is at risk; who is worth an incentive is told by response.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from reactivation.science.arrays import Flags, Floats, require_one_length
from reactivation.science.backtest import Backtest, Recalibration, area_under_curve, calibration, recalibration
from reactivation.science.fitting import PurchasingFit, fit_purchasing
from reactivation.science.hazards import LEAST_CUSTOMERS, Hazards, hazard, learn_hazards
from reactivation.science.histories import Histories, distinct
from reactivation.science.likelihood import NoFit, published
from reactivation.science.purchasing import Model, Purchasing, expected_purchases, p_active, p_alive

HORIZON_DAYS = 90
#: Lower bounds of framework 003's dormancy ranges, with what lies below them.
DORMANCY_DAYS = (0, 60, 90, 120, 180)

Method = Literal["mbg_nbd", "bg_nbd", "hazard", "none"]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What was known ``days`` ago of whoever had bought by then, and, in the same order, who ``returned`` since."""

    histories: Histories
    returned: Flags
    days: int = HORIZON_DAYS

    def __post_init__(self) -> None:
        require_one_length(histories=self.histories.frequency, returned=self.returned)


@dataclass(frozen=True, eq=False)
class Scores:
    """One row per customer asked about; NaN where a method does not say.

    ``churn`` = 1 - P(at least one purchase in the next ``days``), recalibrated. ``alive`` is P(alive), shown beside it
    and never ranked by. ``purchases`` are expected in those days. ``because``: why it is not the model asked for.
    """

    method: Method
    days: int
    churn: Floats
    alive: Floats
    purchases: Floats
    fit: PurchasingFit | None = None
    recalibration: Recalibration | None = None
    hazards: Hazards | None = None
    backtest: Backtest | None = None
    because: str | None = None


def score(
    now: Histories, held_out: HeldOut, model: Model = "mbg_nbd", dormancy_days: Sequence[int] = DORMANCY_DAYS
) -> Scores:
    """Scores of the customers in ``now``, for as many days ahead as were held out."""
    then, days = held_out.histories, held_out.days
    if len(then) < LEAST_CUSTOMERS:
        unknown = np.full(len(now), np.nan)
        because = f"{len(then)} customers {days} days ago, {LEAST_CUSTOMERS} are needed"
        return Scores("none", days, unknown, unknown, unknown, because=because)
    with ThreadPoolExecutor(max_workers=2) as two:
        earlier, latest = two.map(lambda histories: fit_purchasing(histories, model), (then, now))
    if isinstance(earlier, NoFit):
        return _by_hazard(now, held_out, dormancy_days, f"{model}, {days} days ago: {earlier.sentence}")
    if isinstance(latest, NoFit):
        return _by_hazard(now, held_out, dormancy_days, f"{model}: {latest.sentence}")
    predicted, _, _ = _of_each(_published(earlier).purchasing, then, days)
    exact = recalibration(predicted, held_out.returned)
    if exact is None:
        return _by_hazard(now, held_out, dormancy_days, f"{model}: the last {days} days do not agree with its ranking")
    level, fit = Recalibration(published(exact.intercept), published(exact.slope)), _published(latest)
    active, alive, purchases = _of_each(fit.purchasing, now, days)
    recalibrated = level.of(active)
    # What is expected of whoever buys at all is the model's; whether they buy is set right. One at least, where the
    # model's own probability is too small for a number.
    each = np.maximum(np.divide(purchases, active, out=np.ones_like(active), where=active > 0), 1.0)
    return Scores(
        method=model, days=days, churn=1 - recalibrated, alive=alive, purchases=each * recalibrated, fit=fit,
        recalibration=level, backtest=_backtest(predicted, level.of(predicted), held_out, learned_here=False),
    )  # fmt: skip


def _published(fit: PurchasingFit) -> PurchasingFit:
    """The fit with the parameters that are used, which are the ones published."""
    p = fit.purchasing
    return replace(
        fit, purchasing=Purchasing(p.model, published(p.r), published(p.alpha), published(p.a), published(p.b))
    )


def _of_each(purchasing: Purchasing, histories: Histories, days: int) -> tuple[Floats, Floats, Floats]:
    """P(active), P(alive) and E[Y] of everybody, worked out once for equal histories."""
    different = distinct(histories)
    few, row = different.histories, different.row
    return (
        p_active(purchasing, few, days)[row], p_alive(purchasing, few)[row],
        expected_purchases(purchasing, few, days)[row],
    )  # fmt: skip


def _by_hazard(now: Histories, held_out: HeldOut, dormancy_days: Sequence[int], because: str) -> Scores:
    hazards = learn_hazards(held_out.histories, held_out.returned, dormancy_days)
    seen, unknown = hazard(hazards, held_out.histories), np.full(len(now), np.nan)
    return Scores(
        method="hazard", days=held_out.days, churn=1 - hazard(hazards, now), alive=unknown, purchases=unknown,
        hazards=hazards, backtest=_backtest(seen, seen, held_out, learned_here=True), because=because,
    )  # fmt: skip


def _backtest(predicted: Floats, recalibrated: Floats, held_out: HeldOut, *, learned_here: bool) -> Backtest | None:
    """None where everybody or nobody returned: there is no ranking to judge."""
    returned = held_out.returned
    auc = area_under_curve(predicted, returned)
    if auc is None:
        return None
    count = int(np.count_nonzero(returned))
    bands = calibration(predicted, recalibrated, returned)
    return Backtest(held_out.days, len(returned), count, auc, float(predicted.sum()) / count, bands, learned_here)
