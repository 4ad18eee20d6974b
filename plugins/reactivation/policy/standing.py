"""How a customer stands with us: the worst of what the contact, the account and customers of the same address say.

Empty is unknown, and unknown is worse than normal or good. Source: RULES.md, gates ``relationship`` and ``fit``.
"""

from __future__ import annotations

import pandas as pd

from reactivation.policy.columns import any_of, choose, contains, holds

#: Worst first; anything else is unknown.
_RELATIONSHIPS = ("no_contact", "legal", "dispute", "poor", "sensitive")


def worst_relationship(facts: pd.DataFrame) -> pd.Series:
    """no_contact, legal, dispute, poor, sensitive, unknown or normal."""
    said = [(code, _any_says(facts, "relationship", code)) for code in _RELATIONSHIPS]
    return choose(
        [(says | contains(facts["shared_relationships"], code), code) for code, says in said],
        _all_say(facts, "relationship", "normal"),
    )


def worst_fit(facts: pd.DataFrame) -> pd.Series:
    """bad, unknown or good."""
    return choose([(_any_says(facts, "fit", "bad"), "bad")], _all_say(facts, "fit", "good"))


def _any_says(facts: pd.DataFrame, column: str, code: str) -> pd.Series:
    return any_of(facts[column] == code, facts[f"account_{column}"] == code)


def _all_say(facts: pd.DataFrame, column: str, code: str) -> pd.Series:
    account = facts["account_id"].isna() | holds(facts[f"account_{column}"] == code)
    return choose([(holds(facts[column] == code) & account, code)], "unknown")
