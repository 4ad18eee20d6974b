"""Expected value with its parts."""

from __future__ import annotations

import numpy as np
import pytest

from reactivation.science.errors import ScienceError
from reactivation.science.worth import expected_worth


def test_the_parts_multiply_and_are_kept() -> None:
    """Half a purchase of 60 at a margin of 40 % is 12; an unknown part leaves the value unknown; a loss is a loss."""
    found = expected_worth(np.array([0.5, 0.5, 2.0]), np.array([60.0, 60.0, 10.0]), np.array([0.4, np.nan, -0.1]))
    assert found.value[0] == pytest.approx(12)
    assert np.isnan(found.value[1])
    assert found.value[2] == pytest.approx(-2)
    assert found.order_value.tolist() == [60.0, 60.0, 10.0]


@pytest.mark.parametrize(("purchases", "value", "rate"), [(-0.1, 60, 0.4), (0.5, -1, 0.4), (0.5, 60, 1.1)])
def test_parts_that_cannot_be_are_refused(purchases: float, value: float, rate: float) -> None:
    """Fewer than no purchases, less than no money, more margin than revenue."""
    with pytest.raises(ScienceError, match="row 0"):
        expected_worth(np.array([purchases]), np.array([value]), np.array([rate]))
