"""A legal hold as somebody asks for it, and as it is lifted."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.steps.six import NOW, Six

from reactivation.ledger import seals
from reactivation.ledger.engine import Ledger
from reactivation.ledger.runs import StepError
from reactivation.steps.hold import begin_hold, lift_hold, standing_holds


@pytest.fixture
def six(tmp_path: Path, ledger: Ledger) -> Six:
    made = Six(tmp_path / "home", ledger)
    made.snapshot()
    return made


@pytest.mark.parametrize(("customer", "called"), [("c-ada", "c-ada"), (None, "everything")])
def test_it_stands_until_it_is_lifted_and_is_sealed(six: Six, customer: str | None, called: str) -> None:
    """Each time it says what is so now."""
    assert begin_hold(six.workspace, customer, user="lea", now=NOW) == f"the hold on {called} stands, by lea"
    again = begin_hold(six.workspace, customer, user="max", now=NOW)
    assert again == f"a hold on {called} stands already; nothing changed"
    assert [(one.customer_id, one.began_by) for one in standing_holds(six.workspace)] == [(customer, "lea")]
    assert lift_hold(six.workspace, customer, user="max", now=NOW) == f"the hold on {called} has ended, by max"
    assert lift_hold(six.workspace, customer, user="max", now=NOW) == f"no hold on {called} stands; nothing changed"
    with six.ledger.begin() as conn:
        report = seals.verify(conn)
    assert (report.intact, report.unsealed_rows) == (True, 0)


def test_a_customer_nobody_knows_is_a_slip_of_the_pen(six: Six) -> None:
    """A hold on a misspelt id would keep nothing."""
    with pytest.raises(StepError, match="knows customer c-adda; check the id"):
        begin_hold(six.workspace, "c-adda", user="lea", now=NOW)
