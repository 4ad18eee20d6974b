"""The conditions that make a run "not ready", as they are declared in ``expectations/conditions.yaml``.

Each has the sentence of the source documents it stands for, what proves it, and how to mend it; the suites beside the
file say which expectation proves which condition.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import Field, model_validator

from reactivation import paths
from reactivation.playbooks.declared import DeclarationError, parse_declared, read_bytes
from reactivation.playbooks.model import ReadinessLimits
from reactivation.playbooks.words import Declared, Severity

FILE = paths.EXPECTATIONS / "conditions.yaml"


class ConditionsError(DeclarationError):
    """The file of conditions is refused; every problem with its line."""

    kind = "file of conditions"


class Condition(Declared):
    """One reason why a run may not proceed.

    ``seed``: a sentence of the source documents, so always critical and never waived. ``settings``: the fields of the
    playbook's ``readiness`` section that move its threshold. ``where``: the system in which it is mended.
    """

    title: str
    sentence: str
    document: str
    proof: str
    severity: Severity
    fix: str
    where: str
    settings: tuple[str, ...] = ()
    seed: bool = False
    waivable: bool = False
    severity_by_playbook: bool = False
    subject: Literal["customer", "account"] | None = None

    @model_validator(mode="after")
    def _a_seed_stands(self) -> Condition:
        if self.seed and (self.severity != "critical" or self.waivable or self.severity_by_playbook):
            raise ValueError("a condition of the source documents is critical, never waived and no playbook's to weigh")
        unknown = sorted(set(self.settings) - set(ReadinessLimits.model_fields))
        if unknown:
            raise ValueError(f"no setting {', '.join(unknown)}; there are {', '.join(ReadinessLimits.model_fields)}")
        return self


class _Conditions(Declared):
    conditions: dict[str, Condition] = Field(min_length=1)


@cache
def conditions() -> dict[str, Condition]:
    """Every condition by id, in the order a reader should meet them. Raises ``ConditionsError``."""
    text, _ = read_bytes(FILE, ConditionsError)
    return parse_declared(text, str(FILE), _Conditions, ConditionsError).conditions
