"""Which touches a reactivation is put down to."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactivation.science.attribution import Journeys, Moments, Removal, Rule, attribute, removal
from reactivation.science.errors import ScienceError

DAY, WINDOW = 86_400, 30 * 86_400


def moments(*rows: tuple[int, float]) -> Moments:
    """Customer and day."""
    return Moments(np.array([c for c, _ in rows], dtype=np.int64), np.array([int(d * DAY) for _, d in rows]))


def credit(rule: Rule, *touches: tuple[int, float], back: tuple[tuple[int, float], ...] = ((1, 40),)) -> list[object]:
    """(reactivation, touch, share) of each row."""
    found = attribute(moments(*back), moments(*touches), WINDOW, rule)
    rows = zip(found.reactivation.tolist(), found.touch.tolist(), found.share.round(9).tolist(), strict=True)
    return list(rows)


class TestWhichTouchesCount:
    """Before it, within the window, of the same customer."""

    def test_the_last_before_it(self) -> None:
        """Given in no order; what comes after counts for nothing."""
        assert credit("last", (1, 41), (1, 39), (1, 20)) == [(0, 1, 1.0)]

    def test_the_window_ends_exactly(self) -> None:
        """Thirty days before is within, a second more is not; at the same moment is not before."""
        assert credit("linear", (1, 10), (1, 10 - 1 / DAY), (1, 40)) == [(0, 0, 1.0)]

    def test_another_customers_touch_is_not_ones_own(self) -> None:
        """Neither the one before nor the one after in the columns."""
        assert credit("last", (0, 39), (2, 39)) == []

    def test_each_reactivation_has_its_own(self) -> None:
        """Two customers, one of whom came back twice; the touch counts for both of her returns."""
        found = credit("last", (2, 5), (1, 39), back=((1, 40), (2, 6), (1, 50), (3, 50)))
        assert found == [(0, 1, 1.0), (1, 0, 1.0), (2, 1, 1.0)]

    def test_of_two_at_one_moment_the_later_row_is_the_last(self) -> None:
        """Ties are broken by where they stand."""
        assert credit("last", (1, 30), (1, 30)) == [(0, 1, 1.0)]

    def test_nothing_is_put_down_to_nothing(self) -> None:
        """No touches, no reactivations."""
        assert credit("last") == []
        assert credit("linear", (1, 5), back=()) == []


@pytest.mark.parametrize(
    ("touches", "shares"),
    [(1, [1.0]), (2, [0.5, 0.5]), (3, [0.4, 0.2, 0.4]), (4, [0.4, 0.1, 0.1, 0.4]), (6, [0.4, *[0.05] * 4, 0.4])],
)
def test_by_position(touches: int, shares: list[float]) -> None:
    """40 for the first, 40 for the last, 20 for those between; two share evenly."""
    found = credit("position", *((1, 20 + day) for day in range(touches)))
    assert found == [(0, touch, share) for touch, share in enumerate(shares)]


def test_linear() -> None:
    """Three have a third each."""
    assert credit("linear", (1, 20), (1, 21), (1, 22)) == [(0, touch, round(1 / 3, 9)) for touch in range(3)]


at = st.tuples(st.integers(0, 3), st.integers(0, 60))


@given(st.lists(at, max_size=12), st.lists(at, max_size=30), st.sampled_from(["last", "position", "linear"]))
def test_shares_sum_to_one_over_what_counts(
    back: list[tuple[int, int]], touches: list[tuple[int, int]], rule: Rule
) -> None:
    """Each reactivation with a touch that counts is put down whole, to such touches alone, and each without to none."""
    found = attribute(moments(*back), moments(*touches), WINDOW, rule)
    total = np.bincount(found.reactivation, found.share, minlength=len(back))
    for row, (customer, day) in enumerate(back):
        counts = {n for n, (c, d) in enumerate(touches) if c == customer and day - 30 <= d < day}
        assert total[row] == pytest.approx(1 if counts else 0)
        assert set(found.touch[found.reactivation == row].tolist()) <= counts


def test_a_window_of_nothing_is_refused() -> None:
    """Nothing could ever count."""
    with pytest.raises(ScienceError, match="longer than nothing"):
        attribute(moments(), moments(), 0)


EMAIL, SMS, PUSH = 0, 1, 2
#: Which channels, how many converted, how many were lost.
Way = tuple[tuple[int, ...], int, int]


def removed(*ways: Way) -> Removal | None:
    steps = np.array([(n, channel) for n, (way, _, _) in enumerate(ways) for channel in way], np.int64).reshape(-1, 2)
    converted, lost = (np.array([way[which] for way in ways], np.int64) for which in (1, 2))
    return removal(Journeys(steps[:, 0], steps[:, 1], converted, lost))


class TestRemoval:
    """What would be lost without a channel."""

    def test_a_chain_worked_out_by_hand(self) -> None:
        """Ten people. By email alone 1 of 4 came back, by SMS alone 1 of 2, by email and then SMS 2 of 4.

        Eight begin with email (4/5): 1/8 come back from there, 1/2 move on to SMS. Of the six whom SMS reached 3 came
        back (1/2). With both: 4/5 x (1/8 + 1/2 x 1/2) + 1/5 x 1/2 = 2/5, which is the 4 of 10. Without SMS: 4/5 x 1/8 =
        1/10, without email 1/5 x 1/2 = 1/10. Each loses 3/4 of 2/5: half of it is each one's.
        """
        found = removed(((EMAIL,), 1, 3), ((SMS,), 1, 1), ((EMAIL, SMS), 2, 2))
        assert found is not None
        assert found.conversion == pytest.approx(2 / 5)
        assert found.effect == pytest.approx([3 / 4, 3 / 4])
        assert found.share == pytest.approx([1 / 2, 1 / 2])

    def test_a_chain_that_goes_back_and_forth(self) -> None:
        """Email, SMS, email and back; email, SMS and lost; email and lost. From email 1/2 move to SMS and 1/4 come
        back, from SMS 1/2 move to email: x = 1/4 + x/4 is 1/3. Without SMS 1/4: a fourth is lost; without email all."""
        found = removed(((EMAIL, SMS, EMAIL), 1, 0), ((EMAIL, SMS), 0, 1), ((EMAIL,), 0, 1))
        assert found is not None
        assert found.conversion == pytest.approx(1 / 3)
        assert found.effect == pytest.approx([1, 1 / 4])
        assert found.share == pytest.approx([4 / 5, 1 / 5])

    def test_a_channel_nobody_came_back_through_has_nothing(self) -> None:
        """One that is on no path to a conversion, and a number that no step has."""
        found = removed(((EMAIL,), 1, 1), ((PUSH,), 0, 2))
        assert found is not None
        assert found.share.tolist() == [1, 0, 0]

    @pytest.mark.parametrize(
        "ways", [(), (((EMAIL,), 3, 4), ((EMAIL, EMAIL), 1, 0)), (((EMAIL,), 0, 4), ((EMAIL, SMS), 0, 2))],
    )  # fmt: skip
    def test_where_it_says_nothing(self, ways: tuple[Way, ...]) -> None:
        """Nobody was written to; one channel alone; nobody came back."""
        assert removed(*ways) is None

    def test_what_is_no_journey_is_refused(self) -> None:
        """Without a step, or fewer than nobody."""
        with pytest.raises(ScienceError, match="has a step"):
            removed(((), 1, 0), ((EMAIL,), 1, 0))
        with pytest.raises(ScienceError, match="less than nobody"):
            removed(((EMAIL,), -1, 0))


way = st.tuples(st.lists(st.integers(0, 2), min_size=1, max_size=5), st.integers(0, 9), st.integers(0, 9))


@given(st.lists(way, min_size=1, max_size=8))
def test_it_is_what_walking_the_chain_comes_to(ways: list[tuple[list[int], int, int]]) -> None:
    """The chance with every channel is the share that converted. Without one it is what all paths of the chain that
    leave it out come to, walked step by step, in fractions, until next to nobody is left."""
    found = removed(*((tuple(way), *counts) for way, *counts in ways))
    if found is None:
        return
    converted = sum(way[1] for way in ways)
    assert found.conversion == pytest.approx(converted / sum(way[1] + way[2] for way in ways))
    for without, effect in enumerate(found.effect):
        assert effect == pytest.approx(1 - _walked(ways, without) / found.conversion, abs=1e-6)
    assert found.share.sum() == pytest.approx(1)


def _walked(ways: list[tuple[list[int], int, int]], without: int) -> float:
    moves: dict[tuple[object, object], int] = {}
    for channels, converted, lost in ways:
        for end, people in (("back", converted), ("lost", lost)):
            for move in pairwise(["begin", *channels, end]):
                moves[move] = moves.get(move, 0) + people
    left = {at: sum(people for (start, _), people in moves.items() if start == at) for at, _ in moves}
    chance = {move: float(Fraction(people, left[move[0]])) for move, people in moves.items() if people}
    here: dict[object, float] = {"begin": 1.0}
    back = 0.0
    while sum(here.values()) > 1e-9:
        there: dict[object, float] = {}
        for (start, end), part in chance.items():
            if end not in (without, "lost"):
                there[end] = there.get(end, 0.0) + here.get(start, 0.0) * part
        back += there.pop("back", 0.0)
        here = there
    return back


@given(st.lists(way, min_size=1, max_size=8))
def test_a_channel_that_follows_itself_changes_nothing(ways: list[tuple[list[int], int, int]]) -> None:
    """Named once or as often as it was used."""
    once = [([one for n, one in enumerate(way) if way[n - 1 : n] != [one]], *counts) for way, *counts in ways]
    named, short = (removed(*((tuple(way), *counts) for way, *counts in told)) for told in (ways, once))
    assert (named is None) == (short is None)
    if named is not None and short is not None:
        assert named.effect == pytest.approx(short.effect, abs=1e-9)
