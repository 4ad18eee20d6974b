"""Complaints, unsubscribes and bounces against their limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from tests.science.simulated import harmed

from reactivation.science.errors import ScienceError
from reactivation.science.harm import judge_harm, log_e_harm

LIMIT = 0.003


@given(st.integers(0, 60), st.floats(1e-4, 0.19), st.floats(1e-6, 1))
def test_the_bet_wins_nothing_within_the_limit(n: int, limit: float, part: float) -> None:
    """Summed over everything that may happen to n sends, the e-value is 1 at the limit and at most 1 below it."""
    x = np.arange(n + 1)
    e = np.exp(log_e_harm(x, np.full(n + 1, n), limit))
    assert binom.pmf(x, n, limit) @ e == pytest.approx(1)
    assert binom.pmf(x, n, limit * part) @ e <= 1 + 1e-9


def test_the_formula() -> None:
    """Mean over q of q^x ((1-q·p0) ÷ (1-p0))^(n-x), for 9 complaints among 1,000 sends."""
    expected = sum(q**9 * ((1 - q * LIMIT) / (1 - LIMIT)) ** 991 for q in (1.5, 2, 3, 5)) / 4
    assert math.exp(float(log_e_harm(9, 1000, LIMIT))) == pytest.approx(expected)


class TestJudged:
    """What is to be done."""

    @pytest.mark.parametrize(
        ("events", "sends", "alert", "stop"),
        [
            (0, 0, False, None),
            (6, 1_999, False, None),
            (6, 2_000, False, None),
            (7, 2_000, True, None),
            (8, 999, False, None),
            (9, 1_000, False, "absolute"),
            (9, 999, False, "evidence"),
            (60, 12_000, True, "evidence"),
        ],
    )
    def test_alert_and_stop(self, events: int, sends: int, alert: bool, stop: str | None) -> None:
        """An alert above the limit from 2,000 sends, an absolute stop at three times it from 1,000, evidence always."""
        found = judge_harm(events, sends, LIMIT)
        assert (found.alert, found.stop) == (alert, stop)
        assert found.rate == (events / sends if sends else None)

    @given(st.integers(1, 50_000), st.floats(0.001, 0.15), st.data())
    def test_one_more_complaint_never_takes_a_stop_away(self, sends: int, limit: float, data: st.DataObject) -> None:
        """More harm among as many sends is never judged more mildly."""
        events = data.draw(st.integers(0, min(sends - 1, 400)))
        before, after = judge_harm(events, sends, limit), judge_harm(events + 1, sends, limit)
        assert before.stop is None or after.stop is not None
        assert after.alert or not before.alert


@pytest.mark.parametrize(("events", "sends", "limit"), [(5, 4, 0.003), (-1, 4, 0.003), (1, 4, 0.2), (1, 4, 0.0)])
def test_what_cannot_be_is_refused(events: int, sends: int, limit: float) -> None:
    """More complaints than sends, and limits of which five times is everybody."""
    with pytest.raises(ScienceError):
        log_e_harm(events, sends, limit)


def test_a_stream_within_its_limit_is_seldom_stopped() -> None:
    """At a true .2 % against a limit of .3 %, looked at every 200 sends up to 20,000: hardly ever; "observed > limit"
    trips in about a quarter. At three times the true rate it always stops."""
    within = harmed(3, 500, true=0.002, limit=LIMIT)
    assert within.evidence <= 0.01
    assert within.observed > 0.2
    assert harmed(4, 500, true=0.006, limit=LIMIT).evidence > 0.95
