"""The verdict on whether a run may proceed: one result per condition, and one paragraph that a marketer understands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

import pyarrow as pa

from reactivation.readiness.answered import Said
from reactivation.readiness.conditions import conditions

CRITICAL, WARNING, INFO = "critical", "warning", "info"


@dataclass(frozen=True)
class ConditionResult:
    """One condition, asked of one subject (a table, or a list such as ``candidates``).

    ``observed`` (what is wrong, or "as needed") and ``threshold`` are text for reading, with counts and codes only;
    ``affected`` counts the rows or customers concerned; ``column`` is what was asked about (rows when null), ``figure``
    the one number to follow from run to run, a share when ``is_share``. ``broken`` says what went wrong with the check
    itself: then nothing is known of the data.
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
    column: str | None = None
    figure: Decimal | None = None
    is_share: bool = False
    broken: str | None = None

    @property
    def question(self) -> str:
        """What was asked, the same from run to run: subject, condition and what is counted."""
        return f"{self.subject}:{self.id}:{self.column or 'rows'}"

    @property
    def waivable(self) -> bool:
        """Whether compliance may let a run go on all the same: never where a check itself failed."""
        return self.broken is None and conditions()[self.id].waivable

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
    """What all conditions together say; the rows concerned (condition, severity, subject, key: ids only); and by suite
    what Great Expectations said, for its own pages."""

    conditions: tuple[ConditionResult, ...]
    rows: pa.Table = field(default_factory=lambda: pa.table({}), repr=False, compare=False)
    said: Mapping[str, Said] = field(default_factory=dict, repr=False, compare=False)

    @property
    def ready(self) -> bool:
        return not self.blocking

    @property
    def blocking(self) -> tuple[ConditionResult, ...]:
        """The conditions because of which a run may not proceed."""
        return tuple(c for c in self.conditions if c.blocks)

    @property
    def waivable(self) -> Collection[str]:
        """The conditions that block, if every one of them may be waived; else none."""
        ids = sorted({one.id for one in self.blocking})
        return ids if all(one.waivable for one in self.blocking) else []

    @property
    def remarks(self) -> tuple[ConditionResult, ...]:
        """What failed without blocking: the rows concerned are held back."""
        return tuple(c for c in self.conditions if not c.passed and not c.blocks and c.severity == WARNING)

    @property
    def notes(self) -> tuple[ConditionResult, ...]:
        """What is only reported."""
        return tuple(c for c in self.conditions if not c.passed and not c.blocks and c.severity == INFO)

    @property
    def message(self) -> str:
        """One paragraph: what blocks, how many rows, and the fix; or that nothing does."""
        if self.ready:
            return f"Ready: {len(self.conditions)} checks made, {_counted(self.remarks)} to look at."
        return f"Not ready. {' '.join(str(c) for c in self.blocking)}"

    def as_report(self) -> dict[str, Any]:
        """Plain values for ``readiness.json``: ids, codes and counts, nothing personal."""
        told = [
            asdict(c) | {"blocks": c.blocks, "waivable": c.waivable, "question": c.question} for c in self.conditions
        ]
        return {"ready": self.ready, "message": self.message, "conditions": told}


def _counted(conditions: Iterable[ConditionResult]) -> str:
    return str(len(tuple(conditions)) or "none")
