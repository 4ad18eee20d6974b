"""Which planned touches may carry their offer: allowed for the person, valid at the planned send, within the budget.

A touch whose offer may not go out is skipped, never sent without it: what a person was to be offered is part of what
is signed.

Source: RULES.md, gate ``offer_allowed`` and Content (offers); PLAYBOOKS.md, section 1 (incentive positions).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TIME
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.touches import Touch
from reactivation.policy.decisions import DROP, PASS
from reactivation.policy.timing import TimingRules

#: Reasons with their masks, in the order in which they count. True, and unknown, mean that the touch is skipped.
Skips = list[tuple[str, Any]]

#: Without these an offer has no boundaries.
_NEEDED = ("kind", "value", "unit_cost", "starts_at", "ends_at", "budget")
#: The kinds of offer, and the positions a person may be at, for each monetary incentive of a touch.
_KINDS = {"points_or_credit": ("points", "credit"), "percent": ("percent",)}
_POSITIONS = {"points_or_credit": ("points_or_credit", "percent"), "percent": ("percent",)}
#: Until when an earlier enrolment's last offer forbids an equal or better one: a column of the people, by incentive.
RESTS_UNTIL = {"points_or_credit": "no_points_until", "percent": "no_percent_until"}

#: A larger step is only for whom the smaller one was tried on, in vain; an unsent touch was not tried.
NOT_TRIED = "step_below_not_tried"


def whole_offers(offers: pa.Table) -> dict[str, dict[str, Any]]:
    """The rows of the contract's table by id, without those whose boundaries are not all known: unknown is no."""
    return {
        offer["offer_id"]: offer for offer in offers.to_pylist() if all(offer[name] is not None for name in _NEEDED)
    }


def steps_below(playbook: Playbook, number: int) -> frozenset[int]:
    """The numbers of the earlier touches with a smaller monetary incentive than this one, of which one must have been
    tried first; none for a touch that begins the ladder, or is none of its steps."""
    steps = list(_KINDS)
    mine = [touch.incentive for touch in playbook.touches if touch.number == number and touch.incentive in steps]
    smaller = steps[: steps.index(mine[0])] if mine else []
    return frozenset(t.number for t in playbook.touches if t.number < number and t.incentive in smaller)


def offer_skips(
    touch: Touch, offer: Mapping[str, Any] | None, people: pa.Table, instant: pa.Array, rules: TimingRules
) -> Skips:
    """Why a touch's offer keeps it from each person at its instant. No reason for a touch that makes none.

    ``offer`` is its row of the contract's table, ``None`` when there is none whole. ``people`` has the decision's
    gate_offer_allowed, offer_position and offer_cap (largest share of the order value), and ``RESTS_UNTIL``.
    """
    if touch.incentive == "access":
        return [] if touch.offer is None else _access_skips(offer, instant, rules)
    if touch.incentive not in _KINDS:
        return []
    if offer is None:
        return [("offer_unknown", True)]
    skips: Skips = [
        ("offer_kind", offer["kind"] not in _KINDS[touch.incentive]),
        ("offer_not_allowed", _not_allowed(people)),
        ("offer_above_position", pc.invert(pc.is_in(people["offer_position"], pa.array(_POSITIONS[touch.incentive])))),
        ("offer_too_soon", pc.fill_null(pc.less(instant, people[RESTS_UNTIL[touch.incentive]]), False)),
        ("offer_not_started", pc.less(instant, pa.scalar(offer["starts_at"], TIME))),
        ("offer_ends", pc.greater_equal(instant, pa.scalar(last_send(offer, rules), TIME))),
    ]
    if touch.incentive == "percent":
        skips.append(("offer_above_cap", pc.less(people["offer_cap"], pa.scalar(Decimal(offer["value"]) / 100))))
    return skips


def _access_skips(offer: Mapping[str, Any] | None, instant: pa.Array, rules: TimingRules) -> Skips:
    """The same for early access, which costs a customer's margin nothing: anybody may have it while it runs."""
    if offer is None:
        return [("offer_unknown", True)]
    return [
        ("offer_kind", offer["kind"] != "early_access"),
        ("offer_not_started", pc.less(instant, pa.scalar(offer["starts_at"], TIME))),
        ("offer_ends", pc.greater_equal(instant, pa.scalar(last_send(offer, rules), TIME))),
    ]


def _not_allowed(people: pa.Table) -> pa.ChunkedArray:
    """Whether no offer at all may go to a person. A gate that only drops the larger steps leaves him the smaller."""
    gate, some = people["gate_offer_allowed"], pc.is_in(people["offer_position"], pa.array(list(_POSITIONS)))
    return pc.and_(pc.not_equal(gate, PASS), pc.invert(pc.and_(pc.starts_with(gate, DROP), some)))


def may_be_offered(row: Mapping[str, Any], incentive: str) -> bool:
    """Whether a person decided as ``row`` may be given an incentive of this kind; one without money is not limited."""
    if incentive not in _POSITIONS:
        return True
    gate = row["gate_offer_allowed"] or ""
    return (gate == PASS or gate.startswith(DROP)) and row["offer_position"] in _POSITIONS[incentive]


def last_send(offer: Mapping[str, Any], rules: TimingRules) -> datetime:
    """The instant from which too little of the offer is left to redeem it. An end is never extended."""
    least = rules.redeem_hours_at_least
    last: datetime = offer["ends_at"] - timedelta(hours=min(offer["redeem_within_hours"] or least, least))
    return last


def beyond_budget(
    offer_ids: pa.Array, ranks: np.ndarray, offers: pa.Table, outstanding: Mapping[str, int]
) -> dict[str, np.ndarray]:
    """The rows that an offer's budget or codes cannot carry, by reason, as booleans beside ``offer_ids``.

    One row is one planned touch; ``offer_ids`` is null where it has no offer. Rows are served in order of ``ranks``
    (distinct). ``outstanding`` has, per offer, the touches that cost it already or still may. Every touch is counted
    at the offer's full ``unit_cost``.
    """
    beyond = {reason: np.zeros(len(offer_ids), dtype=bool) for reason in ("offer_budget", "offer_codes")}
    for offer_id, offer in whole_offers(offers).items():
        rows = np.flatnonzero(pc.fill_null(pc.equal(offer_ids, offer_id), False).to_numpy(False))
        served = rows[np.argsort(ranks[rows], kind="stable")]
        already = outstanding.get(offer_id, 0)
        codes = offer["codes_available"]
        affordable = len(rows) + already if not offer["unit_cost"] else int(offer["budget"] // offer["unit_cost"])
        beyond["offer_budget"][served[max(affordable - already, 0) :]] = True
        if codes is not None:
            beyond["offer_codes"][served[max(codes - already, 0) :]] = True
    return beyond
