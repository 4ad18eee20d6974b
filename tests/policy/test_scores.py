"""How customers are scored: by contract, by model or by what the segment's history says, and by nothing where it says
nothing."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.policy.people import one, person
from tests.policy.test_accounts import contact_of, firm, story
from tests.science.simulated import company

from reactivation.contract.digests import canonical_json
from reactivation.policy.scores import SCORED, SUBSCRIPTION, UNIT, Scored, score_customers
from reactivation.science.purchasing import Purchasing
from reactivation.science.scoring import score
from reactivation.science.spending import SpendingFit, expected_order_value, fit_spending

CUSTOMERS = 2_000
TODAY = 20_000
MONTH = 11
TRUTH = Purchasing("mbg_nbd", r=0.8, alpha=120.0, a=1.2, b=3.0)
NOW, HELD_OUT = company(TRUTH, CUSTOMERS, 7)
#: What the orders of each came to, in whole ten-thousandths.
REVENUE = np.random.default_rng(7).integers(20, 200, CUSTOMERS) * UNIT * (NOW.frequency + 1)


def bought(**changes: Any) -> pa.Table:
    """``CUSTOMERS`` customers of one segment, shaped as ``bought.sql`` has them."""
    count = CUSTOMERS
    columns: dict[str, Any] = {
        "customer_id": [f"c-{number:06}" for number in range(count)], "business_segment": ["household"] * count,
        "subscribed": [False] * count, "frequency": NOW.frequency, "recency": NOW.recency, "age": NOW.age,
        "frequency_then": HELD_OUT.histories.frequency, "recency_then": HELD_OUT.histories.recency,
        "age_then": HELD_OUT.histories.age, "returned": HELD_OUT.returned, "begins": pa.nulls(count, pa.int64()),
        "ends": pa.nulls(count, pa.int64()), "cancelled": [False] * count, "today": [TODAY] * count,
        "periods_due": [0] * count, "periods_renewed": [0] * count, "periods_lapsed": [0] * count,
        "periods_restarted": [0] * count, "currency": ["GBP"] * count, "purchases": NOW.frequency + 1,
        "revenue": REVENUE, "margin_24m": REVENUE // 4, "margin_revenue_24m": REVENUE,
        "month_counts": pa.array([[1] * 10 + [6, 4]] * count),
    }  # fmt: skip
    return pa.table(columns | changes)


def column(found: Scored, name: str) -> np.ndarray:
    """A column in whole units; NaN where empty."""
    values: np.ndarray = found.table[name].to_pandas().to_numpy(dtype=float)
    return values


def test_who_never_had_a_contract_is_scored_by_the_model() -> None:
    """Churn, P(alive) and expected purchases are those of the science room, in ten-thousandths; inputs beside them."""
    found, expected = score_customers(bought(), "mbg_nbd", MONTH), score(NOW, HELD_OUT)

    assert set(found.table["score_method"].to_pylist()) == {"mbg_nbd"}
    for name, theirs in (("churn", expected.churn), ("alive", expected.alive),
                         ("expected_purchases", expected.purchases)):  # fmt: skip
        assert column(found, name).tolist() == np.rint(theirs * UNIT).tolist()
    assert column(found, "recency_days").tolist() == NOW.recency.tolist()


def test_what_is_expected_is_purchases_times_order_times_margin() -> None:
    """With a quarter of every order as margin, and orders as Gamma-Gamma expects them."""
    found = score_customers(bought(), "mbg_nbd", MONTH)
    mean = REVENUE / UNIT / (NOW.frequency + 1)
    fit = fit_spending(mean, NOW.frequency + 1)
    assert isinstance(fit, SpendingFit)
    order = expected_order_value(fit.spending, mean, NOW.frequency + 1)

    assert column(found, "expected_order").tolist() == np.rint(order * UNIT).tolist()
    value = column(found, "expected_purchases") / UNIT * order * 0.25
    assert np.abs(column(found, "expected_value") / UNIT - value).max() < 0.05


def test_orders_in_each_currency_are_expected_by_themselves() -> None:
    """Every other customer pays ten thousand times as much in yen: pounds are expected as if there were none."""
    yen, count = np.arange(CUSTOMERS) % 2 == 1, NOW.frequency + 1
    revenue = np.where(yen, REVENUE * 10_000, REVENUE)

    found = score_customers(bought(currency=np.where(yen, "JPY", "GBP"), revenue=revenue), "mbg_nbd", MONTH)

    for mine in (yen, ~yen):
        mean = (revenue / UNIT / count)[mine]
        fit = fit_spending(mean, count[mine])
        assert isinstance(fit, SpendingFit)
        expected = np.rint(expected_order_value(fit.spending, mean, count[mine]) * UNIT)
        assert column(found, "expected_order")[mine].tolist() == expected.tolist()


def test_who_bought_nothing_that_is_known_has_no_order_to_expect() -> None:
    """One's orders are of no known amount, another has none at all: neither is given everybody's mean."""
    number = np.arange(CUSTOMERS)

    found = score_customers(
        bought(revenue=pa.array(REVENUE, mask=number == 0), purchases=np.where(number == 1, 0, NOW.frequency + 1)),
        "mbg_nbd", MONTH,
    )  # fmt: skip

    assert np.flatnonzero(np.isnan(column(found, "expected_order"))).tolist() == [0, 1]
    assert found.segments["household"]["spending"]["GBP"]["method"] == "gamma_gamma"


def test_mixed_money_has_no_value_but_a_churn() -> None:
    """The rate of pounds and euros is not known."""
    found = score_customers(bought(currency=pa.nulls(CUSTOMERS, pa.string()), revenue=pa.nulls(CUSTOMERS, pa.int64()),
                                   margin_24m=pa.nulls(CUSTOMERS, pa.int64())), "mbg_nbd", MONTH)  # fmt: skip

    assert found.table["expected_value"].null_count == CUSTOMERS
    assert found.table["churn"].null_count == 0


def test_a_segment_with_too_little_history_scores_nobody_and_says_why() -> None:
    """Fifty customers of one segment beside the others: no score of theirs, and none borrowed."""
    segments = np.where(np.arange(CUSTOMERS) < 50, "care_plan", "household")

    found = score_customers(bought(business_segment=segments), "mbg_nbd", MONTH)

    assert found.table["score_method"].to_pylist()[:51] == [None] * 50 + ["mbg_nbd"]
    assert found.table["churn"].null_count == 50
    assert found.segments["care_plan"]["scores"]["because"] == "50 customers 90 days ago, 100 are needed"


def test_a_segment_in_which_nobody_bought_again_is_scored_by_its_own_history() -> None:
    """No model fits them; what became of such people is told instead, under its own name."""
    nothing, returned = np.zeros(CUSTOMERS, dtype=np.int64), np.zeros(CUSTOMERS, dtype=bool)

    found = score_customers(bought(frequency=nothing, recency=nothing, frequency_then=nothing, recency_then=nothing,
                                   returned=returned), "mbg_nbd", MONTH)  # fmt: skip

    assert set(found.table["score_method"].to_pylist()) == {"hazard"}
    assert found.table["alive"].null_count == CUSTOMERS


def test_the_season_is_the_months_share_of_what_the_segment_bought() -> None:
    """Six of twenty in November, over two years; nothing of a segment younger than that."""
    aged = bought(age=np.maximum(NOW.age, 730 * (np.arange(CUSTOMERS) == 0)))

    assert set(score_customers(aged, "mbg_nbd", MONTH).table["month_share"].to_pylist()) == {3_000}
    assert score_customers(bought(), "mbg_nbd", MONTH).table["month_share"].null_count == CUSTOMERS


class TestSubscribers:
    """Who has or had a contract is scored by it."""

    def scored(self, **changes: Any) -> Scored:
        """The first of the segment subscribed; of 99 periods of the segment, 89 were renewed."""
        first = np.arange(CUSTOMERS) == 0
        due, renewed = np.where(first, 99, 0), np.where(first, 89, 0)
        period = {"begins": 30, "ends": -60, "cancelled": False} | changes
        return score_customers(
            bought(
                subscribed=first, periods_due=due, periods_renewed=renewed, cancelled=first & period["cancelled"],
                begins=pa.array(np.full(CUSTOMERS, TODAY - period["begins"]), mask=~first),
                ends=pa.array(np.full(CUSTOMERS, TODAY - period["ends"]), mask=~first),
            ),
            "mbg_nbd", MONTH,
        )  # fmt: skip

    def test_a_period_that_falls_due_is_renewed_as_the_segments_were(self) -> None:
        """Once within 90 days: 1 - 0.895."""
        found = self.scored()

        assert found.table["score_method"].to_pylist()[:2] == [SUBSCRIPTION, "mbg_nbd"]
        assert (column(found, "churn")[0], found.table["alive"][0].as_py()) == (1050, None)
        assert found.segments["household"]["subscriptions"] == {
            "customers": 1, "due": 99, "renewed": 89, "lapsed": 0, "restarted": 0,
            "renewal_rate": Decimal("0.895"), "restart_rate": Decimal("0.5"),
        }  # fmt: skip

    def test_a_cancelled_one_ends_with_its_period(self) -> None:
        """Paid for 60 more days, and not longer."""
        assert column(self.scored(cancelled=True), "churn")[0] == UNIT

    def test_subscribers_do_not_teach_the_model_of_the_silent(self) -> None:
        """Their purchases are no choice of a day."""
        assert self.scored().segments["household"]["customers"] == CUSTOMERS - 1

    def test_without_the_end_of_a_period_nothing_is_known(self) -> None:
        """Not a churn, and not that of somebody else."""
        found = self.scored(begins=0, ends=0)

        assert found.table["score_method"].to_pylist()[0] is None
        assert math.isnan(column(found, "churn")[0])


def test_how_scores_were_come_to_is_kept_whole() -> None:
    """Parameters, recalibration, the backtest with its table, and the spending: as JSON, and without floats."""
    [told] = score_customers(bought(), "mbg_nbd", MONTH).segments.values()

    assert told["scores"]["fit"]["purchasing"]["model"] == "mbg_nbd"
    assert told["scores"]["recalibration"].keys() == {"intercept", "slope"}
    assert len(told["scores"]["backtest"]["bands"]) == 10
    assert told["spending"]["GBP"]["method"] == "gamma_gamma"
    assert canonical_json(told)


@pytest.mark.parametrize("scored", [True, False])
def test_a_score_changes_no_gate_and_no_decision(scored: bool) -> None:
    """The sender asks about a few, who are not scored, and must find the same answer."""
    table = pa.table({"customer_id": ["c-1"], "score_method": ["mbg_nbd"],
                      **{name: pa.array([9_000], pa.int64()) for name in SCORED.names[1:]}})  # fmt: skip

    row = one(person(), scores=table if scored else None)

    assert (row["decision"], row["churn"]) == ("enrol", Decimal("0.9") if scored else None)


def test_of_an_account_nobody_buys_if_none_of_its_contacts_does() -> None:
    """0.5 x 0.8 of two contacts, each for himself; what they are expected to buy adds up."""
    scores = pa.table({
        "customer_id": ["c-1", "c-2"], "score_method": ["mbg_nbd", "hazard"], "churn": [5_000, 8_000],
        "alive": pa.array([6_000, None], pa.int64()), "expected_purchases": [7_000, 2_000],
        "expected_order": [10 * UNIT, 20 * UNIT], "expected_value": [1_000, 500],
        **{name: pa.nulls(2, pa.int64()) for name in ("frequency", "recency_days", "age_days", "month_share")},
    })  # fmt: skip

    row = story(firm("a-1", contact_of(), contact_of("c-2")), scores=scores)

    assert (row["churn"], row["alive"], row["expected_purchases"]) == (
        Decimal("0.4"), Decimal("0.6"), Decimal("0.9"),
    )  # fmt: skip
    assert row["score_method"] == "hazard+mbg_nbd"
