"""A playbook that lets chance skip touches, from the decision to the mail: drawn once, withheld for good, and told."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.builders import engagement, purchase
from tests.steps.arms import NAMES, TOUCHES, Arms, open_arms
from tests.steps.six import PLAYBOOK
from tests.steps.stage import day

from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import enrolments, measurement_events
from reactivation.steps.calendar import schedule
from reactivation.steps.explain import explain_customer
from reactivation.steps.metrics import metrics
from reactivation.steps.outcomes import record_outcomes
from reactivation.steps.preview import preview

#: With this salt chance skips touch 1 of Ivy, touch 3 of Bob, and both of Hal.
SALT = "season-6"
SKIPPED = {"c-ivy": ["1"], "c-bob": ["3"], "c-hal": ["1", "3"]}
#: Who has a touch left.
BEGIN = {f"c-{name}" for name in NAMES} - {"c-hal"}
AT_RANDOM = ("skipped", "skipped_at_random")


def by_hand(customer: str) -> list[str]:
    texts = {str(touch["number"]): f"{SALT}:skip:{PLAYBOOK}:{touch['number']}:{customer}" for touch in TOUCHES}
    return [
        number for number, text in texts.items()
        if int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32 < 0.1
    ]  # fmt: skip


@pytest.fixture
def arms(tmp_path: Path, ledger: Ledger) -> Arms:
    return open_arms(tmp_path, ledger, variants=[], holdout_salt=SALT, skipped_share=0.1)


def planned(arms: Arms, run_id: str | None = None) -> dict[tuple[str, int], tuple[str, str | None]]:
    rows = schedule(arms.six.workspace, PLAYBOOK, run_id).to_pylist()
    return {(row["customer_id"], row["number"]): (row["state"], row["reason"]) for row in rows}


def test_what_chance_drew_is_withheld_for_good_and_stands_in_the_ledger(arms: Arms) -> None:
    """Nobody else's messages change, and no later run draws again; who has nothing left does not begin."""
    assert {f"c-{name}": drawn for name in NAMES if (drawn := by_hand(f"c-{name}"))} == SKIPPED
    arms.run(day(0))

    kept = dict(arms.rows(enrolments.c.customer_id, enrolments.c.dimensions))
    assert {customer: one["skipped_touches"] for customer, one in kept.items()} == {
        customer: SKIPPED.get(customer, []) for customer in BEGIN
    }  # fmt: skip
    waits = select(measurement_events.c.outcome, measurement_events.c.reason)
    with arms.six.ledger.begin() as conn:
        hal = conn.execute(waits.where(measurement_events.c.subject == "c-hal")).all()
    assert [tuple(row) for row in hal] == [("hold", "nothing_to_send")]

    assert arms.send(day(0, 11)).accepted == len(BEGIN - {"c-ivy"})
    arms.run(day(1))
    assert set(arms.states(1)) == BEGIN - {"c-ivy"}
    assert set(arms.states(3)) == BEGIN - {"c-bob"}
    assert arms.send(day(3, 12)).accepted == len(BEGIN - {"c-bob"})
    told = planned(arms)
    assert {key for key, said in told.items() if said == AT_RANDOM} == {("c-ivy", 1), ("c-bob", 3)}
    assert {said for said in told.values() if said != AT_RANDOM} == {("sent", None)}
    counted = metrics(arms.six.workspace, PLAYBOOK, day(4)).figures
    assert [(figure.by, figure.count, figure.of) for figure in counted if figure.measure == "touch_value"] == [
        ("touch 1", None, 11), ("touch 1, not skipped", 0, 10), ("touch 1, skipped at random", 0, 1),
        ("touch 1, smallest difference that would show", None, 11), ("touch 1, share skipped", 1, 11),
        ("touch 3", None, 11), ("touch 3, not skipped", 0, 10), ("touch 3, skipped at random", 0, 1),
        ("touch 3, smallest difference that would show", None, 11), ("touch 3, share skipped", 1, 11),
    ]  # fmt: skip


def test_from_whom_a_touch_was_withheld_is_heard_for_as_long_as_who_got_it(arms: Arms) -> None:
    """Bob, last written to on day 0, leaves on the evening of day 2, when touch 3 was due, and buys on day 91: its
    window is open until day 92, long after nobody else would ask about him."""
    arms.run(day(0))
    arms.send(day(0, 11))
    arms.say("engagements", engagement("e-bob", "c-bob", day(2, 20), "unsubscribe"))
    for now in (day(2, 21), day(91, 12)):
        if now == day(91, 12):
            arms.say("purchases", purchase("b-late", "c-bob", day(91, 9)))
        arms.six.write(as_of=now, **arms.told)
        record_outcomes(arms.six.workspace, now)

    counted = {figure.by: figure for figure in metrics(arms.six.workspace, PLAYBOOK, day(91, 13)).figures
               if figure.measure == "touch_value"}  # fmt: skip
    assert (counted["touch 3, skipped at random"].count, counted["touch 3, skipped at random"].of) == (1, 1)
    assert counted["touch 1, not skipped"].count == 0, "the window of touch 1 was over on day 90"


def test_the_reason_is_told_before_anybody_is_enrolled_and_after(arms: Arms) -> None:
    """In the preview, in the schedule of a dry run, and in the story."""
    run_id = arms.run(day(0), dry=True, signed=False)
    shown = preview(arms.six.workspace, PLAYBOOK, 1, "c-ivy", day(0))

    assert shown.reason == "touch 1 is skipped: skipped_at_random"
    assert preview(arms.six.workspace, PLAYBOOK, 3, "c-ivy", day(0)).draft is not None
    assert planned(arms, run_id)["c-bob", 3] == AT_RANDOM
    told = explain_customer(arms.six.workspace, "c-ivy", PLAYBOOK)
    assert "\nskipped at random: touch 1 (so that what each touch adds can be told)\n" in told
    assert "skipped at random" not in explain_customer(arms.six.workspace, "c-ann", PLAYBOOK)


def test_a_playbook_that_skips_none_leaves_no_trace(tmp_path: Path, ledger: Ledger) -> None:
    """Neither in the plan nor in the ledger nor among the figures."""
    arms = open_arms(tmp_path, ledger, variants=[], holdout_salt=SALT)
    arms.run(day(0))

    assert {said for said in planned(arms).values() if said[0] == "skipped"} == set()
    for customer, kept in arms.rows(enrolments.c.customer_id, enrolments.c.dimensions):
        assert "skipped_touches" not in kept, customer
    counted = metrics(arms.six.workspace, PLAYBOOK, day(1)).figures
    assert not [figure for figure in counted if figure.measure == "touch_value"]
