"""The six dimensions of framework 003, and the value tier of seed 000, for every customer.

Money is whole ten-thousandths of the customer's own currency; an average or a rate in mixed money is unknown.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from reactivation.contract.tables import TIME, WHOLE
from reactivation.playbooks.model import Playbook, Segments
from reactivation.policy.columns import choose, constant, holds, latest, numbers, series, within_money
from reactivation.policy.dormancy import opens_count
from reactivation.policy.rules import Rules

UNIT = 10_000


def dimensions(facts: pd.DataFrame, playbook: Playbook, rules: Rules, at: datetime) -> pd.DataFrame:
    """One row per customer: the dimensions of ``DECISIONS``, value tier and its source; average_order and
    lifetime_margin in 1/10,000."""
    limits = playbook.segments
    average = average_order(facts)
    tier, tier_source = value_tiers(facts, limits)
    affinity, affinity_source = _affinity(facts)
    return pd.DataFrame(
        {
            "margin_class": _margin_class(facts, limits.high_margin_rate),
            "purchase_kind": choose(
                [(facts["subscriptions"] > 0, "subscription"), (facts["purchases"] > 0, "one_time")], "none"
            ),
            "purchase_repeat": choose(
                [(facts["purchases"] >= limits.repeat_from_purchases, "repeat"), (facts["purchases"] > 0, "single")],
                "none",
            ),
            "average_order": average,
            "lifetime_margin": series(pa.array(lifetime_margin(facts), from_pandas=True).cast(WHOLE)),
            "aov_tier": choose(
                [
                    (average >= int(limits.aov_high_from * UNIT), "high"),
                    (average >= int(limits.aov_mid_from * UNIT), "mid"),
                    (average.notna(), "low"),
                ],
                "unknown",
            ),
            "engagement_pattern": _engagement_pattern(facts, limits.engagement_lookback_days, rules, at),
            "product_affinity": affinity,
            "affinity_source": affinity_source,
            "acquisition_channel": _acquisition(facts["acquisition_word"], rules),
            "value_tier": tier,
            "value_tier_source": tier_source,
        }
    )  # fmt: skip


def average_order(facts: pd.DataFrame) -> pd.Series:
    """Revenue by purchase in whole ten-thousandths; empty without purchases or in mixed currencies."""
    one_currency = facts["currency"].notna() & (facts["purchases"] > 0)
    return (facts["revenue"] // facts["purchases"].where(facts["purchases"] > 0)).where(holds(one_currency))


def margin_rate(facts: pd.DataFrame) -> np.ndarray:
    """Margin over revenue of the last 24 months' purchases whose margin is known; NaN where there are none."""
    revenue = numbers(facts["margin_revenue_24m"])
    revenue[~(revenue > 0)] = np.nan
    rate: np.ndarray = numbers(facts["margin_24m"]) / revenue
    return rate


def lifetime_margin(facts: pd.DataFrame) -> np.ndarray:
    """Revenue of a lifetime × margin rate, in whole ten-thousandths, rounded down; NaN where either is unknown."""
    revenue, known = numbers(facts["revenue"]), numbers(facts["margin_revenue_24m"])
    known[~(known > 0)] = np.nan
    margin: np.ndarray = np.floor(revenue * numbers(facts["margin_24m"]) / known)
    return within_money(margin)


def _margin_class(facts: pd.DataFrame, high_from: float) -> pd.Series:
    rate = margin_rate(facts)
    return choose([(series(rate >= high_from), "high"), (series(rate < high_from), "low")], "unknown")


def value_tiers(facts: pd.DataFrame, limits: Segments) -> tuple[pd.Series, pd.Series]:
    """What everybody is worth, and who says so: the source's tier when given, else the rank within segment and currency
    (a customer's by 24-month margin, an account's by annual value)."""
    place = numbers(facts["margin_rank"]) / numbers(facts["margin_ranked"])
    ranked = choose(
        [
            (series(place <= limits.value_high_share), "high"),
            (series(place <= limits.value_high_share + limits.value_mid_share), "mid"),
            (series(~np.isnan(place)), "low"),
        ],
        "unknown",
    )
    given = facts["given_value_tier"].isin(["high", "mid", "low"])
    source = choose([(given, "source"), (ranked != "unknown", "margin_rank")], None)
    return choose([(given, facts["given_value_tier"])], ranked), source


def _engagement_pattern(facts: pd.DataFrame, lookback_days: int, rules: Rules, at: datetime) -> pd.Series:
    """What followed the last purchase, looking back at most so many days; unknown where nobody was tracking."""
    since = latest(facts["last_purchase_at"], constant(at - timedelta(days=lookback_days), len(facts), TIME))
    clicked = holds(facts["last_click_at"] > since)
    tracked = opens_count(facts, rules.permission)
    opened = holds(facts["last_open_at"] > since) & tracked
    return choose(
        [
            (clicked, "clicks_no_purchase"),
            (opened, "opens_no_clicks"),
            (tracked & (facts["sent_180d"] > 0), "dark"),
        ],
        "unknown",
    )


def _affinity(facts: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """The category bought most, else left in a cart, else browsed, else bought last."""
    order = (
        ("top_category", "purchases"), ("cart_category", "abandoned_cart"), ("browse_category", "browse"),
        ("last_category", "purchases"),
    )  # fmt: skip
    known = [(facts[column].notna(), column, source) for column, source in order]
    return (
        choose([(is_known, facts[column]) for is_known, column, _ in known], "unknown"),
        choose([(is_known, source) for is_known, _, source in known], None),
    )


def _acquisition(words: pd.Series, rules: Rules) -> pd.Series:
    mapped = [(words.isin(list(known)), channel) for channel, known in rules.words.acquisition.items()]
    return choose([(words.isna() | (words == ""), "unknown"), *mapped], "other")


def population(no_contact: pd.Series, bad_fit: pd.Series, tier: pd.Series) -> pd.Series:
    """Who is never drafted, and which of the others are worth most (seed 000, decision rules)."""
    return choose([(no_contact, "no_contact"), (bad_fit, "bad_fit"), (tier == "high", "high_value")], "low_value")
