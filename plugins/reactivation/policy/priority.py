"""Who goes first: value, recency, engagement and chance, each between 0 and 1, weighted; the parts are kept.

The chance of a message is that of an open question: who is sure to come back needs none, who is sure not to is not won
by one. It is 4 × churn × (1 − churn): 1 where both are as likely, 0 where either is certain.

Whole ten-thousandths throughout, so that equal customers are exactly equal. Source: ``include/rules/priority.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.policy.columns import arrow, numbers
from reactivation.policy.rules import PriorityRules
from reactivation.policy.segments import UNIT

Whole = npt.NDArray[np.int64]


def priority(candidates: pd.DataFrame, rules: PriorityRules) -> dict[str, Whole]:
    """priority, priority_value, priority_recency, priority_engagement, priority_chance of value_tier, dormant_days,
    window_days, engagement_pattern and churn. Nobody who never did anything is recent.
    """
    beyond = numbers(candidates["dormant_days"] - candidates["window_days"], unknown=float(rules.recency_days))
    left = np.clip(rules.recency_days - beyond, 0, rules.recency_days).astype(np.int64)
    value = _points(candidates["value_tier"], rules.value)
    recency: Whole = left * UNIT // rules.recency_days
    engagement = _points(candidates["engagement_pattern"], rules.engagement)
    chance = _chance(candidates["churn"], rules.chance_unknown)
    weights = rules.weights
    parts = {"value": value, "recency": recency, "engagement": engagement, "chance": chance}
    total = sum((part * _units(getattr(weights, name)) for name, part in parts.items()), np.zeros_like(value))
    return {"priority": total // UNIT, **{f"priority_{name}": part for name, part in parts.items()}}


def _chance(churn: pd.Series, unknown: Decimal) -> Whole:
    """4 × churn × (1 − churn), from whole ten-thousandths."""
    of = numbers(churn)
    scored = ~np.isnan(of)
    stays_away = np.where(scored, of, 0).astype(np.int64)
    return np.where(scored, 4 * stays_away * (UNIT - stays_away) // UNIT, _units(unknown))


def _points(codes: pd.Series, points: Mapping[Any, Decimal]) -> Whole:
    """The points of each code; a code without points has none."""
    found = pc.index_in(arrow(codes), value_set=pa.array(points.keys(), pa.string()))
    given = pa.array([_units(p) for p in points.values()]).take(found)
    result: Whole = pc.fill_null(given, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return result


def _units(part: Decimal) -> int:
    return int(part * UNIT)
