"""How much e-mail a sending domain may send today, and whether it may send at all. Pure: days in, a value out.

A day is one of UTC; rates are of a day. Unknown is no: a day with a count nobody knows pauses.

Source: RULES.md, Timing (daily ramp; deliverability).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from reactivation.policy.deliverability_rules import DeliverabilityRules

State = Literal["closed", "paused", "open"]

#: Why a circuit is not closed.
COMPLAINTS, FEW_AND_A_COMPLAINT, BOUNCES, UNKNOWN = "complaints", "few_and_a_complaint", "bounces", "unknown"


@dataclass(frozen=True)
class Day:
    """What a sending domain sent on a day, and what came back on it; ``None`` for a count nobody knows."""

    day: date
    sent: int | None = 0
    delivered: int | None = 0
    complaints: int | None = 0
    hard_bounces: int | None = 0


@dataclass(frozen=True)
class Circuit:
    """Whether e-mail may go out: *closed* lets it, *paused* waits for a person, *open* for clean days too.

    ``reason`` is a code, ``tripped_on`` the last day that gave it, ``until`` the end of the last clean day asked for.
    """

    state: State
    reason: str | None = None
    tripped_on: date | None = None
    until: datetime | None = None


CLOSED = Circuit("closed")


def allowance(days: Sequence[Day], floor: int, rules: DeliverabilityRules, today: date) -> int:
    """How many e-mails the domain may send today, never less than ``floor``. Days that are missing sent nothing."""
    first = today - timedelta(days=rules.trailing_days)
    trailing = [one.sent for one in days if first <= one.day < today and one.sent != 0]
    known = [sent for sent in trailing if sent is not None]
    if not known or len(known) < len(trailing):
        return floor
    return max(floor, int(rules.growth * sum(known) // len(known)))


def circuit(days: Sequence[Day], rules: DeliverabilityRules, today: date) -> Circuit:
    """The worst that ``days`` say: open before paused, complaints before bounces, and of one thing the last day."""
    opening = max((one.day for one in days if _opens(one, rules)), default=None)
    if opening is not None and today <= opening + timedelta(days=rules.clean_days):
        until = opening + timedelta(days=rules.clean_days + 1)
        return Circuit("open", COMPLAINTS, opening, datetime.combine(until, time(), UTC))
    tripped = {
        COMPLAINTS: [one.day for one in days if _complained(one, rules)],
        FEW_AND_A_COMPLAINT: [one.day for one in days if _few_and_a_complaint(one, rules)],
        BOUNCES: _bounced(days, rules, today),
        UNKNOWN: [one.day for one in days if _is_unknown(one)],
    }
    return next((Circuit("paused", why, max(found)) for why, found in tripped.items() if found), CLOSED)


def _opens(one: Day, rules: DeliverabilityRules) -> bool:
    if one.delivered is None or one.complaints is None or one.delivered < rules.enough:
        return False
    return one.complaints >= rules.open_at * one.delivered


def _complained(one: Day, rules: DeliverabilityRules) -> bool:
    if one.delivered is None or one.complaints is None or one.delivered < rules.few_delivered:
        return False
    return one.complaints >= rules.pause_at * one.delivered


def _few_and_a_complaint(one: Day, rules: DeliverabilityRules) -> bool:
    return bool(one.complaints) and one.delivered is not None and one.delivered < rules.few_delivered


def _bounced(days: Sequence[Day], rules: DeliverabilityRules, today: date) -> list[date]:
    """The trailing days with a bounce, if too much of what they sent came back."""
    first = today - timedelta(days=rules.trailing_days - 1)
    trailing = [one for one in days if one.day >= first]
    sent = sum(one.sent or 0 for one in trailing)
    back = [one for one in trailing if one.hard_bounces]
    too_many = sum(one.hard_bounces or 0 for one in back) > rules.bounced_over * sent
    return [one.day for one in back] if sent >= rules.enough and too_many else []


def _is_unknown(one: Day) -> bool:
    return None in (one.sent, one.delivered, one.complaints, one.hard_bounces)
