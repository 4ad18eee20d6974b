"""Legal holds: who began one, who ended it, and that nothing of it can be changed afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from tests.ledgers import NOW

from reactivation.ledger import audit, holds
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import holds as table

LATER = NOW + timedelta(days=1)


def begun(ledger: Ledger, customer_id: str | None = "C001") -> bool:
    with ledger.begin() as conn:
        return holds.begin(conn, customer_id=customer_id, actor="lea", now=NOW)


def test_one_that_began_stands_until_somebody_ends_it(ledger: Ledger) -> None:
    """And both are in the audit trail, with who did it."""
    assert begun(ledger)
    with ledger.begin() as conn:
        (one,) = holds.standing(conn)
        assert (one.customer_id, one.began_by, one.began_at) == ("C001", "lea", NOW)
        assert holds.end(conn, customer_id="C001", actor="max", now=LATER)
        assert holds.standing(conn) == ()
        rows = audit.about(conn, "C001", ("hold_begun", "hold_ended"))
    assert [(row.at, row.actor, row.action) for row in rows] == [
        (NOW, "lea", "hold_begun"), (LATER, "max", "hold_ended"),
    ]  # fmt: skip
    assert rows[1].details == {"hold_id": one.hold_id, "began_by": "lea"}


def test_a_second_of_the_same_scope_is_nothing_new(ledger: Ledger) -> None:
    """On a customer, and on everything; the two are apart."""
    assert begun(ledger)
    assert not begun(ledger)
    assert begun(ledger, None)
    assert not begun(ledger, None)
    with ledger.begin() as conn:
        assert {one.customer_id for one in holds.standing(conn)} == {"C001", None}
        assert not holds.end(conn, customer_id="C002", actor="lea", now=LATER)
        assert len(holds.standing(conn)) == 2


def test_one_that_ended_may_begin_anew(ledger: Ledger) -> None:
    """As another row."""
    begun(ledger)
    with ledger.begin() as conn:
        holds.end(conn, customer_id="C001", actor="lea", now=LATER)
    assert begun(ledger)
    with ledger.begin() as conn:
        assert len(conn.execute(select(table)).all()) == 2


@pytest.mark.parametrize("what", ["customer_id", "began_by", "hold_id"])
def test_whom_it_is_about_and_who_began_it_never_change(ledger: Ledger, what: str) -> None:
    """A hold on one is not made into a hold on another."""
    begun(ledger)
    with pytest.raises(IntegrityError, match="froze never changes"), ledger.begin() as conn:
        conn.execute(update(table).values({what: "other"}))


def test_its_end_never_changes_and_no_row_goes(ledger: Ledger) -> None:
    """Neither who ended it nor that it ended; the row stays for ever."""
    begun(ledger)
    with ledger.begin() as conn:
        holds.end(conn, customer_id="C001", actor="lea", now=LATER)
    with pytest.raises(IntegrityError, match="stays ended"), ledger.begin() as conn:
        conn.execute(update(table).values(ended_by=None, ended_at=None))
    with pytest.raises(IntegrityError, match="never removed"), ledger.begin() as conn:
        conn.execute(delete(table))
