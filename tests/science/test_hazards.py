"""The empirical hazard by dormancy band and frequency."""

from __future__ import annotations

import numpy as np
import pytest
from tests.science.cdnow import MASTER, purchases

from reactivation.science.backtest import area_under_curve
from reactivation.science.errors import ScienceError
from reactivation.science.hazards import hazard, learn_hazards
from reactivation.science.histories import Histories

BANDS = (0, 60, 90, 120, 180)


def test_the_cells_of_cdnow_are_what_was_counted() -> None:
    """Bands as of 1997-10-01 and who bought in the 90 days after, whatever the frequency."""
    held_out = purchases(MASTER).held_out("1997-10-01", 90)
    found = learn_hazards(held_out.histories, held_out.returned, BANDS)
    assert found.customers.sum(axis=1).tolist() == [2928, 1279, 1100, 1934, 16329]
    assert found.returned.sum(axis=1).tolist()[1:] == [471, 334, 456, 1345]


def test_a_cell_with_many_customers_speaks_for_itself() -> None:
    """The rate used is within half a point of what was seen where a thousand customers were seen."""
    held_out = purchases(MASTER).held_out("1997-10-01", 90)
    found = learn_hazards(held_out.histories, held_out.returned, BANDS)
    large = found.customers >= 1000
    assert large.any()
    assert np.allclose(found.rate[large], (found.returned / np.maximum(found.customers, 1))[large], atol=0.005)


def test_it_ranks_the_next_quarter_as_well_as_the_model_and_says_too_much() -> None:
    """Learned in the last quarter of 1997 and asked about the next: AUC .799, level 1.14. docs/science.md quotes it."""
    master = purchases(MASTER)
    held_out = master.held_out("1997-10-02", 90)
    rate = hazard(learn_hazards(held_out.histories, held_out.returned, BANDS), master.as_of("1997-12-31")[1])
    happened = master.days_after("1997-12-31", 90) > 0
    auc = area_under_curve(rate, happened)
    assert auc is not None
    assert (round(auc, 3), round(rate.sum() / happened.sum(), 2)) == (0.799, 1.14)


def test_an_empty_cell_has_the_rate_of_its_band_and_an_empty_band_everybodys() -> None:
    """Ten customers quiet for 70 days, four of whom came back; nobody with a repeat, nobody quiet for longer."""
    then = Histories(np.zeros(10, dtype=int), np.zeros(10, dtype=int), np.full(10, 70))
    found = learn_hazards(then, np.arange(10) < 4, BANDS)
    assert found.rate == pytest.approx(0.4)
    asked = Histories(np.array([0, 3]), np.array([0, 100]), np.array([70, 1000]))
    assert hazard(found, asked) == pytest.approx(0.4)


def test_few_customers_are_drawn_towards_their_band() -> None:
    """Two of two repeaters came back among a hundred of whom half did: 2 + 10 · .51… of 12, not all."""
    x = np.r_[np.zeros(98, dtype=int), [1, 1]]
    then = Histories(x, x * 30, np.where(x > 0, 100, 70))
    found = learn_hazards(then, np.r_[np.arange(98) % 2 == 0, [True, True]], BANDS)
    assert found.rate[1, 1] == pytest.approx((2 + 10 * 0.51) / 12)


@pytest.mark.parametrize("bounds", [(), (30, 60), (0, 60, 60)])
def test_bounds_that_leave_somebody_out_are_refused(bounds: tuple[int, ...]) -> None:
    """They ascend from 0."""
    nothing = np.zeros(0, dtype=np.int64)
    with pytest.raises(ScienceError, match="from_days has to ascend from 0"):
        learn_hazards(Histories(nothing, nothing, nothing), np.zeros(0, dtype=bool), bounds)
