"""The *unique workflow test* of a playbook's document, as a checklist filled for a few of the pilot's subjects. Pure.

Source: seeds 000 and 001, Unique Workflow Test. Who is looked at does not depend on how it went: by a digest of the id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reactivation.policy.decisions import FAIL

SENTENCES = {
    "customer": "Build one inactive segment and verify value tier, last purchase, reason, consent, support history, "
    "suppression rule, owner approval, and outcome.",
    "account": "Sample dormant accounts and verify account value, owner, last interaction, inactivity reason, support "
    "history, permission, path decision, and outcome.",
}
#: How many subjects are looked at.
MOST = 10

Decision = Mapping[str, Any]


@dataclass(frozen=True)
class Checked:
    """One subject: each item of the document, present or not."""

    subject: str
    items: Mapping[str, bool]


@dataclass(frozen=True)
class Told:
    """What the ledger has of the subjects: those an owner answered about, and those something became of."""

    answered: Collection[str]
    outcomes: Collection[str]


def _is_told(column: str) -> Callable[[Decision], bool]:
    return lambda row: row.get(column) not in (None, "", "unknown")


def _gate_is_clear(gate: str) -> Callable[[Decision], bool]:
    """The gate could answer: whatever it said, it did not fail for want of knowledge."""
    unclear = {f"{FAIL}error", f"{FAIL}unknown", f"{FAIL}cases_unread"}
    return lambda row: row.get(f"gate_{gate}") not in (None, *unclear)


#: Items that stand in the decision, by the words of each document.
_DECIDED: dict[str, dict[str, Callable[[Decision], bool]]] = {
    "customer": {
        "value_tier": _is_told("value_tier"), "last_purchase": _is_told("last_purchase_at"),
        "reason": _is_told("inactivity_reason"), "consent": _gate_is_clear("permission"),
        "support_history": _gate_is_clear("no_open_issue"), "suppression_rule": _gate_is_clear("not_suppressed"),
    },
    "account": {
        "account_value": _is_told("value_tier"), "owner": _is_told("owner_id"),
        "last_interaction": _is_told("last_activity_at"), "inactivity_reason": _is_told("inactivity_reason"),
        "support_history": _gate_is_clear("no_open_issue"), "permission": _gate_is_clear("permission"),
        "path_decision": lambda row: _is_told("path")(row) or _is_told("next_best_action")(row),
    },
}  # fmt: skip


def sampled(subjects: Collection[str], salt: str) -> list[str]:
    """Up to ``MOST`` of the subjects, always the same of the same."""
    ranked = sorted(subjects, key=lambda one: hashlib.sha256(f"{salt}:{one}".encode()).hexdigest())
    return sorted(ranked[:MOST])


def workflow_test(
    subject: Literal["customer", "account"], decisions: Mapping[str, Decision], told: Told, salt: str
) -> tuple[Checked, ...]:
    """The checklist for the sampled subjects. ``decisions``: the last decision about each subject, by subject.

    Who may not be contacted needs no owner's approval: that nobody asked for one is the suppression at work.
    """
    return tuple(Checked(one, _items(subject, one, decisions[one], told)) for one in sampled(decisions, salt))


def _items(kind: str, subject: str, row: Decision, told: Told) -> dict[str, bool]:
    items = {name: present(row) for name, present in _DECIDED[kind].items()}
    if kind == "customer":
        items["owner_approval"] = subject in told.answered or row["decision"] in ("suppress", "hold")
    items["outcome"] = subject in told.outcomes
    return items
