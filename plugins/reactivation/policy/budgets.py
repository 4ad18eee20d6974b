"""Which planned touches the offers' budgets and codes carry, across customers, the best rank first.

Source: PLAYBOOKS.md, section 1 (incentive optimizer); METHODS.md section 2 (minimum first).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import WHOLE
from reactivation.playbooks.model import Playbook
from reactivation.policy.arrays import first_reason, flat
from reactivation.policy.sequence import PLANNED, SKIPPED
from reactivation.policy.touch_offers import NOT_TRIED, Skips, beyond_budget, steps_below


def within_budget(
    plan: pa.Table, ranks: np.ndarray, playbook: Playbook, offers: pa.Table, outstanding: Mapping[str, int]
) -> pa.Table:
    """``plan`` with those planned touches skipped that an offer's budget or codes cannot carry, and the larger steps of
    whoever is not given the smaller one.

    ``ranks`` stands beside the rows: the lowest is served first, rows of one rank by number. ``outstanding`` has, per
    offer_id, the touches that cost it already or still may.
    """
    touches = max((touch.number for touch in playbook.touches), default=0)
    order = ranks.astype(np.int64) * (touches + 1) + plan["number"].to_numpy()
    for touch in (touch for touch in playbook.touches if touch.offer is not None):
        mine = pc.and_(pc.equal(plan["state"], PLANNED), pc.equal(plan["number"], touch.number))
        below = pa.array(sorted(steps_below(playbook, touch.number)), WHOLE)
        if len(below):
            smaller = pc.and_(pc.equal(plan["state"], PLANNED), pc.is_in(plan["number"], below))
            climbing = pc.is_in(plan["customer_id"], plan["customer_id"].filter(smaller).combine_chunks())
            plan = _skipped(plan, [(NOT_TRIED, pc.and_(mine, pc.invert(climbing)))])
            mine = pc.and_(mine, climbing)
        costing = flat(pc.if_else(mine, plan["offer_id"], None))
        beyond = beyond_budget(costing, order, offers, outstanding)
        plan = _skipped(plan, [(code, pa.array(rows)) for code, rows in beyond.items()])
        # Of several variants a touch has several offers.
        kept = pc.value_counts(costing.filter(pc.equal(flat(plan["state"]), PLANNED)).drop_null())
        outstanding = Counter(outstanding) + Counter({row["values"]: row["counts"] for row in kept.to_pylist()})
    return plan


def _skipped(plan: pa.Table, skips: Skips) -> pa.Table:
    """``plan`` with the rows of some masks skipped."""
    reason = first_reason(skips, plan.num_rows)
    state = pc.if_else(pc.is_null(reason), plan["state"], SKIPPED)
    plan = plan.set_column(plan.schema.get_field_index("reason"), "reason", pc.coalesce(plan["reason"], reason))
    return plan.set_column(plan.schema.get_field_index("state"), "state", state)
