"""A rule that lets a sequence begin later than touches are drafted ahead: it begins, and is written to on its day."""

from __future__ import annotations

from pathlib import Path

from tests.steps.arms import NAMES, open_arms
from tests.steps.six import PLAYBOOK
from tests.steps.stage import day

from reactivation.ledger.engine import Ledger
from reactivation.steps.calendar import schedule
from reactivation.steps.outcomes import record_outcomes

LATER = {"name": "later", "because": "not this month", "when": {"value_tiers": ["mid"]}, "wait_days": 10}


def test_who_waits_beyond_the_horizon_begins_now_and_is_written_to_then(tmp_path: Path, ledger: Ledger) -> None:
    """Touches are drafted six days ahead, the rule waits ten. Were they to begin when the first is near, they never
    would: every day the ten days begin anew."""
    arms = open_arms(tmp_path, ledger, variants=[], adaptations=[LATER])
    arms.run(day(0))
    assert set(arms.variants()) == {f"c-{name}" for name in NAMES}
    assert not arms.states(), "nothing to look at yet"
    planned = schedule(arms.six.workspace, PLAYBOOK).to_pylist()
    assert {row["at"].date() for row in planned if row["number"] == 1} == {day(10).date()}

    arms.six.write(as_of=day(2), **arms.told)
    assert not [what for what in record_outcomes(arms.six.workspace, day(2)) if what.startswith("exit:")]
    arms.run(day(5))
    assert set(arms.states().values()) == {("signed", None)}

    assert arms.send(day(9)).accepted == 0
    assert arms.send(day(10, 11)).accepted == len(NAMES)
