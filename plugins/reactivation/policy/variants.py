"""The touches of people of different variants: each planned as if the playbook were what their variant makes of it.

The offer of a variant is never more than the touch's own: by that one the margin guard judges everybody, so chance only
ever withholds. Source: METHODS.md section 2 (exploration only ever withholds a step).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.playbooks.model import Playbook
from reactivation.policy.sequence import plan_sequence
from reactivation.policy.timing import TimingRules

#: What of an offer must be no more than of the one it takes the place of, and what must be the same.
_NO_MORE = ("value", "unit_cost", "margin_floor")
_SAME = ("kind", "currency")


def plan_variants(  # noqa: PLR0917  (what ``plan_sequence`` is asked, and one column)
    people: pa.Table, variants: pa.ChunkedArray, playbook: Playbook, offers: pa.Table, rules: TimingRules, now: datetime
) -> pa.Table:
    """``plan_sequence`` of people whose ``variants`` stand beside them; who has none is planned for as it stands."""
    parts = []
    for way, mine in _ways(playbook, variants):
        some = people if mine is None else people.filter(mine)
        if some.num_rows:
            parts.append(plan_sequence(some, way, without_larger(offers, way, playbook), rules, now))
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return plan_sequence(people, playbook, offers, rules, now)
    return pa.concat_tables(parts).sort_by([("customer_id", "ascending"), ("number", "ascending")])


def without_larger(offers: pa.Table, way: Playbook, playbook: Playbook) -> pa.Table:
    """``offers`` without those that ``way`` has in the place of a smaller or another one: such a touch is skipped."""
    by_id = {row["offer_id"]: row for row in offers.to_pylist()}
    larger = [
        theirs.offer
        for theirs, own in zip(way.touches, playbook.touches, strict=True)
        if theirs.offer != own.offer and why_larger(by_id.get(theirs.offer or ""), by_id.get(own.offer or ""))
    ]
    if not larger:
        return offers
    return offers.filter(pc.invert(pc.is_in(offers["offer_id"], pa.array(larger, pa.string()))))


def why_larger(offer: Mapping[str, Any] | None, own: Mapping[str, Any] | None) -> str | None:
    """Which column of ``offer`` forbids it in the place of the touch's ``own``; ``None`` where it may stand there."""
    if offer is None or own is None:
        return "offer_id"
    named = [name for name in _NO_MORE if name in own]
    other = [name for name in _SAME if offer[name] != own[name]]
    larger = [name for name in named if offer[name] is None or own[name] is None or offer[name] > own[name]]
    return next(iter([*other, *larger]), None)


def _ways(playbook: Playbook, variants: pa.ChunkedArray) -> list[tuple[Playbook, pa.ChunkedArray | None]]:
    ways = playbook.changed
    if not ways:
        return [(playbook, None)]
    names = pc.fill_null(variants, playbook.control or "")
    return [(playbook, pc.equal(names, "")), *((playbook.of_variant(name), pc.equal(names, name)) for name in ways)]
