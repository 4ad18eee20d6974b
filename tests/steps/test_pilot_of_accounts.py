"""The proof of a pilot about accounts: what the rules said of one counts, whatever became of it since."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.builders import AS_OF, days_ago, purchase, suppression
from tests.office import NOW, PLAYBOOK, Office, source

from reactivation.steps.pilot_report import pilot_report
from reactivation.steps.piloting import begin_pilot

NEXT_DAY = timedelta(days=1)


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_an_account_that_was_suppressed_and_came_back_was_looked_at(office: Office) -> None:
    """It is no candidate of the last run any more, and still no counter-example."""
    said_no = [*source()["suppressions"], suppression("s-oak", customer_id="c-oak", occurred_at=days_ago(3))]
    office.says(suppressions=said_no)
    office.run(now=NOW, playbook=PLAYBOOK, dry=True)
    begin_pilot(office.workspace, PLAYBOOK, segment=None, most=50, user="operator", now=NOW)
    office.run(now=NOW + timedelta(minutes=10), playbook=PLAYBOOK)

    bought = [*source()["purchases"], purchase("b-back", "c-oak", AS_OF + timedelta(hours=5), kind="booking")]
    office.says(AS_OF + NEXT_DAY, suppressions=said_no, purchases=bought)
    office.run(now=NOW + NEXT_DAY, playbook=PLAYBOOK)

    proof = pilot_report(office.workspace, PLAYBOOK, NOW + NEXT_DAY).threshold
    rows = {row.subject: row.missing for row in proof.rows}
    assert rows["a-oak"] == ()
    assert rows["a-elm"] == ("no_review",)
