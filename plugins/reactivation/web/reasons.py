"""Why a person is on a list, in words an owner reads at a glance: the codes of the decision and its records.

Ids, codes, dates and amounts only: what ``decisions.parquet`` has. Unknown values say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reactivation.approvals.lists import amount
from reactivation.policy.decisions import GATES, REVIEW
from reactivation.policy.gate_rules import GateRules


@dataclass(frozen=True)
class Fact:
    """One line: what it is about, what is known, and the source records behind it."""

    label: str
    value: str
    records: tuple[str, ...] = ()


def why(decision: Mapping[str, Any], channel: str, gates: GateRules) -> tuple[Fact, ...]:
    """The facts behind one row of ``decisions.parquet``, the most telling first; the permission is the channel's.

    What asks for a person is told in the words of the rules.
    """
    known = decision["evidence"] or {}
    facts = [
        Fact("Quiet for", f"{decision['dormant_days']} days ({words(decision['dormancy_range'])})"),
        Fact("Last sign of life", _event(decision["last_activity_kind"], decision["last_activity_at"])),
        Fact("Last purchase", _day(decision["last_purchase_at"])),
        Fact("Why quiet", f"{words(decision['inactivity_reason'])} ({words(decision['reason_basis'])})"),
        Fact("Value", f"{words(decision['value_tier'])}, {words(decision['population'])}"),
        Fact("Bought", _bought(known)),
        Fact("Permission", words(decision[f"{channel}_basis"]), tuple(decision[f"{channel}_records"] or ())),
        Fact("Jurisdiction", ", ".join(decision["jurisdictions"] or ()) or "unknown"),
        Fact("Relationship", words(known.get("relationship"))),
        Fact("Fit", words(known.get("fit"))),
        Fact("Past cases", str(len(known.get("past_case_ids") or ())), tuple(known.get("past_case_ids") or ())),
        Fact("Next best action", words(decision["next_best_action"])),
    ]
    flagged = [
        Fact("Look at", f"{words(name)}: {gates.meaning(name, result)}")
        for name in GATES
        if (result := decision[f"gate_{name}"]).startswith(REVIEW)
    ]
    beside = [
        Fact("Look at", rule.meaning) for code, rule in gates.reviews.items() if code in decision["review_reasons"]
    ]
    return (*flagged, *beside, *facts)


def words(code: str | None) -> str:
    """A code as words; nothing known says so."""
    return code.replace("_", " ") if code else "unknown"


def apart(code: str) -> str:
    """A code of two parts, as words."""
    return words(code.replace(":", ": "))


def _event(kind: str | None, at: datetime | None) -> str:
    return f"{words(kind)}, {_day(at)}" if at else "none known"


def _day(at: datetime | None) -> str:
    return at.strftime("%-d %b %Y") if at else "none known"


def _bought(known: Mapping[str, Any]) -> str:
    purchases = known.get("purchases")
    if not purchases:
        return "nothing known"
    times = "once" if purchases == 1 else f"{purchases} times"
    return f"{times}; {amount(known.get('revenue_24m'), known.get('currency'))} in 24 months"
