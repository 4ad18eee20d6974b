"""The draws: fixed for ever, independent of chunks, with the stated shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactivation.sample.dice import Dice, ladder

ROWS = np.arange(10_000)


def test_draws_are_these_numbers_on_every_machine() -> None:
    """Known answers: a change of library or machine that moved a draw would move every sample."""
    assert Dice(7).below("segment", np.arange(6), 1000).tolist() == [623, 65, 873, 901, 74, 100]


@given(st.integers(0, 2**40), st.integers(1, 500), st.integers(0, 499))
def test_a_draw_does_not_depend_on_its_neighbours(seed: int, size: int, row: int) -> None:
    """A row's luck is the same alone and among others, so the size of a chunk changes nobody's story."""
    row = min(row, size - 1)
    together = Dice(seed).below("stream", np.arange(size), 1_000_000)
    alone = Dice(seed).below("stream", np.asarray([row]), 1_000_000)
    assert together[row] == alone[0]


@given(st.integers(1, 2**31 - 1))
def test_draws_stay_below_their_limit(limit: int) -> None:
    """No draw reaches the limit or falls below zero."""
    drawn = Dice(1).below("stream", ROWS[:200], limit)
    assert drawn.min() >= 0
    assert drawn.max() < limit


def test_streams_and_seeds_are_strangers() -> None:
    """Another stream, or another seed, agrees with the first no more often than chance allows."""
    one = Dice(7).below("one", ROWS, 10)
    assert abs((one == Dice(7).below("two", ROWS, 10)).mean() - 0.1) < 0.02
    assert abs((one == Dice(8).below("one", ROWS, 10)).mean() - 0.1) < 0.02


def test_picks_have_the_stated_shares() -> None:
    """Weights are per mille of the rows."""
    shares = np.bincount(Dice(3).pick("stream", ROWS, (700, 250, 50)), minlength=3) / len(ROWS)
    assert np.allclose(shares, (0.7, 0.25, 0.05), atol=0.015)


@given(st.integers(0, 1000))
def test_spread_draws_hold_their_shares_in_every_hundred(seed: int) -> None:
    """Each hundred consecutive rows has 60, 30 and 10 of the three codes: a small sample looks like a large one."""
    codes = Dice(seed).spread("stream", np.arange(400), (600, 300, 100)).reshape(4, 100)
    assert [np.bincount(hundred, minlength=3).tolist() for hundred in codes] == [[60, 30, 10]] * 4


@pytest.mark.parametrize("size", [1, 7, 99, 101, 250])
def test_spread_draws_any_number_of_rows(size: int) -> None:
    """The last hundred may be short."""
    codes = Dice(5).spread("stream", np.arange(size), (500, 300, 200))
    assert set(codes.tolist()) <= {0, 1, 2}
    assert len(codes) == size


@given(st.integers(0, 10_000))
def test_even_draws_cover_any_run_of_rows(first: int) -> None:
    """Twenty rows in a row have about half of their places in the lower half."""
    places = Dice(7).evenly("stream", np.arange(first, first + 20))
    assert 8 <= (places < 500).sum() <= 12


def test_weights_that_do_not_sum_to_a_thousand_are_refused() -> None:
    """A share that was forgotten is an error, not a silent zero."""
    with pytest.raises(ValueError, match="must sum to 1000"):
        ladder((500, 400))
