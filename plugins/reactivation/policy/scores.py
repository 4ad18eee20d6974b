"""How likely each customer is to stay away and what the next 90 days are expected to bring, by business segment.

Who has or had a subscription is scored by its contract, everybody else by the model of silent customers, or by what the
segment's own history says where no model holds. A segment with too little history scores nobody. Churn ranks; P(alive)
is shown beside it and ranks nobody.

Source: METHODS.md section 1; framework 003 (scoring engine).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TEXT
from reactivation.policy.columns import within_money
from reactivation.policy.decisions import SCORE_INPUTS, SCORES
from reactivation.science.arrays import Flags, Floats, Whole
from reactivation.science.histories import Histories
from reactivation.science.purchasing import Model
from reactivation.science.scoring import HORIZON_DAYS, HeldOut, Scores, score
from reactivation.science.seasonality import month_shares
from reactivation.science.spending import SpendingFit, expected_order_value, fit_spending
from reactivation.science.subscriptions import Renewals, Subscriptions, subscription_churn
from reactivation.science.worth import Worth, expected_worth

UNIT = 10_000
#: The method of whoever has or had a contract.
SUBSCRIPTION = "subscription"
#: What a purchase of somebody is expected to come to, where no model of spending holds: what his own came to.
AVERAGE = "average"

#: This month's share of what the segment bought in 24 months; empty where these are not known.
MONTH_SHARE = "month_share"
#: One row per customer, in the order of the customers asked about; probabilities, counts and money are whole
#: ten-thousandths, inputs days and purchase days. Empty where nothing is known.
SCORED = pa.schema([
    ("score_method", TEXT), *((name, pa.int64()) for name in (*SCORES, *SCORE_INPUTS, MONTH_SHARE)),
])  # fmt: skip


@dataclass(frozen=True)
class Scored:
    """``table`` has ``customer_id`` beside ``SCORED``; ``segments`` says, by business segment, how it came to them."""

    table: pa.Table
    segments: dict[str, Any]


def score_customers(bought: pa.Table, model: Model, month: int) -> Scored:
    """The scores of everybody in ``bought`` (``bought.sql``); ``month`` (1 to 12) is the one it is."""
    count = len(bought)
    known = {name: np.full(count, np.nan) for name in (*SCORES, MONTH_SHARE)}
    method = np.full(count, None, dtype=object)
    told: dict[str, Any] = {}
    segment_of = pc.fill_null(bought["business_segment"], "").to_numpy(zero_copy_only=False)
    for segment in sorted(set(segment_of.tolist())):
        rows = np.flatnonzero(segment_of == segment)
        mine = bought.take(pa.array(rows))
        told[segment] = _score_segment(mine, rows, model, known, method)
        told[segment]["months"] = shares = _months(mine)
        known[MONTH_SHARE][rows] = float(shares[month - 1]) if shares else np.nan
    columns = {name: _units(values) for name, values in known.items()}
    inputs = dict(zip(SCORE_INPUTS, ("frequency", "recency", "age"), strict=True))
    return Scored(
        pa.table({
            "customer_id": bought["customer_id"], "score_method": pa.array(method, TEXT), **columns,
            **{name: bought[of] for name, of in inputs.items()},
        }),
        told,
    )  # fmt: skip


def with_scores(facts: pa.Table, scores: pa.Table | None) -> pa.Table:
    """``facts`` with the columns of ``SCORED``, from ``scores`` where there are any: who never bought has none."""
    if scores is None:
        columns = {field.name: pa.nulls(len(facts), field.type) for field in SCORED}
    else:
        place = pc.index_in(facts["customer_id"], scores["customer_id"].combine_chunks())
        columns = {field.name: scores[field.name].take(place).cast(field.type) for field in SCORED}
    for name, column in columns.items():
        facts = facts.append_column(name, column)
    return facts


def _score_segment(
    bought: pa.Table, rows: Whole, model: Model, known: Mapping[str, Floats], method: np.ndarray
) -> dict[str, Any]:
    """Scores one segment into the rows of ``known`` and ``method``; how it came to them."""
    subscribed = _flags(bought["subscribed"])
    silent, bound = np.flatnonzero(~subscribed), np.flatnonzero(subscribed)
    scores = _score_silent(bought.take(pa.array(silent)), model)
    known["churn"][rows[silent]], known["alive"][rows[silent]] = scores.churn, scores.alive
    known["expected_purchases"][rows[silent]] = scores.purchases
    method[rows[silent]] = None if scores.method == "none" else scores.method
    told: dict[str, Any] = {"customers": len(silent), "scores": _plain(_told(scores))}
    if len(bound):
        renewals = _renewals(bought)
        churn, has_period = _score_bound(bought.take(pa.array(bound)), renewals)
        known["churn"][rows[bound]] = churn
        method[rows[bound[has_period]]] = SUBSCRIPTION
        rates = {"renewal_rate": renewals.renewal_rate, "restart_rate": renewals.restart_rate}
        told["subscriptions"] = _plain({"customers": len(bound)} | asdict(renewals) | rates)
    worth, spending = _worth(bought, known["expected_purchases"][rows])
    known["expected_order"][rows], known["expected_value"][rows] = worth.order_value, worth.value
    told["spending"] = _plain(spending)
    return told


def _score_silent(bought: pa.Table, model: Model) -> Scores:
    then = bought.filter(pc.greater_equal(bought["frequency_then"], 0))
    held_out = HeldOut(_histories(then, "_then"), _flags(then["returned"]), HORIZON_DAYS)
    return score(_histories(bought), held_out, model)


def _score_bound(bought: pa.Table, renewals: Renewals) -> tuple[Floats, Flags]:
    """The churn of subscribers, unknown where the period's end is; and whose is known."""
    ends, begins = _whole(bought["ends"], unknown=-1), _whole(bought["begins"], unknown=-1)
    has_period = ends > begins
    today = int(bought["today"][0].as_py())
    told = subscription_churn(
        Subscriptions(begins[has_period], ends[has_period], _flags(bought["cancelled"])[has_period]), renewals, today,
        HORIZON_DAYS,
    )  # fmt: skip
    churn = np.full(len(bought), np.nan)
    churn[has_period] = told
    return churn, has_period


def _renewals(bought: pa.Table) -> Renewals:
    names = ("periods_due", "periods_renewed", "periods_lapsed", "periods_restarted")
    return Renewals(*(int(pc.sum(bought[name]).as_py() or 0) for name in names))


def _worth(bought: pa.Table, purchases: Floats) -> tuple[Worth, dict[str, Any]]:
    """What is expected of each customer in his own currency, and by which model of spending in each currency."""
    count, revenue = _whole(bought["purchases"]), _floats(bought["revenue"]) / UNIT
    mean = np.divide(revenue, count, out=np.full(len(revenue), np.nan), where=count > 0)
    currency_of = pc.fill_null(bought["currency"], "").to_numpy(zero_copy_only=False)
    order, told = mean.copy(), {}
    for currency in sorted(set(currency_of.tolist()) - {""}):
        mine = (currency_of == currency) & ~np.isnan(mean)
        fit = fit_spending(mean[mine], count[mine])
        if isinstance(fit, SpendingFit):
            order[mine] = expected_order_value(fit.spending, mean[mine], count[mine])
        told[currency] = {"method": "gamma_gamma" if isinstance(fit, SpendingFit) else AVERAGE, **asdict(fit)}
    revenue_24m = _floats(bought["margin_revenue_24m"])
    margin = np.divide(
        _floats(bought["margin_24m"]), revenue_24m, out=np.full(len(mean), np.nan), where=revenue_24m > 0
    )  # fmt: skip
    return expected_worth(purchases, order, np.minimum(margin, 1.0)), told


def _months(bought: pa.Table) -> list[Decimal] | None:
    """Each month's share of what the segment bought in 24 months."""
    if not len(bought):
        return None
    counts = pc.list_flatten(bought["month_counts"]).to_numpy(zero_copy_only=False).reshape(-1, 12).sum(axis=0)
    shares = month_shares(counts, int(pc.max(bought["age"]).as_py()))
    return None if shares is None else [Decimal(f"{share:.4f}") for share in shares]


def _histories(bought: pa.Table, when: str = "") -> Histories:
    return Histories(*(_whole(bought[f"{name}{when}"]) for name in ("frequency", "recency", "age")))


def _told(scores: Scores) -> dict[str, Any]:
    """What is published of a segment's scores: everything but the customers' own."""
    fit, level, backtest = scores.fit, scores.recalibration, scores.backtest
    hazards = scores.hazards
    return {
        "method": scores.method, "days": scores.days, "because": scores.because, "fit": fit, "recalibration": level,
        "backtest": backtest,
        "hazards": None if hazards is None else {name: value.tolist() for name, value in vars(hazards).items()},
    }  # fmt: skip


def _plain(value: object) -> object:
    """As JSON may have it: a number with as many digits as do not depend on the processor."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return Decimal(f"{value:.5g}") if isinstance(value, float) else value


def _units(values: Floats) -> pa.Array:
    unknown = ~np.isfinite(values)
    return pa.array(np.rint(within_money(np.where(unknown, 0, values) * UNIT)).astype(np.int64), mask=unknown)


def _whole(column: pa.ChunkedArray, unknown: int = 0) -> Whole:
    values: Whole = pc.fill_null(column, unknown).to_numpy(zero_copy_only=False).astype(np.int64)
    return values


def _floats(column: pa.ChunkedArray) -> Floats:
    values: Floats = pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy(zero_copy_only=False)
    return values


def _flags(column: pa.ChunkedArray) -> Flags:
    values: Flags = pc.fill_null(column, False).to_numpy(zero_copy_only=False).astype(np.bool_)
    return values
