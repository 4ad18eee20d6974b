"""Whether this person may be given an incentive, up to which step, and how much of an order's value it may cost.

Conservative: none without a known margin, in another currency, or for somebody who mostly buys on discount.
Budget and codes across customers are the plan's business; here every customer is judged alone.

Source: METHODS.md section 2 (margin guard, cooldown, one a year, lifetime caps, no escalation after two), RULES.md gate
``offer_allowed``, seed 000 (discounts train poor-fit behaviour), seed 001 (no generic offers to high-context accounts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from reactivation.playbooks.touches import Touch
from reactivation.policy.columns import (
    choose,
    constant,
    holds,
    holds_or_unknown,
    joined,
    later,
    lengths,
    numbers,
    series,
    within_money,
)  # fmt: skip
from reactivation.policy.context import Context
from reactivation.policy.decisions import DROP, PASS
from reactivation.policy.rules import IncentiveRules
from reactivation.policy.segments import UNIT, lifetime_margin, margin_rate
from reactivation.science.margins import largest_discount

#: The monetary steps, lowest first. Access costs no money and is not limited here.
STEPS = ("points_or_credit", "percent")

#: What has to be known of an offer before it is promised to anybody.
_BOUNDS = ("kind", "value", "unit_cost", "starts_at", "ends_at", "margin_floor", "budget")

Floats = npt.NDArray[np.float64]


def incentives(facts: pd.DataFrame, average_order: pd.Series, value_tier: pd.Series, context: Context) -> pd.DataFrame:
    """One row per customer: offer_result (``pass`` or ``drop:<reason>``), offer_position, offer_cap.

    ``pass`` means that every offer the playbook plans is allowed; ``offer_position`` is the highest step that is;
    ``offer_cap`` is the largest share of an order's value an incentive may cost, in whole ten-thousandths.
    """
    guard = _guard(margin_rate(facts), numbers(average_order) / UNIT, _uplift(facts, context), context.rules.incentives)
    personal = _personal(facts, value_tier, context)
    position, refused = constant("none", len(facts)), constant(None, len(facts))
    often = facts["redeemed_incentives"] >= context.rules.incentives.no_escalation_after
    for step in STEPS:
        # The smallest of all steps, not of this playbook's: a larger one of another playbook is larger all the same.
        larger = [(often, "no_escalation")] if step != STEPS[0] else []
        for touch in (t for t in context.playbook.touches if t.incentive == step and t.offer is not None):
            cost = _of_offer(facts, guard, touch, context)
            reason = choose([(personal.notna(), personal), *larger], cost)
            position = choose([(reason.isna(), step)], position)
            refused = choose([(refused.notna(), refused)], reason)
    return pd.DataFrame(
        {
            "offer_result": choose([(refused.notna(), joined(DROP, refused))], PASS),
            "offer_position": position,
            "offer_cap": series(np.floor(within_money(np.nan_to_num(guard.cap) * UNIT)).astype(np.int64)),
        }
    )


@dataclass(frozen=True)
class _Guard:
    """Per customer: margin rate, value of an order, and the share of it an incentive may cost; NaN is unknown."""

    rate: Floats
    order_value: Floats
    cap: Floats


def _guard(rate: Floats, order_value: Floats, uplift: Floats, rules: IncentiveRules) -> _Guard:
    value = np.where(order_value > 0, order_value, np.nan)
    most = largest_discount(
        rate, uplift, value, float(rules.conversion), contact_cost=float(rules.contact_cost),
        margin_floor=float(rules.margin_floor),
    )  # fmt: skip
    return _Guard(rate, value, most)


def _uplift(facts: pd.DataFrame, context: Context) -> Floats:
    """How many times more people buy with the incentive: as was measured in the segment, else as the rules declare."""
    uplift = np.full(len(facts), float(context.rules.incentives.uplift))
    optimizer = context.playbook.optimizer
    for segment, measured in optimizer.uplifts.items() if optimizer else ():
        uplift[holds(facts["business_segment"] == segment).to_numpy(dtype=bool)] = float(measured)
    return uplift


def _personal(facts: pd.DataFrame, value_tier: pd.Series, context: Context) -> pd.Series:
    """Why this person gets no incentive whatever it is; empty where there is no such reason."""
    rules = context.rules.incentives
    subscribes = holds(facts["period_end"] > context.at) & facts["subscription_cancelled_at"].isna()
    discounted = numbers(facts["discounted_purchases"]) >= float(rules.discounted_share) * numbers(facts["purchases"])
    context_rich = facts["account_id"].notna() & (
        holds_or_unknown(facts["account_has_notes"]) | (lengths(facts["past_case_ids"]) > 0) | (value_tier == "high")
    )
    return choose(
        [
            (later(facts["last_redeemed_at"], timedelta(rules.cooldown_days)) > context.at, "cooldown"),
            (later(facts["last_redeemed_at"], timedelta(rules.monetary_after_days)) > context.at, "once_a_year"),
            (facts["redeemed_incentives"] >= rules.lifetime_incentives, "lifetime_cap"),
            (series(discounted), "discount_buyer"),
            (subscribes, "active_subscription"),
            (context_rich, "high_context_account"),
            (series(np.isnan(margin_rate(facts))), "margin_unknown"),
            (_has_had_its_share(facts, rules), "lifetime_share"),
        ],
        None,
    )


def _has_had_its_share(facts: pd.DataFrame, rules: IncentiveRules) -> pd.Series:
    """Whether what was redeemed cost as large a share of the margin ever brought as it may, or cannot be compared.

    Nothing redeemed, or nothing that cost anything, is no share of whatever margin.
    """
    cost, most = numbers(facts["redeemed_cost"]), float(rules.lifetime_share) * lifetime_margin(facts)
    within = holds(facts["redeemed_currency"] == facts["currency"]) & series(cost < most)
    return (facts["redeemed_incentives"] > 0) & series(~(cost == 0)) & ~within


def _of_offer(facts: pd.DataFrame, guard: _Guard, touch: Touch, context: Context) -> pd.Series:
    """Why this offer is not for this person; empty where it is allowed."""
    offer = context.offers.get(touch.offer or "")
    unavailable = "offer_unknown" if offer is None else _unavailable(offer, touch, context)
    if offer is None or unavailable is not None:
        return constant(unavailable, len(facts))
    share = float(offer["unit_cost"]) / guard.order_value
    if offer["kind"] == "percent":
        share = np.full(len(facts), float(offer["value"]) / 100)
    currency = facts["currency"] if offer["currency"] is None else offer["currency"]
    return choose(
        [
            (holds_or_unknown(facts["currency"] != currency), "other_currency"),
            (series(~(share <= guard.cap)), "margin_guard"),
            (series(~(guard.rate - share >= float(offer["margin_floor"]))), "margin_floor"),
        ],
        None,
    )


def _unavailable(offer: Mapping[str, Any], touch: Touch, context: Context) -> str | None:
    if any(offer[bound] is None for bound in _BOUNDS):
        return "offer_unknown"
    day = context.planned_on + timedelta(days=touch.day)
    if not offer["starts_at"] <= day < offer["ends_at"]:
        return "offer_not_live"
    if offer["codes_available"] is not None and offer["codes_available"] < 1:
        return "no_codes_left"
    return "no_budget" if offer["budget"] < offer["unit_cost"] else None
