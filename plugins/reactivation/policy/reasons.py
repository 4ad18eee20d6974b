"""Why a customer went quiet: known from a source, inferred from records that are named, or unknown.

Source: seed 000 (known churn or inactivity reason), PLAYBOOKS.md section 1.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from reactivation.policy.columns import arrow, choose, holds, joined, later, listed, series
from reactivation.policy.rules import ReasonRules, Seasonal

_CODE = r"^[A-Za-z][A-Za-z _-]{0,39}$"


def reasons(facts: pd.DataFrame, last_activity_at: pd.Series, rules: ReasonRules, at: datetime) -> pd.DataFrame:
    """One row per customer: inactivity_reason, reason_basis (known, inferred, unknown), reason_evidence (ids)."""
    lately = later(last_activity_at, -timedelta(rules.problem_before_silence_days))
    near_the_end = later(last_activity_at, -timedelta(rules.subscription_end_days))
    objection = objection_of(facts)
    told = choose([(_is_code(objection), joined("objection:", objection))], "objection")
    contact, account = joined("contacts/", facts["customer_id"]), joined("accounts/", facts["account_id"])
    purchases, engagement = (joined(f"{kind}_summary/", facts["customer_id"]) for kind in ("purchase", "engagement"))
    case = {kind: joined("cases/", facts[f"{kind}_case_id"]) for kind in ("cancellation", "problem", "objection")}
    lapsed = (facts["period_end"] >= near_the_end) & (facts["period_end"] < at)
    only_discounts = (facts["purchases"] > 0) & (facts["discounted_purchases"] == facts["purchases"])

    cases: list[tuple[pd.Series, pd.Series | str, str, pd.Series]] = [
        (facts["given_reason"].notna(), facts["given_reason"], "known", contact),
        (facts["account_given_reason"].notna(), facts["account_given_reason"], "known", account),
        (facts["account_cancelled_at"].notna(), "account_cancelled", "inferred", account),
        (facts["cancellation_case_id"].notna(), "cancelled", "inferred", case["cancellation"]),
        (facts["subscription_cancelled_at"] >= near_the_end, "subscription_cancelled", "inferred", purchases),
        (facts["problem_case_at"] >= lately, "service_problem", "inferred", case["problem"]),
        (facts["objection_case_id"].notna(), told, "inferred", case["objection"]),
        (objection.notna(), told, "inferred", engagement),
        (lapsed, "subscription_lapsed", "inferred", purchases),
        (_seasonal(facts["month_counts"], rules.seasonal, at), "seasonal", "inferred", purchases),
        (only_discounts, "bought_on_discount_only", "inferred", purchases),
    ]  # fmt: skip
    return pd.DataFrame(
        {
            "inactivity_reason": choose([(when, reason) for when, reason, _, _ in cases], "unknown"),
            "reason_basis": choose([(when, basis) for when, _, basis, _ in cases], "unknown"),
            "reason_evidence": listed(choose([(when, record) for when, _, _, record in cases], None)),
        }
    )


def objection_of(facts: pd.DataFrame) -> pd.Series:
    """What each objected to: in a case, else in the last engagement that says so."""
    return choose([(facts["case_objection"].notna(), facts["case_objection"])], facts["last_objection"])


def _is_code(words: pd.Series) -> pd.Series:
    """Whether a source's word may be repeated: a short code, not a sentence somebody wrote."""
    return holds(series(pc.match_substring_regex(arrow(words), _CODE)))


def _seasonal(month_counts: pd.Series, rules: Seasonal, at: datetime) -> pd.Series:
    """Whether most purchases fall into three neighbouring months of the year, and it is none of them now."""
    counts = arrow(month_counts)
    whole_years = pc.fill_null(pc.equal(pc.list_value_length(counts), 12), False).to_numpy(zero_copy_only=False)
    months = np.zeros((len(counts), 12), np.int64)
    months[whole_years] = counts.filter(whole_years).flatten().to_numpy().reshape(-1, 12)
    quarters = months + np.roll(months, -1, axis=1) + np.roll(months, -2, axis=1)
    busiest, total = quarters.argmax(axis=1), months.sum(axis=1)
    enough = (total >= rules.purchases) & (quarters.max(axis=1) >= float(rules.share) * total)
    return series(enough & ((at.month - 1 - busiest) % 12 > 2))
