"""The rules of ``include/rules/timing.yaml``: the window of a day, the hours of law, caps, and how far to look ahead.

They may be tightened, never widened. Source: RULES.md, Timing.
"""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from reactivation.playbooks.words import Declared

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _wall_clock(read: time) -> time:
    if read.tzinfo is not None or read.second or read.microsecond:
        raise ValueError("expected a recipient's wall clock to the minute, such as 10:00")
    return read


WallClock = Annotated[time, AfterValidator(_wall_clock)]
#: A country, or a state of one: ``FR``, ``US-KY``.
LegalPlace = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z]{2})?$")]


class Window(Declared):
    """The hours of a recipient's day, ``opens`` inclusive and ``closes`` exclusive."""

    opens: WallClock
    closes: WallClock
    weekdays: tuple[Weekday, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_some_time(self) -> Window:
        if self.opens >= self.closes:
            raise ValueError(f"{self} is no time at all; it closes after it opens")
        return self

    @property
    def is_in_the_default(self) -> bool:
        """Whether it is no wider than Mon-Fri 10:00-17:00."""
        return time(10) <= self.opens and self.closes <= time(17) and not {"sat", "sun"} & set(self.weekdays)

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M} on {', '.join(self.weekdays)}"


class LegalHours(Declared):
    """A row of the table: on these weekdays the law of these places allows these hours; none when it names none.

    Every row of a place holds, and a state's rows beside its country's.
    """

    places: tuple[LegalPlace, ...] = Field(min_length=1)
    weekdays: tuple[Weekday, ...] = Field(default=WEEKDAYS, min_length=1)
    opens: WallClock | None = None
    closes: WallClock | None = None

    @model_validator(mode="after")
    def _is_some_time_or_none(self) -> LegalHours:
        if self.opens is None and self.closes is None:
            return self
        if self.opens is None or self.closes is None or self.opens >= self.closes:
            raise ValueError(f"the hours of {self} open and then close, or neither: then no hour is allowed")
        return self

    def allow(self, window: Window) -> bool:
        """Whether the whole window is allowed on the weekdays that the row speaks of."""
        if set(self.weekdays).isdisjoint(window.weekdays):
            return True
        if self.opens is None or self.closes is None:
            return False
        return self.opens <= window.opens and window.closes <= self.closes

    def __str__(self) -> str:
        return f"{', '.join(self.places)} on {', '.join(self.weekdays)}"


class Caps(Declared):
    """The most messages a person gets, in rolling windows."""

    any_hours: int = Field(ge=48, description="hours between two marketing messages of any channel")
    sms_per_24h: int = Field(ge=1, le=1, description="implied by any_hours, and said because the law says it")
    sms_per_7d: int = Field(ge=1, le=2)


class TimingRules(Declared):
    """``include/rules/timing.yaml``. Rules may be tightened, never widened."""

    version: str = Field(min_length=1)
    legal_hours: tuple[LegalHours, ...] = Field(min_length=1)
    window: Window
    look_ahead_days: int = Field(ge=7, le=90)
    zones_without_address: int = Field(ge=1, le=4)
    caps: Caps
    redeem_hours_at_least: int = Field(ge=48, le=72)

    @field_validator("window")
    @classmethod
    def _is_not_widened(cls, window: Window, info: ValidationInfo) -> Window:
        """The rows are named first: whoever may widen the default one day may not widen the law."""
        narrower = [str(row) for row in info.data.get("legal_hours", ()) if not row.allow(window)]
        if narrower:
            raise ValueError(f"{window} is wider than the legal hours of {'; of '.join(narrower)}")
        if not window.is_in_the_default:
            raise ValueError(f"{window} is wider than Mon-Fri 10:00-17:00, and only a signed setting may widen it")
        return window
