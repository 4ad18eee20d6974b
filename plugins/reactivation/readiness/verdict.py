"""The verdict on whether a run may proceed: one result per condition, and one paragraph that a marketer understands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

CRITICAL, WARNING, INFO = "critical", "warning", "info"


@dataclass(frozen=True)
class ConditionResult:
    """One condition, asked of one subject (a table, or a list such as ``candidates``).

    ``observed`` (what is wrong, or "as needed") and ``threshold`` are text for reading, with counts and codes only;
    ``affected`` counts the rows or customers concerned. ``broken`` says what went wrong with the check itself: then
    nothing is known of the data.
    """

    id: str
    subject: str
    why: str
    source: str
    observed: str
    threshold: str
    severity: str
    passed: bool
    affected: int
    fix: str
    broken: str | None = None

    @property
    def blocks(self) -> bool:
        """Whether a run may not proceed because of it: a critical condition that failed, or any broken check."""
        return self.broken is not None or (not self.passed and self.severity == CRITICAL)

    def __str__(self) -> str:
        if self.broken is not None:
            return f"The check itself failed, not the data ({self.id}, {self.subject}: {self.broken}). {self.fix}"
        found = self.observed[:1].upper() + self.observed[1:]
        return f"{found} ({self.id}, {self.subject}; needed: {self.threshold}). {self.why} {self.fix}"


@dataclass(frozen=True)
class Verdict:
    """What all conditions together say."""

    conditions: tuple[ConditionResult, ...]

    @property
    def ready(self) -> bool:
        return not self.blocking

    @property
    def blocking(self) -> tuple[ConditionResult, ...]:
        """The conditions because of which a run may not proceed."""
        return tuple(c for c in self.conditions if c.blocks)

    @property
    def remarks(self) -> tuple[ConditionResult, ...]:
        """What failed without blocking."""
        return tuple(c for c in self.conditions if not c.passed and not c.blocks)

    @property
    def message(self) -> str:
        """One paragraph: what blocks, how many rows, and the fix; or that nothing does."""
        if self.ready:
            return f"Ready: {len(self.conditions)} conditions asked, {_counted(self.remarks)} to look at."
        return f"Not ready. {' '.join(str(c) for c in self.blocking)}"

    def as_report(self) -> dict[str, Any]:
        """Plain values for ``readiness.json``: ids, codes and counts, nothing personal."""
        conditions = [asdict(c) | {"blocks": c.blocks} for c in self.conditions]
        return {"ready": self.ready, "message": self.message, "conditions": conditions}


def _counted(conditions: Iterable[ConditionResult]) -> str:
    return str(len(tuple(conditions)) or "none")
