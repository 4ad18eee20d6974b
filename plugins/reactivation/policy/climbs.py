"""Whether the larger step of the incentive ladder may be taken: only after the smaller one was sent, and in vain.

Source: PLAYBOOKS.md, section 1 (incentive positions): a climb happens only after no response to the step below, and an
unsent touch counts as not tried.
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TEXT, WHOLE
from reactivation.playbooks.model import Playbook
from reactivation.policy.touch_offers import NOT_TRIED, steps_below

#: Touches of enrolments as far as a climb depends on them. ``send_state``: of the touch's send, null without one.
TRIED = pa.schema([
    ("touch_id", TEXT), ("enrolment_id", TEXT), ("number", WHOLE), ("state", TEXT), ("send_state", TEXT),
])  # fmt: skip

#: The smaller step can still be sent, or nobody knows whether it was.
STILL_OPEN = "step_below_open"
#: The smaller step brought what it was meant to.
WORKED = "step_below_worked"

#: States from which a touch is never sent any more.
_UNSENT = ("refused", "expired", "rejected", "cancelled")


def hindered(touches: pa.Table, playbook: Playbook, redeemed: Collection[str]) -> dict[str, str]:
    """Why a step of the ladder must not be taken (now), by touch id. Touches without a reason are not in it.

    ``touches`` (``TRIED``): every touch of the enrolments asked about. ``redeemed``: the enrolments one of whose codes
    was used.
    """
    found: dict[str, str] = {}
    for step in playbook.touches:
        below = steps_below(playbook, step.number)
        if not below:
            continue
        lower = touches.filter(pc.is_in(touches["number"], pa.array(sorted(below), WHOLE)))
        accepted = pc.fill_null(pc.equal(lower["send_state"], "accepted"), False)
        unsent = pc.is_in(lower["state"], pa.array(_UNSENT))
        mine = touches.filter(pc.equal(touches["number"], step.number))
        of = mine["enrolment_id"].combine_chunks()
        worked, sent, in_vain, still = (
            pc.is_in(of, those) for those in (
                pa.array(sorted(redeemed), TEXT),
                *(lower.filter(rows)["enrolment_id"].combine_chunks()
                  for rows in (accepted, unsent, pc.invert(unsent))),
            )
        )  # fmt: skip
        unsent_alone = pc.if_else(pc.and_not(in_vain, still), NOT_TRIED, STILL_OPEN)
        why = pc.if_else(worked, WORKED, pc.if_else(sent, pa.scalar(None, TEXT), unsent_alone))
        hinders = pc.is_valid(why)
        touch_ids = mine["touch_id"].filter(hinders)
        found |= dict(zip(touch_ids.to_pylist(), why.filter(hinders).to_pylist(), strict=True))
    return found
