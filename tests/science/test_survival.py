"""Time to reactivate with people still waiting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from reactivation.science.errors import ScienceError
from reactivation.science.survival import kaplan_meier

#: Remission in weeks under 6-MP, and whether it ended (Freireich et al., 1963).
FREIREICH = [
    (6, True), (6, True), (6, True), (6, False), (7, True), (9, False), (10, True), (10, False), (11, False),
    (13, True), (16, True), (17, False), (19, False), (20, False), (22, True), (23, True), (25, False), (32, False),
    (32, False), (34, False), (35, False),
]  # fmt: skip
people = st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=60)


def test_the_published_curve() -> None:
    """The product-limit estimates of the 6-MP arm, and its median of 23 weeks."""
    found = kaplan_meier(np.array([t for t, _ in FREIREICH], dtype=float), np.array([h for _, h in FREIREICH]))
    assert found.times.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert found.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert found.waiting.round(4).tolist() == [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert found.median == 23
    assert [round(found.returned_by(week), 4) for week in (5, 6, 12)] == [0, 0.1429, 0.2471]


def test_who_still_waits_is_not_dropped() -> None:
    """Two of ten came back within a week: the median of those who did is 4 days, of everybody there is none yet."""
    found = kaplan_meier(np.r_[3.0, 5.0, np.full(8, 30.0)], np.r_[True, True, np.zeros(8, dtype=bool)])
    assert found.median is None
    assert found.returned_by(30) == pytest.approx(0.2)


def test_half_is_enough_for_a_median() -> None:
    """Exactly half have come back, by a product of fractions."""
    found = kaplan_meier(np.arange(1.0, 15.0), np.arange(14) < 7)
    assert found.median == 7


@given(people)
def test_it_is_that_of_statsmodels(rows: list[tuple[int, bool]]) -> None:
    """For any durations; where nobody came back the curve has no step."""
    time, happened = np.array([t for t, _ in rows], dtype=float), np.array([h for _, h in rows], dtype=bool)
    found = kaplan_meier(time, happened)
    if not happened.any():
        assert (len(found.times), found.median) == (0, None)
        return
    other = SurvfuncRight(time, happened.astype(float))
    assert np.array_equal(found.times, other.surv_times)
    assert np.array_equal(found.at_risk, other.n_risk)
    assert found.waiting == pytest.approx(other.surv_prob, abs=1e-12)


def test_nobody_comes_back_before_they_were_written_to() -> None:
    """A negative duration is refused with its row."""
    with pytest.raises(ScienceError, match="row 1"):
        kaplan_meier(np.array([1.0, -1.0]), np.array([True, True]))
