"""Offer codes in the ledger: one per touch, never twice, counted while they may cost something."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from tests.ledgers import NOW, PLAYBOOK, add_touch, begin, enrol

from reactivation.ledger import codes
from reactivation.ledger.engine import Ledger
from reactivation.ledger.enrolments import end_enrolment
from reactivation.ledger.touches import touches_of


@pytest.fixture
def touch_ids(ledger: Ledger) -> tuple[str, str]:
    """Two touches of two customers, the first with a code."""
    with ledger.begin() as conn:
        begin(conn)
        made = [add_touch(conn, enrol(conn, c), c, state="planned", offer_id="offer-1") for c in ("C1", "C2")]
        codes.reserve(conn, {made[0]: ("K7QD-M2RX", "offer-1")}, NOW)
    return made[0], made[1]


def test_codes_are_found_by_touch(ledger: Ledger, touch_ids: tuple[str, str]) -> None:
    """Drafting again finds the code that was reserved."""
    with ledger.begin() as conn:
        assert codes.codes_of(conn, PLAYBOOK) == {touch_ids[0]: "K7QD-M2RX"}
        assert codes.codes_of(conn, "another_playbook") == {}


def test_taken_codes_are_known_for_ever(ledger: Ledger, touch_ids: tuple[str, str]) -> None:
    """A released code is not given to somebody else; twenty thousand can be asked about at once."""
    with ledger.begin() as conn:
        end_enrolment(conn, touches_of(conn, touch_ids[:1])[0].enrolment_id, reason="purchase", actor="test", now=NOW)
    with ledger.begin() as conn:
        asked = {"K7QD-M2RX", *(f"code-{n}" for n in range(20_000))}
        assert codes.taken(conn, asked) == {"K7QD-M2RX"}


def test_released_codes_cost_nothing(ledger: Ledger, touch_ids: tuple[str, str]) -> None:
    """Only reserved and committed codes count against an offer."""
    with ledger.begin() as conn:
        assert codes.in_use(conn) == {"offer-1": 1}
        end_enrolment(conn, touches_of(conn, touch_ids[:1])[0].enrolment_id, reason="purchase", actor="test", now=NOW)
    with ledger.begin() as conn:
        assert codes.in_use(conn) == {}


@pytest.mark.parametrize("again", ["the same code", "the same touch"])
def test_nothing_is_reserved_twice(ledger: Ledger, touch_ids: tuple[str, str], again: str) -> None:
    """One code for two touches, or two for one, is a defect and stops."""
    wrong = {touch_ids[1]: ("K7QD-M2RX", "offer-1")} if again == "the same code" else {touch_ids[0]: ("X", "offer-1")}
    with pytest.raises(IntegrityError), ledger.begin() as conn:
        codes.reserve(conn, wrong, NOW)
