"""What reactivation added: everybody assigned to treatment against the holdout.

Source: METHODS.md sections 4 and 5; ``science.incrementality``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import pyarrow as pa

from reactivation import paths
from reactivation.evidence import open_engine
from reactivation.measures.counting import Row
from reactivation.measures.figures import Figure, ends, rounded, share
from reactivation.science.incrementality import Group, Increment, increment, incremental_efficiency

MEASURE = "incremental_reactivations"
NO_HOLDOUT, NO_TREATMENT = "nobody is held out", "everybody is held out"


@dataclass(frozen=True)
class Compared:
    """``groups``: rows of ``measured_compared``; ``money``: rows of ``measured_compared_money``; ``share``: what the
    playbook means to hold out, between 0 and 1."""

    groups: list[Row]
    money: list[Row]
    share: float

    def group(self, *, held_out: bool) -> Group:
        """All who were assigned to one of the two."""
        return _group(self.groups, held_out=held_out)


def count_compared(
    assigned: pa.Table, bought: pa.Table, *, holdout_share: float, reactivated_days: int, now: datetime
) -> Compared:
    """What those assigned did; tables as ``ledger.compared`` gives them."""
    window = {"reactivated_days": reactivated_days, "now": now}
    with open_engine() as engine:
        engine.register("assigned", assigned)
        engine.register("bought", bought)
        groups, money = (
            engine.sql(paths.sql(name), params=window).to_arrow_table().to_pylist()
            for name in ("measured_compared", "measured_compared_money")
        )
    return Compared(groups, money, holdout_share)


def comparison_figures(compared: Compared) -> list[Figure]:
    """The figures of ``group_figures``; then the difference by cohort."""
    return [*group_figures(compared), *(_by_cohort(compared) if 0 < compared.share < 1 else ())]


def group_figures(compared: Compared) -> list[Figure]:
    """The difference of the two rates, what it is made of and how sure one can be of it."""
    if not 0 < compared.share < 1:
        return [Figure(MEASURE, note=NO_TREATMENT if compared.share else NO_HOLDOUT)]
    treated, holdout = (compared.group(held_out=held_out) for held_out in (False, True))
    found = increment(treated, holdout, compared.share)
    people = treated.assigned + holdout.assigned
    unfinished = sum(row["unfinished"] for row in compared.groups)
    begun = sum(row["begun"] for row in compared.groups)
    seen = f"{unfinished:,} of {people:,} not yet seen to the end of their window" if unfinished else None
    whole = _difference(found, treated, holdout, note=_joined([found.note, seen]))
    return [
        whole,
        share(MEASURE, treated.returned, treated.assigned, "assigned to treatment", f"{begun:,} enrolled"),
        share(MEASURE, holdout.returned, holdout.assigned, "held out"),
        _added(found, treated),
        Figure(MEASURE, "smallest difference that would show", of=people, rate=_maybe(found.smallest)),
        replace(
            share(MEASURE, holdout.assigned, people, "share held out"),
            note=f"meant {compared.share:.1%}, p = {found.sample_ratio_p:.3f}" if people else None,
        ),
    ]  # fmt: skip


def added_efficiency(compared: Compared, offers: Iterable[Row]) -> list[Figure]:
    """Revenue added ÷ the cost of all redemptions, by currency; ``offers``: rows of ``measured_offers``.

    A code that somebody used who would have bought anyway costs as much as another, so all of them count.
    """
    if not 0 < compared.share < 1:
        return []
    treated, holdout = (compared.group(held_out=held_out) for held_out in (False, True))
    spent = {(row["held_out"], row["currency"]): row["amount"] or Decimal(0) for row in compared.money}
    costs: dict[str, Decimal] = {}
    unknown: Counter[str] = Counter()
    for row in offers:
        if row["cost"]:
            costs[row["currency"]] = costs.get(row["currency"], Decimal(0)) + row["cost"]
        unknown[row["currency"]] += row["cost_unknown"]
    inconclusive = increment(treated, holdout, compared.share).note
    figures = []
    for currency, cost in sorted(costs.items()):
        revenue, others = (spent.get((held_out, currency), Decimal(0)) for held_out in (False, True))
        rate = incremental_efficiency(float(revenue), treated, float(others), holdout, float(cost))
        note = _joined([inconclusive, f"cost of {unknown[currency]} unknown" if unknown[currency] else None])
        added = revenue - others * treated.assigned / holdout.assigned if holdout.assigned else None
        figures.append(
            Figure(
                "incentive_efficiency", "added, all offers", rate=_maybe(rate), cost=cost, currency=currency, note=note,
                amount=None if added is None else added.quantize(Decimal("0.0001")),
            )
        )  # fmt: skip
    return figures


def _by_cohort(compared: Compared) -> Iterable[Figure]:
    """One difference per week in which people were assigned."""
    for week in sorted({row["week"] for row in compared.groups}):
        rows = [row for row in compared.groups if row["week"] == week]
        treated, holdout = (_group(rows, held_out=held_out) for held_out in (False, True))
        found = increment(treated, holdout, compared.share)
        of_treated, of_holdout = (f"{group.returned:,} of {group.assigned:,}" for group in (treated, holdout))
        groups = f"{of_treated} against {of_holdout} held out"
        yield replace(_difference(found, treated, holdout, note=_joined([found.note, groups])), by=f"week of {week}")


def _difference(found: Increment, treated: Group, holdout: Group, *, note: str | None) -> Figure:
    low, high = ends(found.interval)
    people = treated.assigned + holdout.assigned
    return Figure(MEASURE, of=people, rate=_maybe(found.difference), low=low, high=high, note=note)


def _added(found: Increment, treated: Group) -> Figure:
    """Customers who would not have come back otherwise; not one is made up where nothing can be compared."""
    part = "customers added"
    if found.customers is None or found.interval is None:
        return Figure(MEASURE, part, note=found.note)
    low, high = (end * treated.assigned for end in (found.interval.low, found.interval.high))
    of_all = None if found.share is None or found.share < 0 else f"{found.share:.1%} of those who came back"
    return Figure(
        MEASURE, part, round(found.customers), note=_joined([f"{low:,.1f} to {high:,.1f}", of_all, found.note])
    )


def _group(rows: Iterable[Row], *, held_out: bool) -> Group:
    mine = [row for row in rows if row["held_out"] is held_out]
    return Group(sum(row["assigned"] for row in mine), sum(row["returned"] for row in mine))


def _maybe(rate: float | None) -> float | None:
    return None if rate is None else rounded(rate)


def _joined(notes: Iterable[str | None]) -> str | None:
    return "; ".join(note for note in notes if note) or None
