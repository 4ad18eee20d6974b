"""Who was erased is on record once, by id and by address key, and for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from tests.ledgers import NOW, a_key, begin, enrol

from reactivation.ledger import audit, erasures
from reactivation.ledger.engine import Ledger
from reactivation.ledger.erasures import Erasure
from reactivation.ledger.tables import erased_addresses, erased_customers


def record(ledger: Ledger, customers: set[str], keys: set[str], reason: str = "person_asked", days: int = 0) -> int:
    with ledger.begin() as conn:
        return erasures.record(
            conn, customers=customers, address_keys=keys, reason=reason, actor="cleo", now=NOW + timedelta(days=days)
        )


def test_each_is_recorded_once_and_the_first_stands(ledger: Ledger) -> None:
    """In the audit trail, too."""
    assert record(ledger, {"C001"}, {a_key("a")}) == 2
    assert record(ledger, {"C001", "C002"}, {a_key("a")}, "authority", days=1) == 1
    with ledger.begin() as conn:
        assert erasures.customers(conn) == {"C001", "C002"}
        assert erasures.address_keys(conn) == {a_key("a")}
        assert erasures.erasure_of(conn, "C001") == Erasure("C001", "person_asked", "cleo", NOW)
        assert erasures.erasure_of(conn, "C003") is None
        assert [row.details for row in audit.about(conn, "C001", ("erased",))] == [{"reason": "person_asked"}]


@pytest.mark.parametrize("table", [erased_customers, erased_addresses])
def test_it_is_never_taken_back(ledger: Ledger, table: object) -> None:
    """Rows neither change nor go."""
    record(ledger, {"C001"}, {a_key("a")})
    with pytest.raises(IntegrityError, match="never changed"), ledger.begin() as conn:
        conn.execute(update(table).values(reason="other"))
    with pytest.raises(IntegrityError, match="never removed"), ledger.begin() as conn:
        conn.execute(delete(table))


def test_the_enrolments_of_a_person_are_those_of_any_of_the_ids_and_addresses(ledger: Ledger) -> None:
    """Those that have ended are none."""
    with ledger.begin() as conn:
        begin(conn)
        mine = enrol(conn, "C001")
        shared = enrol(conn, "C002", keys=[a_key("shared")])
        enrol(conn, "C003")
        enrol(conn, "C004", state="ended")
        assert erasures.occupied_by(conn, {"C001", "C004"}, {a_key("shared")}) == sorted([mine, shared])
