"""What each variant makes of the plan: its own offers, never a larger one than the touch's own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.builders import offer

from reactivation.policy.variants import why_larger

OWN = offer("offer-credit-15")


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
