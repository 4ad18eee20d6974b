"""What treatment added, as assigned."""

from __future__ import annotations

import pytest

from reactivation.science.incrementality import NOT_MEASURABLE, WRONG_SPLIT, Group, increment, incremental_efficiency


def test_a_difference_that_can_be_told() -> None:
    """900 of 9,000 against 60 of 1,000: four points, 360 customers, two in five of all that came back."""
    found = increment(Group(9_000, 900), Group(1_000, 60), 0.1)
    assert found.difference == pytest.approx(0.04)
    assert found.customers == pytest.approx(360)
    assert found.share == pytest.approx(0.4)
    assert found.interval is not None and found.interval.low > 0
    assert found.smallest == pytest.approx(0.0222, abs=1e-4)
    assert found.note is None


def test_a_difference_that_cannot_be_told_yet_is_shown_with_what_could_be() -> None:
    """Half a point among so few people: shown, with its interval and the smallest effect, and the words beside it."""
    found = increment(Group(900, 72), Group(100, 7), 0.1)
    assert found.difference == pytest.approx(0.01)
    assert found.interval is not None and found.interval.low < 0 < found.interval.high
    assert found.smallest is not None and found.smallest > 0.07
    assert found.note == NOT_MEASURABLE


def test_a_harm_that_can_be_told_is_no_silence() -> None:
    """More came back untreated: the increment is negative, and that is a conclusion."""
    found = increment(Group(9_000, 540), Group(1_000, 100), 0.1)
    assert found.customers == pytest.approx(-360)
    assert found.note is None


def test_groups_that_are_not_the_split_conclude_nothing() -> None:
    """1,200 held out where 1,000 were meant: whatever the difference, somebody fell out of one group."""
    found = increment(Group(8_800, 880), Group(1_200, 60), 0.1)
    assert found.sample_ratio_p < 0.001
    assert found.note == WRONG_SPLIT


@pytest.mark.parametrize(("treated", "holdout"), [(Group(0, 0), Group(0, 0)), (Group(9, 1), Group(0, 0))])
def test_without_two_groups_there_is_no_difference(treated: Group, holdout: Group) -> None:
    """None instead of a number, and no division by nothing."""
    found = increment(treated, holdout, 0.1)
    assert (found.difference, found.customers, found.share, found.interval, found.smallest) == (None,) * 5
    assert found.note == NOT_MEASURABLE


def test_nobody_came_back() -> None:
    """No share of nothing."""
    found = increment(Group(900, 0), Group(100, 0), 0.1)
    assert (found.rate, found.difference, found.share) == (0, 0, None)


def test_what_the_incentives_added_per_money_spent() -> None:
    """9,000 treated spent 45,000 where the holdout says 36,000: 9,000 for a cost of 3,000. Nothing spent, no ratio."""
    treated, holdout = Group(9_000, 900), Group(1_000, 60)
    assert incremental_efficiency(45_000, treated, 4_000, holdout, 3_000) == pytest.approx(3)
    assert incremental_efficiency(45_000, treated, 4_000, holdout, 0) is None
    assert incremental_efficiency(45_000, treated, 0, Group(0, 0), 3_000) is None
