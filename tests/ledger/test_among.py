"""Many ids in one parameter are found by the table's own index."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Select, select
from tests.ledgers import NOW

from reactivation.ledger.among import among
from reactivation.ledger.engine import Ledger, open_ledger
from reactivation.ledger.tables import enrolments, sends, suppressions, touches


@pytest.mark.parametrize("wanted", [
    select(touches.c.state).where(among(touches.c.touch_id, ["t-1"])),
    select(sends.c.state).where(among(sends.c.send_id, ["s-1"])),
    select(enrolments.c.state).where(among(enrolments.c.enrolment_id, ["e-1"])),
    select(suppressions.c.reason).where(among(suppressions.c.address_key, ["k-1"])),
])  # fmt: skip
def test_sqlite_searches_and_does_not_scan(sqlite_template: Path, wanted: Select[tuple[str]]) -> None:
    """A condition that is compared with 1 is led to by no index."""
    ledger = open_ledger(f"sqlite:///{sqlite_template}")
    with ledger.begin() as conn:
        plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {wanted.compile(ledger.engine)}", ("[]",)).all()
    ledger.close()
    steps = [row[3] for row in plan if "json_each" not in row[3]]
    assert steps[0].startswith("SEARCH "), steps


def test_any_number_of_values_is_found(ledger: Ledger) -> None:
    """None of them, and some that nobody has."""
    with ledger.begin() as conn:
        row = {"address_key": "k-1", "brand": "b", "channel": "*", "reason": "opt_out", "source": "s",
               "occurred_at": NOW, "recorded_at": NOW}  # fmt: skip
        conn.execute(suppressions.insert(), row)
        for keys, found in (([], []), (["k-1"], ["k-1"]), (["k-1", "k-2", "k'3"], ["k-1"])):
            asked = select(suppressions.c.address_key).where(among(suppressions.c.address_key, keys))
            assert list(conn.scalars(asked)) == found
