"""The rules of ``include/rules/timing.yaml``: the window of a day, caps, and how far to look ahead.

They may be tightened, never widened. Source: RULES.md, Timing.
"""

from __future__ import annotations

from datetime import time
from typing import Literal

from pydantic import Field, model_validator

from reactivation.playbooks.model import Declared

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Window(Declared):
    """The hours of a recipient's day, ``opens`` inclusive and ``closes`` exclusive."""

    opens: time
    closes: time
    weekdays: tuple[Weekday, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _stays_in_the_default(self) -> Window:
        if not time(10) <= self.opens < self.closes <= time(17) or {"sat", "sun"} & set(self.weekdays):
            raise ValueError(
                f"window: {self.opens:%H:%M}-{self.closes:%H:%M} on {', '.join(self.weekdays)} is wider than Mon-Fri "
                "10:00-17:00, and only a signed setting with the table of state and country hours may widen it"
            )
        return self


class Caps(Declared):
    """The most messages a person gets, in rolling windows."""

    any_hours: int = Field(ge=48, description="hours between two marketing messages of any channel")
    sms_per_24h: int = Field(ge=1, le=1, description="implied by any_hours, and said because the law says it")
    sms_per_7d: int = Field(ge=1, le=2)


class TimingRules(Declared):
    """``include/rules/timing.yaml``. Rules may be tightened, never widened."""

    version: str = Field(min_length=1)
    window: Window
    look_ahead_days: int = Field(ge=7, le=90)
    zones_without_address: int = Field(ge=1, le=4)
    caps: Caps
    redeem_hours_at_least: int = Field(ge=48, le=72)
