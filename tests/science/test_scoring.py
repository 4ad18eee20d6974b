"""Churn probability, and the honest names of what it is made by."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from tests.science.cdnow import MASTER, Purchases, purchases

from reactivation.science.backtest import area_under_curve
from reactivation.science.fitting import PurchasingFit, fit_purchasing
from reactivation.science.histories import Histories
from reactivation.science.purchasing import Model, p_active
from reactivation.science.scoring import HeldOut, Scores, score

NOW, THEN = "1997-12-31", "1997-10-02"


@cache
def scored(model: Model = "mbg_nbd") -> Scores:
    master = purchases(MASTER)
    return score(master.as_of(NOW)[1], master.held_out(THEN, 90), model)


def later(master: Purchases, day: str, days: int) -> np.ndarray:
    return master.days_after(day, days) > 0


class TestOnCdnow:
    """23,570 real customers, scored with nothing known of what came after."""

    def test_the_shipped_score_ranks_the_39_weeks_held_out(self) -> None:
        """AUC at least .74 (.755 measured), near recency alone (.759)."""
        master = purchases(MASTER)
        found = score(*_as_of(master, "1997-09-30", 273))
        assert found.method == "mbg_nbd"
        assert found.backtest is not None
        assert round(found.backtest.auc, 3) == 0.755
        then = master.as_of("1997-09-30")[1]
        recency = area_under_curve(-then.dormant_days.astype(float), later(master, "1997-09-30", 273))
        assert recency is not None
        assert round(recency, 3) == 0.759

    def test_ranking_by_p_alive_of_bg_nbd_would_be_upside_down(self) -> None:
        """AUC .32: who bought once looks the most alive of all. It is shown, and never ranks."""
        master = purchases(MASTER)
        _, then = master.as_of("1997-09-30")
        found = score(then, master.held_out("1997-09-30", 273), "bg_nbd")
        upside_down = area_under_curve(found.alive, later(master, "1997-09-30", 273))
        assert upside_down is not None
        assert round(upside_down, 2) == 0.32

    def test_the_next_90_days_are_ranked_as_well_as_the_last(self) -> None:
        """Scores as of the end of 1997, against what was bought in the 90 days after: AUC above .74."""
        happened = later(purchases(MASTER), NOW, 90)
        ahead = area_under_curve(1 - scored().churn, happened)
        assert ahead is not None
        assert ahead > 0.74

    def test_parameters_are_used_as_they_are_published(self) -> None:
        """Five digits each, so that another processor's rounding makes no other score; it moves nobody by a
        ten-thousandth."""
        found, exact = scored(), fit_purchasing(purchases(MASTER).as_of(NOW)[1])
        assert isinstance(exact, PurchasingFit)
        assert found.fit is not None and found.recalibration is not None
        used = [*list(vars(found.fit.purchasing).values())[1:], *vars(found.recalibration).values()]
        assert used == [float(f"{value:.5g}") for value in used]
        without = found.recalibration.of(p_active(exact.purchasing, purchases(MASTER).as_of(NOW)[1], 90))
        assert np.max(np.abs(without - (1 - found.churn))) < 1e-4

    def test_the_backtest_says_how_far_off_the_level_is(self) -> None:
        """Raw, the model expects a tenth too few; recalibrated, each band is what happened within its interval, or
        within three points."""
        found = scored().backtest
        assert found is not None
        assert (found.customers, found.days) == (23570, 90)
        assert 0.65 < found.level < 1.35
        assert not found.learned_here
        for band in found.bands:
            assert band.interval is not None
            within = band.interval.low <= band.recalibrated <= band.interval.high
            assert within or abs(band.recalibrated - band.rate) < 0.03

    @pytest.mark.parametrize(
        ("now", "then", "figures"),
        [
            ("1997-12-31", "1997-10-02", (0.82, 0.796, 0.91, 1.09)),
            ("1998-04-01", "1998-01-01", (0.91, 0.834, 1.04, 1.14)),
        ],
    )
    def test_one_quarters_correction_is_not_the_nexts(self, now: str, then: str, figures: tuple[float, ...]) -> None:
        """The level found in the backtest; then, in the quarter after: AUC, the level without the correction, and with
        it. docs/science.md quotes these."""
        master = purchases(MASTER)
        histories = master.as_of(now)[1]
        found = score(histories, master.held_out(then, 90))
        assert found.fit is not None and found.backtest is not None
        happened = later(master, now, 90)
        auc = area_under_curve(1 - found.churn, happened)
        raw = p_active(found.fit.purchasing, histories, 90)
        levels = [found.backtest.level, raw.sum() / happened.sum(), (1 - found.churn).sum() / happened.sum()]
        assert auc is not None
        assert (round(levels[0], 2), round(auc, 3), *(round(level, 2) for level in levels[1:])) == figures
        off = [float(np.mean((p - happened) ** 2)) for p in (raw, 1 - found.churn)]
        assert off[0] == pytest.approx(off[1], abs=2e-4)

    @pytest.mark.parametrize("model", ["mbg_nbd", "bg_nbd"])
    def test_every_column_is_what_it_says(self, model: Model) -> None:
        """Probabilities in [0, 1], nobody expected to buy less often than they are likely to."""
        found = scored(model)
        assert found.method == model
        assert np.all((found.churn >= 0) & (found.churn <= 1) & (found.alive >= 0) & (found.alive <= 1))
        assert np.all(found.purchases >= 1 - found.churn - 1e-12)


def test_whom_the_model_has_given_up_on_still_has_a_number() -> None:
    """A thousand days of purchases and then two thousand of none: P(alive) is 0 to the last digit, churn nearly 1, and
    what is expected as little as the probability."""
    master = purchases(MASTER)
    _, now = master.as_of(NOW)
    heavy = Histories(np.append(now.frequency, 1000), np.append(now.recency, 1000), np.append(now.age, 3000))
    found = score(heavy, master.held_out(THEN, 90))
    assert found.alive[-1] == 0
    assert 0.999 < found.churn[-1] < 1
    assert found.purchases[-1] == pytest.approx(1 - found.churn[-1])


class TestFallback:
    """Without a model that can be trusted there is an empirical rate, and it says so."""

    def test_few_repeaters(self) -> None:
        """A shop where hardly anybody bought twice has a hazard by dormancy band."""
        x = np.r_[np.zeros(450, dtype=int), np.ones(50, dtype=int)]
        then = Histories(x, x * 30, np.r_[np.full(300, 70), np.full(150, 200), np.full(50, 230)])
        returned = np.r_[np.arange(300) < 90, np.arange(150) < 15, np.arange(50) < 10]
        found = score(then, HeldOut(then, returned))
        assert found.method == "hazard"
        assert found.because == "mbg_nbd, 90 days ago: 50 customers bought again, 100 are needed"
        assert (found.fit, found.recalibration) == (None, None)
        assert found.hazards is not None
        assert found.churn[0] == pytest.approx(0.7, abs=0.01)
        assert found.churn[300] > 0.85
        assert np.isnan(found.alive).all() and np.isnan(found.purchases).all()
        assert found.backtest is not None and found.backtest.learned_here

    def test_a_model_that_the_last_days_contradict(self) -> None:
        """Where the improbable bought and the probable did not, the ranking is not used."""
        master = purchases(MASTER)
        now, held_out = _as_of(master, THEN, 90)
        upside_down = HeldOut(held_out.histories, held_out.histories.dormant_days > 180, 90)
        found = score(now, upside_down)
        assert found.method == "hazard"
        assert found.because == "mbg_nbd: the last 90 days do not agree with its ranking"

    def test_a_young_shop_scores_nobody(self) -> None:
        """Where hardly anybody was known 90 days ago there is nothing to learn from, and every score is unknown."""
        nothing = np.zeros(0, dtype=np.int64)
        now = Histories(np.array([0, 1]), np.array([0, 10]), np.array([20, 30]))
        found = score(now, HeldOut(Histories(nothing, nothing, nothing), np.zeros(0, dtype=bool)))
        assert found.method == "none"
        assert found.because == "0 customers 90 days ago, 100 are needed"
        assert np.isnan(found.churn).all() and len(found.churn) == 2
        assert found.backtest is None

    def test_nobody_returned(self) -> None:
        """A hazard of 0 is told as one, without a backtest: there is no ranking to judge."""
        x = np.zeros(200, dtype=int)
        then = Histories(x, x, np.full(200, 100))
        found = score(then, HeldOut(then, np.zeros(200, dtype=bool)))
        assert found.method == "hazard"
        assert found.churn.tolist() == [1.0] * 200
        assert found.backtest is None


def _as_of(master: Purchases, day: str, days: int) -> tuple[Histories, HeldOut]:
    """Everybody as of so many days after ``day``, and what was known on it."""
    end = str(np.datetime64(day) + days)
    return master.as_of(end)[1], master.held_out(day, days)
