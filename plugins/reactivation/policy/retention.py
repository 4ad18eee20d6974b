"""The rules of ``include/rules/retention.yaml``, and whether something kept about a person is past its time. Pure.

Source: RULES.md, Evidence and privacy (retention defaults).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from reactivation.playbooks.words import Declared


class RetentionRules(Declared):
    """``retention.yaml``."""

    version: str = Field(min_length=1)
    people_days: int = Field(ge=2, le=30)
    unsent_drafts_days: int = Field(ge=1, le=365)
    replies_days: int = Field(ge=1, le=30)
    blocked_years: int = Field(ge=1, le=5)
    evidence_years: int = Field(ge=1, le=10)
    suppressions: Literal["for_ever"]

    @field_validator("evidence_years")
    @classmethod
    def _outlasts_what_was_blocked(cls, years: int, info: ValidationInfo) -> int:
        blocked = info.data.get("blocked_years")
        if blocked is not None and years < blocked:
            raise ValueError(f"{years} is less than blocked_years, {blocked}; what was sent is proven longest")
        return years


def people_are_past(rules: RetentionRules, as_of: datetime, now: datetime) -> bool:
    """Whether a snapshot's names, addresses and notes have been kept long enough."""
    return now >= as_of + timedelta(days=rules.people_days)


def replies_kept_since(rules: RetentionRules, now: datetime) -> datetime:
    """The words of what people answered are past their time when they were told at this instant or before."""
    return now - timedelta(days=rules.replies_days)


def draft_is_past(rules: RetentionRules, *, window_ended: datetime, last_sent: datetime | None, now: datetime) -> bool:
    """Whether a draft's bytes have been kept long enough.

    ``last_sent``: when the last message for its person was handed over, if the draft itself went out; else ``None``.
    """
    if last_sent is None:
        return now >= window_ended + timedelta(days=rules.unsent_drafts_days)
    return now >= _years_after(last_sent, rules.evidence_years)


def record_is_past(
    rules: RetentionRules, as_of: datetime, *, enrolled: bool, last_sent: datetime | None, now: datetime
) -> bool:
    """Whether what a folder says of a customer has been kept long enough.

    ``enrolled``: the folder is evidence of an enrolment or of a send of theirs; the rest are blocked decisions.
    """
    if not enrolled:
        return now >= _years_after(as_of, rules.blocked_years)
    return now >= _years_after(max(as_of, last_sent or as_of), rules.evidence_years)


def _years_after(at: datetime, years: int) -> datetime:
    """The same day so many years later; of a leap day the day before."""
    try:
        return at.replace(year=at.year + years)
    except ValueError:
        return at.replace(year=at.year + years, day=28)
