"""What each variant makes of the plan: its own offers, never a larger one than the touch's own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.builders import offer
from tests.policy.sequences import CREDIT, FULL, NOW, OFFERED, PERCENT, RULES, offers, people

from reactivation.playbooks.touches import Variant, VariantTouch
from reactivation.policy.budgets import within_budget
from reactivation.policy.sequence import plan_sequence
from reactivation.policy.variants import plan_variants, why_larger

OWN = offer("offer-credit-15")
LESS = {**CREDIT, "offer_id": "offer-credit-10", "value": Decimal(10), "unit_cost": Decimal(10)}
WAYS = FULL.model_copy(update={"variants": (
    Variant(variant="control", share=0.5),
    Variant(variant="less", share=0.5, touches=(VariantTouch(number=3, offer="offer-credit-10"),)),
)})  # fmt: skip
NAMES = ("control", "less", None)
THREE = people(*({"customer_id": f"c-{number}"} for number in range(3)))


@pytest.mark.parametrize(("changes", "column"), [
    ({"value": Decimal(10), "unit_cost": Decimal(10)}, None), ({}, None),
    ({"value": Decimal(20)}, "value"), ({"unit_cost": Decimal(16)}, "unit_cost"), ({"unit_cost": None}, "unit_cost"),
    ({"margin_floor": Decimal("0.2")}, "margin_floor"), ({"kind": "points"}, "kind"), ({"currency": "EUR"}, "currency"),
])  # fmt: skip
def test_chance_only_withholds(changes: dict[str, Any], column: str | None) -> None:
    """By the touch's own offer the margin guard judges everybody."""
    assert why_larger(offer("other", **changes), OWN) == column


def test_an_offer_nobody_knows_takes_no_place() -> None:
    """Unknown is no."""
    assert why_larger(None, OWN) == why_larger(OWN, None) == "offer_id"
    assert why_larger(OWN, offer("offer-credit-15", unit_cost=None)) == "unit_cost"


def planned(terms: pa.Table) -> dict[str, dict[int, tuple[str | None, str | None]]]:
    """Offer and reason of each touch, by customer: one of each variant, and one who is held out."""
    rows = plan_variants(THREE, pa.chunked_array([NAMES], pa.string()), WAYS, terms, RULES, NOW).to_pylist()
    found: dict[str, dict[int, tuple[str | None, str | None]]] = {}
    for row in rows:
        found.setdefault(row["customer_id"], {})[row["number"]] = (row["offer_id"], row["reason"])
    return found


def test_each_gets_the_offer_of_his_variant() -> None:
    """And everything else as it is; who has no variant is planned for as it stands."""
    found = planned(offers(CREDIT, PERCENT, LESS))
    assert [found[f"c-{number}"][3] for number in range(3)] == [
        ("offer-credit-15", None), ("offer-credit-10", None), ("offer-credit-15", None),
    ]  # fmt: skip
    assert all({**found["c-1"], 3: None} == {**found[one], 3: None} for one in ("c-0", "c-2"))


@pytest.mark.parametrize("changes", [{"value": Decimal(20)}, {"kind": "points"}, {"offer_id": "another"}])
def test_a_larger_one_is_skipped_whatever_was_checked_before(changes: dict[str, Any]) -> None:
    """The source may have changed since; the others get theirs."""
    found = planned(offers(CREDIT, PERCENT, {**LESS, **changes}))
    assert found["c-1"][3] == ("offer-credit-10", "offer_unknown")
    assert found["c-0"][3] == ("offer-credit-15", None)


def test_without_variants_it_is_the_plan() -> None:
    """Byte for byte; and nobody has no plan."""
    none = pa.chunked_array([pa.nulls(3, pa.string())])
    assert plan_variants(THREE, none, FULL, OFFERED, RULES, NOW).equals(plan_sequence(THREE, FULL, OFFERED, RULES, NOW))
    empty = plan_variants(THREE.slice(0, 0), none.slice(0, 0), WAYS, OFFERED, RULES, NOW)
    assert empty.num_rows == 0


def test_whose_credit_is_spent_leaves_the_percentage_to_others() -> None:
    """The control's credit is used up, the other variant's is not: the one discount there is goes to who may climb."""
    terms = offers(
        {**CREDIT, "budget": Decimal(0)}, {**PERCENT, "budget": Decimal(15)}, {**LESS, "budget": Decimal(20)}
    )
    two = people({"customer_id": "c-0"}, {"customer_id": "c-1"})
    rows = plan_variants(two, pa.chunked_array([["control", "less"]]), WAYS, terms, RULES, NOW)
    kept = within_budget(rows, np.repeat([0, 1], 7), WAYS, terms, {}).to_pylist()
    assert {row["customer_id"]: row["reason"] for row in kept if row["number"] == 6} == {
        "c-0": "step_below_not_tried", "c-1": None,
    }  # fmt: skip


def test_each_offer_is_counted_against_its_own_budget() -> None:
    """What one variant costs takes nothing from another."""
    terms = offers({**CREDIT, "budget": Decimal(15)}, PERCENT, {**LESS, "budget": Decimal(20)})
    four = people(*({"customer_id": f"c-{number}"} for number in range(6)))
    names = pa.chunked_array([["control", "control", "less", "less", "less", "control"]])
    rows = plan_variants(four, names, WAYS, terms, RULES, NOW)
    ranks = pc.index_in(rows["customer_id"], four["customer_id"].combine_chunks()).to_numpy().astype(np.int64)
    kept = within_budget(rows, ranks, WAYS, terms, {}).to_pylist()
    assert {row["customer_id"]: row["reason"] for row in kept if row["number"] == 3} == {
        "c-0": None, "c-1": "offer_budget", "c-2": None, "c-3": None, "c-4": "offer_budget", "c-5": "offer_budget",
    }  # fmt: skip
