"""What the science room takes and does: scoring a large company, and its rules over many simulated streams."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from tests.science.simulated import (
    FLOOR,
    MARGIN,
    RESPONSES,
    Choose,
    Course,
    best_fixed,
    company,
    course,
    harmed,
    minimum_first,
    peeked,
    thompson,
)  # fmt: skip

from reactivation.science.purchasing import Purchasing
from reactivation.science.scoring import score
from reactivation.science.spending import SpendingFit, expected_order_value, fit_spending

SEED = 20_261_127
STREAMS, POPULATIONS, EXPLORED = 2_000, 100, 0.07
REPEATS = 3


def score_many(customers: int) -> dict[str, Any]:
    """Fits, backtests and scores; processor seconds, the median of three."""
    now, held_out = company(Purchasing("mbg_nbd", r=0.8, alpha=120.0, a=1.2, b=3.0), customers, SEED)
    shape = np.maximum(6.0 * now.frequency, 1.0)
    dice = np.random.default_rng(SEED)
    spent = dice.gamma(shape, 1 / shape) * 6.0 / dice.gamma(4.0, 1 / 15.0, customers)
    took = []
    for _ in range(REPEATS):
        began = time.process_time()
        scores = score(now, held_out)
        spending = fit_spending(spent, now.frequency)
        if isinstance(spending, SpendingFit):
            expected_order_value(spending.spending, spent, now.frequency)
        took.append(time.process_time() - began)
    if scores.method != "mbg_nbd" or scores.backtest is None:
        raise ValueError(f"these customers should be scored by the model, not {scores.method}: {scores.because}")
    if not isinstance(spending, SpendingFit):
        raise ValueError(f"what these customers spend should have a model: {spending.sentence}")
    return {"parts": {"score": median(took)}, "auc": scores.backtest.auc, "level": scores.backtest.level}


def simulate() -> dict[str, Any]:
    """How often the monitor and the harm limits are wrong, and what the incentive policy earns, in per cent."""
    same = peeked(SEED, STREAMS, base=0.10, variant=0.10)
    four = peeked(SEED + 1, STREAMS, base=0.10, variant=0.10, variants=4)
    worse = peeked(SEED + 2, STREAMS, base=0.10, variant=0.08)
    within = harmed(SEED + 3, STREAMS, true=0.002, limit=0.003)
    at_limit = harmed(SEED + 4, STREAMS, true=0.003, limit=0.003)
    beyond = harmed(SEED + 5, STREAMS, true=0.006, limit=0.003)
    return {
        "paused": {"same": _percent(same.monitor), "four": _percent(four.monitor), "worse": _percent(worse.monitor)},
        "naive": {"same": _percent(same.naive), "four": _percent(four.naive)},
        "stopped": {name: _percent(one.evidence) for name, one in
                    (("within", within), ("at_limit", at_limit), ("beyond", beyond))},
        "observed": _percent(within.observed),
        "incentives": {name: _incentives(response) for name, response in RESPONSES.items()},
    }  # fmt: skip


def _incentives(response: tuple[float, ...]) -> dict[str, float]:
    best = best_fixed(response)
    ours = _courses(response, lambda: minimum_first(EXPLORED))
    theirs = _courses(response, lambda: thompson)
    profits = [one.profit / best for one in ours]
    return {
        "profit": _percent(sum(profits) / POPULATIONS),
        "worst": _percent(min(profits)),
        "thompson": _percent(sum(one.profit for one in theirs) / POPULATIONS / best),
        "discount": _percent(sum(one.discount for one in ours) / sum(one.discount for one in theirs)),
        "beyond_floor": _percent(max(max(one.deepest - (MARGIN - FLOOR), 0.0) for one in ours)),
    }


def _courses(response: tuple[float, ...], policy: Callable[[], Choose]) -> list[Course]:
    """Each population begins with a policy that knows nothing yet."""
    chosen: list[Choose] = [policy() for _ in range(POPULATIONS)]
    return [course(SEED + number, response, choose) for number, choose in enumerate(chosen)]


def _percent(share: float) -> float:
    return round(100 * share, 2)
