"""The rules of ``include/rules/monitor.yaml``: how sure the monitor has to be, and which harm it does not let pass.

They may be tightened, never loosened. Source: METHODS.md section 3; RULES.md, Timing (deliverability).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from reactivation.playbooks.words import Declared


class HarmLimits(Declared):
    """By measure, which share of the messages sent may come back so."""

    complaints: Annotated[Decimal, Field(gt=0, le=Decimal("0.001"))]
    unsubscribes: Annotated[Decimal, Field(gt=0, le=Decimal("0.01"))]
    bounces: Annotated[Decimal, Field(gt=0, le=Decimal("0.02"))]


class MonitorRules(Declared):
    """``monitor.yaml``."""

    version: str = Field(min_length=1)
    alpha: Annotated[Decimal, Field(gt=0, le=Decimal("0.05"))]
    limits: HarmLimits
