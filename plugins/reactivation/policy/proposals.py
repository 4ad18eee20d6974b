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
from reactivation.policy.rungs import ladder_of, place_on
from reactivation.policy.segments import UNIT
from reactivation.science.response import LEAST_SENT, Rungs, lower_uplift, rung_to_use

#: What is asked of a run's decisions.
MONEY_COLUMNS = ("business_segment", "currency", "average_order", "revenue_24m", "margin_24m")


@dataclass(frozen=True)
class Step:
    """What is known of one step in a segment. ``cost``: what its incentive costs when used, as a share of an order."""

    rung: str
    people: int
    came_back: int
    cost: float | None


@dataclass(frozen=True)
class _Money:
    """What an order of a segment comes to, and its margin rate, in the currency of most of its people: amounts of
    different money are never added. None where it is not known."""

    currency: str | None
    order: float | None
    margin: float | None


@dataclass(frozen=True)
class Proposal:
    """Of one segment: its ``steps`` (``rungs.ladder_of``), the one it is at, the ``proposed``
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
    (``MONEY_COLUMNS``, in ten-thousandths), ``offers`` the whole offers by id (``touch_offers.whole_offers``).
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
        known, ladder = _money(money[money["business_segment"] == segment]), ladder_of(playbook)
        steps = tuple(
            Step(name, *counted.get((segment, name), (0, 0)), _cost(playbook, name, offers, known)) for name in ladder
        )
        found.append(_proposal(segment, place_on(ladder, rung), steps, known, contact_cost, margin_floor))
    return found


def _proposal(  # noqa: PLR0917  (one segment, told from its parts)
    segment: str, current: int, steps: Sequence[Step], money: _Money, contact_cost: float, margin_floor: float
) -> Proposal:
    here, order, margin = steps[current].rung, money.order, money.margin
    uplift = _uplift(steps[current - 1], steps[current]) if current else None
    known = Proposal(segment, tuple(steps), here, here, None, uplift)
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
    return Proposal(segment, tuple(steps), here, steps[rise.rung].rung, rise.sure, uplift)


def _without(known: Proposal, because: str) -> Proposal:
    return Proposal(known.segment, known.steps, known.current, known.proposed, None, known.uplift, because)


def _uplift(below: Step, here: Step) -> float | None:
    if min(below.people, here.people) < LEAST_SENT:
        return None
    return lower_uplift(here.people, here.came_back, below.people, below.came_back)


def _money(mine: pd.DataFrame) -> _Money:
    """The average order and margin rate of a segment's candidates; of two currencies that are as frequent, of the first
    by name."""
    currency = next(iter(sorted(mine["currency"].mode())), None)
    same = mine[mine["currency"] == currency]
    orders, known = same["average_order"].dropna(), same.dropna(subset=["margin_24m", "revenue_24m"])
    order = float(orders.mean()) / UNIT if len(orders) else 0.0
    revenue = float(known["revenue_24m"].sum())
    margin = float(known["margin_24m"].sum()) / revenue if revenue > 0 else None
    return _Money(currency, order if order > 0 else None, margin)


def _cost(
    playbook: Playbook, rung: str, offers: Mapping[str, Mapping[str, Any]], money: _Money
) -> float | None:  # fmt: skip
    """The dearest offer of a step, as a share of an order, 0 where there is none; None where it is not known, as of an
    offer in other money."""
    mine = [offers.get(touch.offer) for touch in playbook.touches if touch.incentive == rung and touch.offer]
    costs = [None if offer is None else _share_of_order(offer, money) for offer in mine]
    known = [cost for cost in costs if cost is not None]
    return max(known, default=0.0) if len(known) == len(costs) else None


def _share_of_order(offer: Mapping[str, Any], money: _Money) -> float | None:
    if offer["kind"] == "percent":
        return float(offer["value"]) / 100
    if money.order is None or offer["currency"] not in {None, money.currency}:
        return None
    return float(offer["unit_cost"]) / money.order
