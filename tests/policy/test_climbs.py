"""A larger incentive only after the smaller one was sent, in vain (PLAYBOOKS.md: unsent counts as not tried)."""

from __future__ import annotations

import pyarrow as pa
import pytest
from tests.policy.people import playbook

from reactivation.policy.climbs import TRIED, hindered
from reactivation.policy.touch_offers import may_be_offered, steps_below


def touches(*rows: tuple[int, str, str | None]) -> pa.Table:
    """Touches of one enrolment: number, state, and the state of its send."""
    listed = [
        {"touch_id": f"t-{number}", "enrolment_id": "e-1", "number": number, "state": state, "send_state": send}
        for number, state, send in rows
    ]
    return pa.Table.from_pylist(listed, schema=TRIED)


def test_the_ladder_of_the_framework() -> None:
    """Touch 6 stands on touch 3; nothing else climbs."""
    assert {n: steps_below(playbook(), n) for n in range(1, 8) if steps_below(playbook(), n)} == {6: frozenset({3})}


def test_a_larger_step_that_comes_first_stands_on_nothing() -> None:
    """A playbook that begins with the percentage: the credit after it is no step below, and none above."""
    other = {3: "percent", 6: "points_or_credit"}
    touches = tuple(t.model_copy(update={"incentive": other.get(t.number, t.incentive)}) for t in playbook().touches)
    turned = playbook().model_copy(update={"touches": touches})

    assert {steps_below(turned, number) for number in range(1, 8)} == {frozenset()}


@pytest.mark.parametrize(("state", "send", "why"), [
    ("accepted", "accepted", None),
    *((state, None, "step_below_open") for state in ("planned", "drafted", "listed", "signed", "held", "claimed")),
    ("claimed", "called", "step_below_open"),
    ("unknown", "unknown", "step_below_open"),
    ("refused", "refused", "step_below_not_tried"),
    *((state, None, "step_below_not_tried") for state in ("expired", "rejected", "cancelled")),
])  # fmt: skip
def test_it_depends_on_what_became_of_the_smaller_step(state: str, send: str | None, why: str | None) -> None:
    """Accepted: climb. Not sent and never to be: no climb. Still open or unknown: not yet."""
    found = hindered(touches((1, "accepted", "accepted"), (3, state, send), (6, "planned", None)), playbook(), ())
    assert found == ({} if why is None else {"t-6": why})


def test_a_smaller_step_not_yet_in_the_ledger_is_open() -> None:
    """It enters the horizon later."""
    assert hindered(touches((6, "planned", None)), playbook(), ()) == {"t-6": "step_below_open"}


def test_whose_code_was_used_needs_no_more() -> None:
    """The smaller step brought what it was meant to."""
    sent = touches((3, "accepted", "accepted"), (6, "drafted", None))
    assert hindered(sent, playbook(), {"e-1"}) == {"t-6": "step_below_worked"}


@pytest.mark.parametrize(("gate", "position", "points", "percent"), [
    ("pass", "percent", True, True), ("drop:margin_guard", "points_or_credit", True, False),
    ("drop:cooldown", "none", False, False), ("fail:error", "percent", False, False), (None, "percent", False, False),
])  # fmt: skip
def test_a_person_may_be_offered_up_to_his_position(
    gate: str | None, position: str, points: bool, percent: bool
) -> None:
    """A margin that carries no percentage still carries the credit."""
    row = {"gate_offer_allowed": gate, "offer_position": position}
    assert (may_be_offered(row, "points_or_credit"), may_be_offered(row, "percent")) == (points, percent)
    assert may_be_offered(row, "none")
