"""What an account's owner decides beside signing or holding a message: read from the form, and judged. Pure.

As with every answer, nothing that arrives is trusted and nothing raises: a decision that is not whole is none.

Source: seed 001 (human approval point, let the account owner decide); PLAYBOOKS.md section 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from reactivation.approvals.form import FormField
from reactivation.policy.accounts import CLOSE, HOLD_UNTIL, OWNER_DECISIONS, WRITING

#: Why an account is closed, held or left alone.
REASONS = (
    "bad_fit", "out_of_business", "moved_to_competitor", "unresolved_issue", "relationship", "timing", "no_need",
    "budget", "contact_left", "other",
)  # fmt: skip
_LONGEST = 20

FIELDS = (
    FormField("decision", "Decision", "What becomes of the account.", ("", *OWNER_DECISIONS)),
    FormField("until", "Hold until", "The day it wakes up, as 2027-01-31; only for hold_until."),
    FormField("why", "Reason", "Why it is held, closed or left alone.", ("", *REASONS)),
    FormField("contact", "Write to", "The number of another contact on the page; empty for the leading one."),
)


@dataclass(frozen=True)
class Decision:
    """What the fields say. ``refusal``: why they decide nothing; ``decision`` is empty where nothing was chosen."""

    decision: str
    until: date | None
    reason: str | None
    recipient: str | None
    refusal: str | None

    def as_codes(self) -> dict[str, Any]:
        """What is kept of the fields: codes and a day."""
        until = None if self.until is None else self.until.isoformat()
        return {"decision": self.decision, "until": until, "why": self.reason, "recipient": self.recipient}


def read_decision(event: object, contacts: Sequence[str], today: date) -> Decision:
    """The decision in an event as Airflow gives it. ``contacts``: customer ids, by the numbers of the page."""
    given = event.get("params_input") if isinstance(event, Mapping) else None
    values: Mapping[Any, Any] = given if isinstance(given, Mapping) else {}
    decision, reason = _code(values.get("decision"), OWNER_DECISIONS), _code(values.get("why"), REASONS)
    until, recipient = _day(values.get("until")), _contact(values.get("contact"), contacts)
    checks = [
        ("decision_unknown", decision is None),
        ("reason_unknown", reason is None),
        ("contact_unknown", recipient is None),
        ("until_unknown", until == ""),
        ("until_missing", decision == HOLD_UNTIL and not until),
        ("until_past", isinstance(until, date) and until <= today),
        ("until_out_of_place", bool(until) and decision != HOLD_UNTIL),
        ("reason_missing", decision == CLOSE and not reason),
        ("contact_out_of_place", bool(recipient) and decision not in WRITING),
    ]
    return Decision(
        decision=decision or "", until=until if isinstance(until, date) else None, reason=reason or None,
        recipient=recipient or None, refusal=next((code for code, fails in checks if fails), None),
    )  # fmt: skip


def _code(value: object, known: Sequence[str]) -> str | None:
    """One of the codes, or the empty text; ``None`` for anything else."""
    text = "" if value is None else value
    return text if isinstance(text, str) and text in ("", *known) else None


def _day(value: object) -> date | str | None:
    """A day; ``None`` where none was given, the empty text where it cannot be read."""
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) <= _LONGEST else ""
    except ValueError:
        return ""


def _contact(value: object, contacts: Sequence[str]) -> str | None:
    """The contact of a number, the empty text where none was given, ``None`` where it names nobody."""
    text = "" if value is None else str(value).strip() if isinstance(value, (str, int)) else "?"
    if text == "":
        return ""
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST):
        return None
    number = int(text)
    return contacts[number - 1] if 1 <= number <= len(contacts) else None
