"""Whether the response of a segment says that its step of the incentive ladder should rise. It proposes; people decide.

Source: framework 003 (escalates based on response, protecting margins); METHODS.md section 2; decision records 0024 and
0028.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from reactivation.playbooks.model import Playbook
from reactivation.policy.rungs import RUNGS, top_of
from reactivation.policy.segments import UNIT
from reactivation.science.response import LEAST_SENT, Rungs, lower_uplift, rung_to_use

#: What is asked of a run's decisions.
MONEY_COLUMNS = ("business_segment", "average_order", "revenue_24m", "margin_24m")


@dataclass(frozen=True)
class Step:
    """What is known of one step in a segment. ``cost``: what its incentive costs when used, as a share of an order."""

    rung: str
    people: int
    came_back: int
    cost: float | None


@dataclass(frozen=True)
class Proposal:
    """Of one segment: its ``steps`` from none to the highest the playbook offers, the one it is at, the ``proposed``
    one, how ``sure`` one is that the next earns more, and the lower bound of p1 ÷ p0 of the step it is at, where both
    are known. ``because``: why nothing can be proposed."""

    segment: str
    steps: tuple[Step, ...]
    current: str
    proposed: str
    sure: float | None
    uplift: float | None
    because: str | None = None


def proposals(
    playbook: Playbook, responded: pa.Table, money: pd.DataFrame, offers: Mapping[str, Mapping[str, Any]], *,
    contact_cost: float, margin_floor: float,
) -> list[Proposal]:  # fmt: skip
    """A proposal for each segment of a playbook with an optimizer, by name; none for another.

    ``responded`` (segment, rung, first_at, bought_at) are people whose time is over, ``money`` a run's candidates
    (``MONEY_COLUMNS``, in ten-thousandths), ``offers`` the offers by id.
    """
    if playbook.optimizer is None:
        return []
    within = timedelta(days=playbook.measurement.compared_after_days)
    people = responded.to_pandas()
    people["back"] = (people["bought_at"] - people["first_at"]) <= within
    counted = {
        (str(segment), str(rung)): (len(back), int(back.sum()))
        for (segment, rung), back in people.groupby(["segment", "rung"])["back"]
    }
    found = []
    for segment, rung in sorted(playbook.optimizer.rungs.items()):
        order, margin = _order_and_margin(money[money["business_segment"] == segment])
        steps = tuple(
            Step(name, *counted.get((segment, name), (0, 0)), _cost(playbook, name, offers, order))
            for name in RUNGS[: top_of(playbook) + 1]
        )
        found.append(_proposal(segment, rung, steps, order, margin, contact_cost, margin_floor))
    return found


def _proposal(  # noqa: PLR0917  (one segment, told from its parts)
    segment: str, rung: str, steps: Sequence[Step], order: float | None, margin: float | None, contact_cost: float,
    margin_floor: float,
) -> Proposal:  # fmt: skip
    current = min(RUNGS.index(rung), len(steps) - 1)
    uplift = _uplift(steps[current - 1], steps[current]) if current else None
    known = Proposal(segment, tuple(steps), RUNGS[current], RUNGS[current], None, uplift)
    if order is None or margin is None or any(step.cost is None for step in steps):
        return _without(known, "what an order, its margin or an offer comes to is not known")
    costs = np.array([float(step.cost or 0) for step in steps])
    allowed = int(np.flatnonzero(costs <= max(margin - margin_floor, 0)).max(initial=0))
    rungs = Rungs(
        np.array([step.people for step in steps]), np.array([step.came_back for step in steps]),
        np.maximum.accumulate(costs), np.full(len(steps), contact_cost / order),
    )  # fmt: skip
    rise = rung_to_use(rungs, current, allowed, margin)
    if rise.sure is None and rise.rung == current < allowed:
        return _without(known, f"fewer than {LEAST_SENT} people whose time is over, on this step or on the next")
    return Proposal(segment, tuple(steps), RUNGS[current], RUNGS[rise.rung], rise.sure, uplift)


def _without(known: Proposal, because: str) -> Proposal:
    return Proposal(known.segment, known.steps, known.current, known.proposed, None, known.uplift, because)


def _uplift(below: Step, here: Step) -> float | None:
    if min(below.people, here.people) < LEAST_SENT:
        return None
    return lower_uplift(here.people, here.came_back, below.people, below.came_back)


def _order_and_margin(mine: pd.DataFrame) -> tuple[float | None, float | None]:
    """The average order and margin rate of a segment's candidates."""
    order = mine["average_order"].dropna()
    known = mine.dropna(subset=["margin_24m", "revenue_24m"])
    revenue = float(known["revenue_24m"].sum())
    return (
        float(order.mean()) / UNIT if len(order) else None,
        float(known["margin_24m"].sum()) / revenue if revenue > 0 else None,
    )


def _cost(
    playbook: Playbook, rung: str, offers: Mapping[str, Mapping[str, Any]], order: float | None
) -> float | None:  # fmt: skip
    """The dearest offer of a step, as a share of an order; None where one is not known."""
    mine = [touch.offer for touch in playbook.touches if touch.incentive == rung and touch.offer]
    if rung == RUNGS[0]:
        return 0.0
    if not mine or order is None or any(offer not in offers for offer in mine):
        return None
    told = [offers[offer] for offer in mine]
    return max(float(o["value"]) / 100 if o["kind"] == "percent" else float(o["unit_cost"]) / order for o in told)
