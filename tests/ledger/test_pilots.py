"""Pilots in the ledger: one at a time, never changed, begun before anybody is enrolled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError
from tests.ledgers import NOW, PLAYBOOK, an_id, begin, enrol

from reactivation.contract.digests import digest
from reactivation.ledger import audit, pilots, seals
from reactivation.ledger.engine import Ledger
from reactivation.ledger.pilots import Pilot
from reactivation.ledger.tables import audit as audit_
from reactivation.ledger.tables import pilots as pilots_

BASELINE = {"measure": "reactivation_eligibility_review_rate", "count": 3, "of": 4, "rate": 0.75,
            "run_id": an_id("run"), "at": NOW.isoformat()}  # fmt: skip


def a_pilot(name: str = "first", **changes: Any) -> Pilot:
    return Pilot(**({
        "pilot_id": an_id("pilot", name), "playbook": PLAYBOOK, "playbook_digest": digest("playbook"),
        "segment": "household", "subjects": [], "owner_id": "own-ada", "threshold": 1.0, "baseline": BASELINE,
        "began_by": "operator", "began_at": NOW, "ends_at": NOW + timedelta(days=45),
    } | changes))  # fmt: skip


def test_one_stands_at_a_time(ledger: Ledger) -> None:
    """A second begins only when the first was ended; each is told apart, and both are in the audit trail."""
    second = a_pilot("second", segment=None, subjects=["C2", "C1"], began_at=NOW + timedelta(days=50))
    with ledger.begin() as conn:
        assert pilots.begin(conn, a_pilot())
        assert not pilots.begin(conn, second)
        assert pilots.standing(conn, PLAYBOOK) == a_pilot()
        assert pilots.standing(conn, "another") is None
        assert pilots.end(conn, PLAYBOOK, actor="mia", now=NOW + timedelta(days=46))
        assert not pilots.end(conn, PLAYBOOK, actor="mia", now=NOW + timedelta(days=47))
        assert pilots.standing(conn, PLAYBOOK) is None
        assert pilots.begin(conn, second)
        assert pilots.latest(conn, PLAYBOOK) == second
        told = audit.about(conn, a_pilot().pilot_id, ["pilot_begun", "pilot_ended"])
    assert [(row.action, row.actor) for row in told] == [("pilot_begun", "operator"), ("pilot_ended", "mia")]
    assert told[0].details["baseline"]["count"] == "3"
    seals.seal(ledger, NOW)
    with ledger.begin() as conn:
        assert seals.verify(conn).intact
        assert conn.scalars(select(audit_.c.action)).all() == ["pilot_begun", "pilot_ended", "pilot_begun"]


@pytest.mark.parametrize("change", [{"baseline": {}}, {"segment": "business"}, {"ends_at": NOW + timedelta(days=400)}])
def test_its_terms_never_change(ledger: Ledger, change: dict[str, Any]) -> None:
    """The database refuses, and does not let it go either."""
    with ledger.begin() as conn:
        pilots.begin(conn, a_pilot())
    for statement in (update(pilots_).values(**change), delete(pilots_)):
        with pytest.raises(DBAPIError), ledger.begin() as conn:
            conn.execute(statement)


def test_it_is_known_whether_anybody_was_enrolled(ledger: Ledger) -> None:
    """By this playbook."""
    with ledger.begin() as conn:
        begin(conn)
        assert not pilots.has_enrolled(conn, PLAYBOOK)
        enrol(conn, "C1")
        assert pilots.has_enrolled(conn, PLAYBOOK)
        assert not pilots.has_enrolled(conn, "another")
