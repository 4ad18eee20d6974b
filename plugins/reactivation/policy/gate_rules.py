"""The rules of ``include/rules/gates.yaml``: the gate ladder in the words of a reviewer.

What each gate asks, the sentences of the source documents it stands for, what its no leads to, and what each of its
results means. The gates decide (``gates``); this says what they decided, and nothing is decided by it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from reactivation.playbooks.words import Declared
from reactivation.policy.decisions import GATES, Outcome

Result = Annotated[str, StringConstraints(pattern=r"^(fail|review|drop):[a-z]+([_:][a-z0-9]+)*$")]


class Source(Declared):
    """A sentence of a source document, word for word, and under which heading of which document it stands."""

    sentence: str = Field(min_length=1)
    document: str = Field(pattern=r"^00[0-3], .+$")

    def __str__(self) -> str:
        return f"“{self.sentence}” ({self.document})"


class GateRule(Declared):
    """One gate. ``results`` are all it can give beside ``pass``, each with what it means."""

    question: str = Field(min_length=1)
    on_no: Outcome
    leads_to: str = Field(min_length=1)
    sources: tuple[Source, ...] = Field(min_length=1)
    results: dict[Result, str] = Field(min_length=1)


class ReviewRule(Declared):
    """What asks for a person, or sends an account another way, although no gate does."""

    meaning: str = Field(min_length=1)
    sources: tuple[Source, ...] = Field(min_length=1)


class GateRules(Declared):
    """``gates.yaml``."""

    version: str
    gates: dict[str, GateRule]
    any_gate: dict[Result, str]
    reviews: dict[str, ReviewRule]
    paths: dict[str, ReviewRule]

    @field_validator("gates")
    @classmethod
    def _are_the_ladder(cls, gates: dict[str, GateRule]) -> dict[str, GateRule]:
        if tuple(gates) != GATES:
            raise ValueError(f"found {', '.join(gates)}; expected the gates of the ladder in order: {', '.join(GATES)}")
        return gates

    def meaning(self, gate: str, result: str) -> str:
        """What a gate's result means. One that was given under other rules may not be among these, and says so."""
        known = {**self.any_gate, **self.gates[gate].results}
        return known.get(result, "is not among the results of these rules")
