"""The conditions of a readiness report as a reader meets them: each with its sentence, its checks and what came of it.

A condition is asked of several tables, so it has several checks, and is as bad as the worst of them. What was declared
but not asked, and what a report of another version asked that is no longer declared, both stand there too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reactivation.readiness.conditions import Condition, conditions
from reactivation.readiness.verdict import INFO
from reactivation.web.reasons import words
from reactivation.web.trend import Trend, figure_text, trend_of

#: What may come of a check, the worst first, and what a reader is told.
OUTCOMES = {
    "broken": "check broken",
    "stops": "stops the run",
    "waived": "waived",
    "held_back": "rows held back",
    "reported": "reported only",
    "passed": "passed",
    "not_asked": "not asked",
}
#: The parts of the page, in their order, with the outcomes each is about.
_GROUPS = {
    "stops": ("broken", "stops", "waived"),
    "held_back": ("held_back",),
    "passed": ("passed",),
    "reported": ("reported",),
    "not_asked": ("not_asked",),
}


@dataclass(frozen=True)
class Check:
    """One check: a condition asked of one table or list. ``rows``: how many rows the report names for its subject."""

    subject: str
    asked: str
    outcome: str
    severity: str
    threshold: str
    observed: str
    figure: str | None
    trend: Trend
    affected: int
    rows: int
    fix: str
    why: str
    source: str
    broken: str | None


@dataclass(frozen=True)
class ConditionShown:
    """One condition with its checks. ``declared`` is ``None`` where this version does not know it."""

    id: str
    declared: Condition | None
    checks: Sequence[Check]

    @property
    def title(self) -> str:
        return self.declared.title if self.declared else words(self.id).capitalize()

    @property
    def outcome(self) -> str:
        """The worst of its checks."""
        return next((one for one in OUTCOMES if any(check.outcome == one for check in self.checks)), "not_asked")

    @property
    def telling(self) -> Sequence[Check]:
        """The checks because of which it is not passed; all of them when it is."""
        return [check for check in self.checks if check.outcome == self.outcome]

    @property
    def followed(self) -> Check | None:
        """The check whose line is looked at first: of the telling ones that which moved most, for the longest time."""
        return max(self.telling, key=lambda one: (len(one.trend.figures), len(set(one.trend.figures))), default=None)

    @property
    def rows(self) -> int:
        """How many rows are named for it."""
        return sum({check.subject: check.rows for check in self.checks}.values())

    @property
    def affected(self) -> int:
        """How many rows or customers it concerns: each table counts once."""
        most: dict[str, int] = {}
        for check in self.checks:
            most[check.subject] = max(check.affected, most.get(check.subject, 0))
        return sum(most.values())


def shown(
    asked: Iterable[Mapping[str, Any]], *, waived: Collection[str], earlier: Sequence[Mapping[str, str]],
    rows: Mapping[tuple[str, str], int],
) -> list[ConditionShown]:  # fmt: skip
    """Every condition in the order of ``conditions.yaml``, then those it does not have.

    ``asked``: the checks as the report has them; ``waived``: conditions compliance lets pass; ``earlier``: figures of
    earlier runs, the last first; ``rows``: how many rows are named, by condition and subject.
    """
    checks: dict[str, list[Check]] = {name: [] for name in conditions()}
    for one in asked:
        checks.setdefault(one["id"], []).append(_check(one, waived, earlier, rows))
    return [ConditionShown(name, conditions().get(name), tuple(made)) for name, made in checks.items()]


def grouped(found: Sequence[ConditionShown]) -> dict[str, list[ConditionShown]]:
    """The parts of the page that have a condition in them."""
    parts = {name: [one for one in found if one.outcome in outcomes] for name, outcomes in _GROUPS.items()}
    return {name: part for name, part in parts.items() if part}


def _check(
    one: Mapping[str, Any], waived: Collection[str], earlier: Sequence[Mapping[str, str]],
    rows: Mapping[tuple[str, str], int],
) -> Check:  # fmt: skip
    column, share = one.get("column"), bool(one.get("is_share"))
    figure = None if one.get("figure") is None else Decimal(one["figure"])
    return Check(
        subject=one["subject"],
        asked=words(column or "rows"),
        outcome=_outcome(one, waived),
        severity=one["severity"],
        threshold=one["threshold"],
        observed=one["observed"],
        figure=None if figure is None else _figure(figure, column or "", share=share),
        trend=trend_of(earlier, one.get("question", ""), figure, share=share),
        affected=one["affected"],
        rows=rows.get((one["id"], one["subject"]), 0),
        fix=one["fix"],
        why=one["why"],
        source=one["source"],
        broken=one.get("broken"),
    )


def _outcome(one: Mapping[str, Any], waived: Collection[str]) -> str:
    if one.get("broken") is not None:
        return "broken"
    if one["passed"]:
        return "passed"
    if one["blocks"]:
        return "waived" if one["id"] in waived else "stops"
    return "reported" if one["severity"] == INFO else "held_back"


def _figure(figure: Decimal, column: str, *, share: bool) -> str:
    """What the figure says: a share is either the column's own value or of the rows that fail."""
    told = figure_text(figure, share)
    return f"{told} of rows fail" if share and not column.endswith("_share") else told
