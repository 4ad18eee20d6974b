"""What the holdout bought: asked of the source once a day, in the same words as of those written to."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.builders import purchase
from tests.sending import NOW, Ready

from reactivation.ledger import compared
from reactivation.steps.dispatch import dispatch
from reactivation.steps.metrics import metrics
from reactivation.steps.outcomes import record_outcomes

PLAYBOOK = "customer_reactivation"
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("ready", ["sqlite"], indirect=True)
def test_what_the_holdout_bought_is_recorded_once_a_day(ready: Ready) -> None:
    """Beside what those written to bought; an hour later nobody asks, a day later what is new is told."""
    workspace = ready.workspace
    with workspace.ledger.begin() as conn:
        people = compared.assigned(conn, PLAYBOOK, NOW).to_pylist()
    held_out = [row["customer_id"] for row in people if row["held_out"]]
    treated = [row["customer_id"] for row in people if row["begun"]]
    assert held_out
    assert treated
    dispatch(workspace, NOW)

    at = NOW + timedelta(days=2)
    ready.say(as_of=at)
    ready.add("purchases", purchase("b-kept", held_out[0], NOW + 5 * HOUR, amount=Decimal("40.00")),
              purchase("b-written", treated[0], NOW + 6 * HOUR, amount=Decimal("70.00")))  # fmt: skip
    assert record_outcomes(workspace, at)["compared"] == 1
    found = {figure.by: figure for figure in metrics(workspace, PLAYBOOK, at).figures
             if figure.measure == "incremental_reactivations"}  # fmt: skip
    assert (found["held out"].count, found["held out"].of) == (1, len(held_out))
    assert (found["assigned to treatment"].count, found["assigned to treatment"].of) == (1, len(people) - len(held_out))

    ready.add("purchases", purchase("b-more", held_out[0], at, amount=Decimal("1.00")))
    assert "compared" not in record_outcomes(workspace, at + HOUR)
    ready.add("purchases", purchase("b-next", held_out[0], at + HOUR, amount=Decimal("1.00")))
    assert record_outcomes(workspace, at + 23 * HOUR)["compared"] == 2
