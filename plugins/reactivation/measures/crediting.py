"""Which messages reactivations are put down to: the last one by default, by position and evenly beside it; and which
channels, by what would be lost without each.

Source: METHODS.md section 4; ``science.attribution``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from reactivation.measures.figures import NOT_ENOUGH, Figure, rounded, share
from reactivation.measures.windows import ATTRIBUTED_DAYS
from reactivation.science.attribution import Journeys, Moments, Rule, attribute, removal

#: The measure of each rule, the default first.
RULES: dict[str, Rule] = {
    "channel_attribution": "last", "position_attribution": "position", "linear_attribution": "linear",
}  # fmt: skip
NO_MESSAGE = "no message"
ONE_CHANNEL = "one channel only"
_WINDOW = timedelta(days=ATTRIBUTED_DAYS) // timedelta(microseconds=1)
_SMALLEST = Decimal("0.0001")

#: What is credited with something: the touch number, the channel, the currency; empty where no message is.
_Whose = tuple[int | None, str | None, str | None]


def credit(returned: pa.Table, paths: pa.Table) -> list[dict[str, Any]]:
    """One row per rule, touch_number, channel and currency: the ``reactivations`` credited, in shares of one, and their
    ``revenue``. Tables as the statements ``measured_returned`` and ``measured_paths`` give them.

    The revenue of one purchase is divided to the ledger's last decimal, what is left over to its last message, so that
    the parts add up to the whole under every rule.
    """
    amounts, currencies = returned["amount"].to_pylist(), returned["currency"].to_pylist()
    touch, channel = paths["touch_number"].to_pylist(), paths["channel"].to_pylist()
    bought, written = (
        Moments(table[name].to_numpy(), table["at"].to_numpy())
        for table, name in ((returned, "number"), (paths, "returned"))
    )
    rows = []
    for measure, rule in RULES.items():
        found = attribute(bought, written, _WINDOW, rule)
        parts: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for which, message, part in zip(found.reactivation, found.touch, found.share, strict=True):
            parts[int(which)].append((int(message), float(part)))
        total: dict[_Whose, list[Any]] = defaultdict(lambda: [0.0, None])
        for which, (amount, currency) in enumerate(zip(amounts, currencies, strict=True)):
            mine = parts[which]
            whose = [(touch[message], channel[message], currency) for message, _ in mine] or [(None, None, currency)]
            shares = [part for _, part in mine] or [1.0]
            for one, part, money in zip(whose, shares, _divided(amount, shares), strict=True):
                total[one][0] += part
                total[one][1] = _sum(total[one][1], money)
        rows += [
            {"measure": measure, "touch_number": one[0], "channel": one[1], "currency": one[2],
             "reactivations": total[one][0], "revenue": total[one][1]}
            for one in sorted(total, key=_in_order)
        ]  # fmt: skip
    return rows


def credit_figures(credits: list[dict[str, Any]]) -> list[Figure]:
    """Every rule's figures by touch, then by channel; of all reactivations."""
    figures = []
    for measure, rule in RULES.items():
        mine = [row for row in credits if row["measure"] == measure]
        whole = round(sum(row["reactivations"] for row in mine))
        named = [(_touch(row), row) for row in mine]
        named += [(row["channel"], row) for row in mine if row["channel"] is not None]
        summed: dict[tuple[str, str | None], list[Any]] = defaultdict(lambda: [0.0, None])
        for part, row in named:
            here = summed[part, row["currency"]]
            here[0] += row["reactivations"]
            here[1] = _sum(here[1], row["revenue"])
        for (part, currency), (count, revenue) in summed.items():
            figure = share(measure, round(count), whole, part) if rule == "last" else _part(measure, part, count, whole)
            figures.append(replace(figure, amount=revenue, currency=currency))
    return figures


def removal_figures(journeys: list[dict[str, Any]]) -> list[Figure]:
    """Each channel's share of the reactivations by what would be lost without it, which is its ``note``; rows as the
    statement ``measured_journeys`` counts them."""
    measure = "markov_attribution"
    channels = sorted({channel for row in journeys for channel in row["channels"]})
    numbers = {channel: number for number, channel in enumerate(channels)}
    returned, lost = (np.array([row[name] for row in journeys], np.int64) for name in ("returned", "lost"))
    steps = [(which, numbers[channel]) for which, row in enumerate(journeys) for channel in row["channels"]]
    which, channel = np.array(steps, np.int64).reshape(-1, 2).T
    found = removal(Journeys(which, channel, returned, lost))
    back = int(returned.sum())
    if found is None:
        return [Figure(measure, of=back, note=ONE_CHANNEL if len(channels) == 1 else NOT_ENOUGH)]
    return [
        Figure(measure, name, of=back, rate=rounded(part), note=f"{effect:.1%} fewer without it")
        for name, effect, part in zip(channels, found.effect.tolist(), found.share.tolist(), strict=True)
    ]


def _part(measure: str, part: str, count: float, whole: int) -> Figure:
    """A sum of shares has no count, and nobody knows how sure it is."""
    return Figure(measure, part, of=whole, rate=rounded(count / whole))


def _touch(row: dict[str, Any]) -> str:
    return NO_MESSAGE if row["touch_number"] is None else f"touch {row['touch_number']}, {row['channel']}"


def _divided(amount: Decimal | None, shares: list[float]) -> list[Decimal | None]:
    if amount is None:
        return [None] * len(shares)
    parts = [(amount * Decimal(str(part))).quantize(_SMALLEST) for part in shares[:-1]]
    return [*parts, amount - sum(parts, Decimal(0))]


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if one is None else one if other is None else one + other


def _in_order(whose: _Whose) -> tuple[Any, ...]:
    """By touch, channel and currency; what is empty comes last."""
    return tuple((value is None, value) if value is not None else (True, 0) for value in whose)
