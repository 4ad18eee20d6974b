"""Seeded simulations: what a rule of the room does over many streams or populations whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reactivation.science.harm import STOP_AT, log_e_harm
from reactivation.science.histories import Histories
from reactivation.science.purchasing import Purchasing
from reactivation.science.response import Rungs, rung_to_use, shares
from reactivation.science.scoring import HORIZON_DAYS, HeldOut
from reactivation.science.sequential import ALPHA, log_e_worse

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def company(truth: Purchasing, customers: int, seed: int, *, days: int = 730) -> tuple[Histories, HeldOut]:
    """Customers acquired over two years who buy and leave as a model says: their histories now, and as known 90 days
    ago, when all of them had bought."""
    dice = np.random.default_rng(seed)
    rate, leaves = dice.gamma(truth.r, 1 / truth.alpha, customers), dice.beta(truth.a, truth.b, customers)
    age = dice.integers(HORIZON_DAYS + 1, days, customers)
    frequency, last = np.zeros((2, customers), dtype=np.int64), np.zeros((2, customers), dtype=np.int64)
    returned, at = np.zeros(customers, dtype=bool), np.zeros(customers)
    stays = dice.random(customers) > leaves
    buying = np.flatnonzero(stays | (truth.model == "bg_nbd"))
    while len(buying):
        # Purchases of one day are one occasion: the next one is at least a day later.
        at[buying] += np.maximum(dice.exponential(1 / rate[buying]), 1)
        buying = buying[at[buying] < age[buying]]
        day = at[buying].astype(np.int64)
        by_then = day <= age[buying] - HORIZON_DAYS
        for known, who in enumerate((buying[by_then], buying)):
            frequency[known, who] += 1
            last[known, who] = at[who].astype(np.int64)
        returned[buying[~by_then]] = True
        buying = buying[dice.random(len(buying)) > leaves[buying]]
    then = Histories(frequency[0], last[0], age - HORIZON_DAYS)
    return Histories(frequency[1], last[1], age), HeldOut(then, returned)


@dataclass(frozen=True)
class Paused:
    """Of all streams, the share that was paused by each test when it was looked at every day."""

    monitor: float
    naive: float


def peeked(
    seed: int, streams: int, *, base: float, variant: float, days: int = 28, a_day: int = 200, variants: int = 1
) -> Paused:
    """A variant against its control, both with ``a_day`` people a day; the share of streams paused on any day.

    With several ``variants``, all as good as that one, a stream is paused when any of them is.
    """
    dice = np.random.default_rng(seed)
    control = dice.binomial(a_day, base, (streams, days)).cumsum(axis=1)
    monitor, naive = np.zeros(streams, dtype=bool), np.zeros(streams, dtype=bool)
    people = a_day * np.arange(1, days + 1)
    for _ in range(variants):
        treated = dice.binomial(a_day, variant, (streams, days)).cumsum(axis=1)
        evidence = log_e_worse(treated, control, 0.5)
        monitor |= (evidence >= np.log(variants / ALPHA)).any(axis=1)
        pooled = (treated + control) / (2 * people)
        z = (treated - control) / people / np.sqrt(pooled * (1 - pooled) * 2 / people)
        naive |= (z < -NAIVE_Z).any(axis=1)
    return Paused(float(monitor.mean()), float(naive.mean()))


#: One-sided, .05.
NAIVE_Z = 1.6448536269514722


@dataclass(frozen=True)
class Tripped:
    """Of all streams, the share stopped by evidence, and the share in which the observed rate exceeded the limit."""

    evidence: float
    observed: float


def harmed(seed: int, streams: int, *, true: float, limit: float, looks: int = 100, a_look: int = 200) -> Tripped:
    """Streams of sends with a true rate of harm, looked at after every ``a_look`` sends."""
    dice = np.random.default_rng(seed)
    events = dice.binomial(a_look, true, (streams, looks)).cumsum(axis=1)
    sends = a_look * np.arange(1, looks + 1)
    evidence = log_e_harm(events, np.broadcast_to(sends, events.shape), limit)
    return Tripped(
        float((evidence >= np.log(STOP_AT)).any(axis=1).mean()),
        float((events > limit * sends)[:, sends >= 2_000].any(axis=1).mean()),
    )


#: How many convert at each rung: without an incentive, and with one that costs 5, 10 and 20 % of an order.
RESPONSES = {
    "flat": (0.050, 0.051, 0.052, 0.053),
    "moderate": (0.050, 0.062, 0.076, 0.092),
    "strong": (0.050, 0.075, 0.110, 0.180),
}
COSTS = (0.0, 0.05, 0.10, 0.20)
MARGIN, FLOOR = 0.40, 0.10


@dataclass(frozen=True)
class Course:
    """What a policy came to: ``profit`` and ``discount`` in orders, the ``deepest`` discount it gave, the last rung."""

    profit: float
    discount: float
    deepest: float
    rung: int


Choose = Callable[[Whole, Whole, np.random.Generator], Floats]


def course(seed: int, response: tuple[float, ...], choose: Choose, *, batches: int = 40, people: int = 1_000) -> Course:
    """A population treated in batches. ``choose`` tells, from what each rung was sent and how many converted, the share
    of the next batch for each rung; profit counts what was expected, so that only choices differ."""
    dice = np.random.default_rng(seed)
    costs, truth = np.array(COSTS), np.array(response)
    sent, converted = np.zeros(len(costs), dtype=np.int64), np.zeros(len(costs), dtype=np.int64)
    profit = discount = deepest = 0.0
    for _ in range(batches):
        share = choose(sent, converted, dice)
        given = dice.multinomial(people, share)
        converted = converted + dice.binomial(given, truth)
        sent = sent + given
        profit += float(given @ (truth * (MARGIN - costs)))
        discount += float(given @ (truth * costs))
        deepest = max(deepest, float(costs[given > 0].max()))
    return Course(profit, discount, deepest, int(np.argmax(share)))


def minimum_first(explored: float, floor: float = FLOOR) -> Choose:
    """The policy of ``response``: from no incentive upwards, ``explored`` of the people on each rung beside it."""
    allowed = [cost for cost in COSTS if cost <= MARGIN - floor + 1e-12]
    costs, current = np.array(allowed), 0

    def choose(sent: Whole, converted: Whole, _: np.random.Generator) -> Floats:
        nonlocal current
        rungs = Rungs(sent[: len(costs)], converted[: len(costs)], costs, np.zeros(len(costs)))
        current = rung_to_use(rungs, current, len(costs) - 1, MARGIN).rung
        within = shares(current, len(costs) - 1, explored)
        return np.r_[within, np.zeros(len(COSTS) - len(within))]

    return choose


def thompson(sent: Whole, converted: Whole, dice: np.random.Generator) -> Floats:
    """Each person gets the rung whose profit is highest under a draw of their own from uniform-prior posteriors."""
    costs = np.array(COSTS)
    drawn = dice.beta(1 + converted, 1 + sent - converted, (1_000, len(costs))) * (MARGIN - costs)
    share: Floats = np.bincount(drawn.argmax(axis=1), minlength=len(costs)) / len(drawn)
    return share


def best_fixed(response: tuple[float, ...], *, batches: int = 40, people: int = 1_000) -> float:
    """The profit of the best rung for everybody, from the truth, among those within the margin floor."""
    costs, truth = np.array(COSTS), np.array(response)
    return float((truth * (MARGIN - costs))[costs <= MARGIN - FLOOR + 1e-12].max() * batches * people)
