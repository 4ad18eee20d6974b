"""What an incentive may cost, and what it has to bring."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactivation.science.errors import ScienceError
from reactivation.science.margins import credit_cost, largest_discount, required_uplift

rates = st.floats(0.01, 0.9)


class TestLargestDiscount:
    """δ_max = m (1 - p0/p1) - c/(V p1)."""

    def test_the_formula(self) -> None:
        """m .4, uplift 1.5, an order of 150, one in twenty buys, two pence a contact: .4 ÷ 3 - .02 ÷ 7.5."""
        most = largest_discount(0.4, 1.5, 150.0, 0.05, contact_cost=0.02, margin_floor=0.1)
        assert float(most) == pytest.approx(0.4 / 3 - 0.02 / 7.5)

    @given(rates, st.floats(1.01, 5), st.floats(5, 500), st.floats(0.005, 0.9), st.data())
    def test_at_the_most_the_incentive_just_earns_its_cost(
        self, m: float, uplift: float, value: float, p1: float, data: st.DataObject
    ) -> None:
        """p1·V·(m - δ) - p0·V·m - c is 0 at δ_max, and above 0 where the floor or nothing at all is the limit."""
        cost, floor = data.draw(st.floats(0, 1)), data.draw(st.floats(0, 0.3))
        most = float(largest_discount(m, uplift, value, p1, contact_cost=cost, margin_floor=floor))
        gain = p1 * value * (m - most) - p1 / uplift * value * m - cost
        assert 0 <= most <= max(m - floor, 0) + 1e-12
        assert most == 0 or gain >= -1e-9 * value
        assert most == 0 or most == pytest.approx(m - floor) or abs(gain) < 1e-9 * value

    def test_what_is_unknown_stays_unknown(self) -> None:
        """No margin, no limit to tell; the other customer has hers."""
        most = largest_discount(
            np.array([np.nan, 0.4]), 1.5, np.array([150.0, 150.0]), 0.05, contact_cost=0, margin_floor=0.1
        )
        assert np.isnan(most[0]) and most[1] == pytest.approx(0.4 / 3)

    @pytest.mark.parametrize(("uplift", "value", "p1"), [(0, 10, 0.1), (2, 0, 0.1), (2, 10, 0), (2, 10, 1.1)])
    def test_what_cannot_be_is_refused(self, uplift: float, value: float, p1: float) -> None:
        """Nobody converts, orders of nothing, more buyers than people."""
        with pytest.raises(ScienceError):
            largest_discount(0.4, uplift, value, p1, contact_cost=0, margin_floor=0)


class TestRequiredUplift:
    """How many times more have to convert."""

    def test_a_fifth_off(self) -> None:
        """At a margin of .4 a discount of 20 % has to double conversion, at .3 to triple it (METHODS.md section 2)."""
        assert required_uplift([0.4, 0.3], 0.2) == pytest.approx([2, 3])

    def test_no_uplift_pays_for_the_whole_margin(self) -> None:
        """Where nothing is left, infinitely many would have to; where the margin is unknown, so is the uplift."""
        assert required_uplift([0.2, 0.1], 0.2).tolist() == [np.inf, np.inf]
        assert np.isnan(required_uplift(np.nan, 0.2))

    @given(rates, st.floats(1.05, 5), st.floats(0.005, 0.5), st.floats(0, 0.001))
    def test_it_is_the_inverse_of_the_guard(self, m: float, uplift: float, p1: float, cost: float) -> None:
        """At the largest discount the required uplift is the one it was computed from."""
        most = float(largest_discount(m, uplift, 1.0, p1, contact_cost=cost, margin_floor=0.0))
        if most > 0:
            needed = required_uplift(m, most, cost_per_margin=cost / (p1 / uplift * m))
            assert float(needed) == pytest.approx(uplift)


class TestCreditCost:
    """Face × redemption (× cost of goods), and the breakage counted."""

    def test_credit_and_points(self) -> None:
        """Of a credit of 10 that 30 % use, 3 are paid and 7 are breakage; as points for goods at half price, 1.5."""
        assert (credit_cost(10, 0.3).cost, credit_cost(10, 0.3).breakage) == pytest.approx((3, 7))
        assert (credit_cost(10, 0.3, 0.5).cost, credit_cost(10, 0.3, 0.5).breakage) == pytest.approx((1.5, 7))

    @pytest.mark.parametrize(("face", "rate", "goods"), [(-1, 0.3, 1), (10, 1.2, 1), (10, 0.3, -0.1)])
    def test_what_cannot_be_is_refused(self, face: float, rate: float, goods: float) -> None:
        """Negative money, more redeemed than given."""
        with pytest.raises(ScienceError):
            credit_cost(face, rate, goods)
