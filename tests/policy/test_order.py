"""Who goes first, and who is held out."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.policy.people import ago as before
from tests.policy.people import decide, one, person, playbook, purchases, rules, stories, together

from reactivation.policy.columns import series
from reactivation.policy.experiments import holdout
from reactivation.policy.priority import priority
from reactivation.policy.scores import SCORED

_SCORED = {field.name: field.type for field in SCORED}


def test_priority_is_the_weighted_sum_of_its_parts() -> None:
    """Value 0.6, recency of 40 days beyond the window, engagement unknown, not scored."""
    row = one(person())

    parts = [row[f"priority_{name}"] for name in ("value", "recency", "engagement", "chance")]
    assert parts == [Decimal("0.6000"), Decimal("0.8904"), Decimal("0.3000"), Decimal("0.3000")]
    assert row["priority"] == Decimal("0.5676")  # 0.6 x 0.4 + 0.8904 x 0.25 + 0.3 x 0.15 + 0.3 x 0.2


def test_a_fraction_of_the_priority_is_cut_off() -> None:
    """Two days later recency is 0.8849, and the sum 0.566225."""
    row = one(person(purchases={"last_purchase_at": before(132), "last_order_at": before(132)}))

    assert (row["priority_recency"], row["priority"]) == (Decimal("0.8849"), Decimal("0.5662"))


@pytest.mark.parametrize(("churn", "chance"), [(0.0, "0"), (0.5, "1"), (0.9, "0.36"), (0.9999, "0.0003"), (1.0, "0")])
def test_a_message_counts_where_the_question_is_open(churn: float, chance: str) -> None:
    """Who is sure to come back, or sure not to, goes after whom it is open about."""
    scores = pa.table({"customer_id": ["c-1"], **{name: pa.nulls(1, kind) for name, kind in _SCORED.items()}})
    scores = scores.set_column(scores.column_names.index("churn"), "churn", [[round(churn * 10_000)]])

    row = one(person(), scores=scores)

    assert (row["churn"], row["priority_chance"]) == (Decimal(str(churn)), Decimal(chance))


def test_a_code_without_points_has_none() -> None:
    """Rules that speak of clicks alone; and nobody who never did anything is recent."""
    clicks_alone = rules().priority.model_copy(update={"engagement": {"clicks_no_purchase": Decimal(1)}})
    candidates = pd.DataFrame({
        "value_tier": ["high", "high"], "engagement_pattern": ["clicks_no_purchase", "dark"],
        "dormant_days": [90, None], "window_days": [90, 90], "churn": [5_000, None],
    }).convert_dtypes(dtype_backend="pyarrow")  # fmt: skip

    parts = priority(candidates, clicks_alone)

    assert parts["priority_engagement"].tolist() == [10_000, 0]
    assert parts["priority_recency"].tolist() == [10_000, 0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"contact": {"value_tier": "high"}}, {"contact": {"value_tier": "mid"}}),
        ({}, {"purchases": {"last_purchase_at": before(300), "last_order_at": before(300)}}),
        ({"engagement": {"last_click_at": before(130)}, "purchases": {"last_purchase_at": before(131)}}, {}),
    ],
)  # fmt: skip
def test_the_valuable_the_recent_and_the_engaged_go_first(
    first: dict[str, dict[str, object]], second: dict[str, dict[str, object]]
) -> None:
    """Each part by itself."""
    rows = stories({"first": first, "second": second})

    assert rows["first"]["priority"] > rows["second"]["priority"]


def test_who_has_been_quiet_for_years_has_no_recency_left() -> None:
    """Never below nothing."""
    row = one(person() | {"purchase_summary": [purchases(last_purchase_at=before(2000), last_order_at=before(2000))]})

    assert row["priority_recency"] == 0


def _crowd(share: float, salt: str = "2026-h2", people: int = 200) -> list[bool]:
    declared = playbook().model_copy(update={"holdout_share": share, "holdout_salt": salt})
    everybody = together(*(person(f"c-{number:03}") for number in range(people)))
    return decide(everybody, declared=declared).table["holdout"].to_pylist()


def test_the_holdout_is_a_stable_hash_of_salt_and_customer() -> None:
    """As anybody can compute it: the first 32 bits of SHA-256."""
    points = [int(hashlib.sha256(f"2026-h2:c-{n:03}".encode()).hexdigest()[:8], 16) for n in range(200)]

    assert _crowd(0.1) == [point < 0.1 * 2**32 for point in points]


def test_a_larger_holdout_contains_the_smaller_one_and_another_salt_draws_anew() -> None:
    """Nobody leaves because the share grew."""
    small, large, other = _crowd(0.1), _crowd(0.3), _crowd(0.1, salt="2027-h1")

    assert all(is_in for is_in, was_in in zip(large, small, strict=True) if was_in)
    assert 0 < sum(small) < sum(large)
    assert other != small


def test_the_holdout_depends_on_nobody_else() -> None:
    """Fewer people in the snapshot, the same answer for each of them."""
    assert _crowd(0.3, people=50) == _crowd(0.3)[:50]


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (1.0, 200)])
def test_nobody_or_everybody(share: float, expected: int) -> None:
    """The two ends of the share."""
    assert sum(_crowd(share)) == expected


def test_the_share_ends_before_its_point() -> None:
    """Half of all points are the first 2^31, from 0."""
    points = series(np.asarray([0, 2**31 - 1, 2**31, 2**32 - 1]))

    assert holdout(points, 0.5).tolist() == [True, True, False, False]
    assert holdout(points, 0.0).tolist() == [False] * 4
