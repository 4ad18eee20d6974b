"""How a gate is asked alone: by people who differ from a plain one in what it looks at. Each gate has a module here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module

from tests.policy.people import Row, stories

from reactivation.policy.decisions import DECISION_VALUES, GATES, NEXT_ACTIONS, REVIEW_FLAGS

#: How somebody differs, the gate's result, the decision, the decisive reason, the next best action.
Case = tuple[Row, str, str, str, str]


#: The gates whose noes lead to a decision; of the two before them a no makes nobody a candidate.
_ASKED = GATES[2:]


def every_case() -> dict[str, Case]:
    """The cases of all gates."""
    modules = (import_module(f"tests.policy.gates.test_{gate}") for gate in _ASKED)
    return {name: case for module in modules for name, case in module.CASES.items()}


@dataclass(frozen=True)
class Stories:
    """The cases of one gate, decided together."""

    gate: str
    cases: Mapping[str, Case]

    @cached_property
    def rows(self) -> dict[str, Row]:
        return stories({name: case[0] for name, case in self.cases.items()})

    def check(self, story: str) -> None:
        """One case came out as it says, in declared words, with a channel for exactly those who may be enrolled."""
        _, result, decision, reason, action = self.cases[story]
        row = self.rows[story]
        assert (row[f"gate_{self.gate}"], row["decision"]) == (result, decision)
        assert row["reason_codes"][:1] == ([reason] if reason else [])
        assert row["next_best_action"] == action
        assert row["decision"] in DECISION_VALUES
        assert row["next_best_action"] in NEXT_ACTIONS
        assert set(row["review_flags"]) <= set(REVIEW_FLAGS)
        assert all(row[f"gate_{gate}"] for gate in GATES)
        assert (row["recommended_channel"] == "email") == (row["decision"] in ("enrol", "review"))
