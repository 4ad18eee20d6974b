"""The rules of ``include/rules/deliverability.yaml``: how fast a sending domain may grow, and what stops it.

They may be tightened, never loosened. Source: RULES.md, Timing.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field, ValidationInfo, field_validator

from reactivation.playbooks.words import Declared


class DeliverabilityRules(Declared):
    """``deliverability.yaml``."""

    version: str = Field(min_length=1)
    trailing_days: int = Field(ge=7, le=7, description="as the rule says it; another number would be another rule")
    growth: Decimal = Field(ge=1, le=Decimal("1.2"))
    pause_at: Decimal = Field(gt=0, le=Decimal("0.001"))
    open_at: Decimal = Field(gt=0, le=Decimal("0.003"))
    clean_days: int = Field(ge=7, le=90)
    few_delivered: int = Field(ge=1_000)
    bounced_over: Decimal = Field(ge=0, le=Decimal("0.02"))
    enough: int = Field(ge=1, le=1_000)

    @field_validator("open_at")
    @classmethod
    def _pauses_first(cls, open_at: Decimal, info: ValidationInfo) -> Decimal:
        pause_at = info.data.get("pause_at")
        if pause_at is not None and open_at < pause_at:
            raise ValueError(f"{open_at} is less than pause_at, {pause_at}; what opens the circuit pauses before")
        return open_at
