"""Which ledger this is, and with which keys its addresses were hashed."""

from __future__ import annotations

import pytest
from tests.ledgers import NOW

from reactivation.ledger import identity
from reactivation.ledger.engine import Ledger, LedgerError

KEY, OTHER = "a" * 64, "b" * 64


def _identify(ledger: Ledger, *check_values: str, environment: str = "local") -> identity.Identity:
    with ledger.begin() as conn:
        return identity.identify(conn, environment=environment, check_values=check_values, now=NOW)


def test_a_new_ledger_gets_an_identity_once(ledger: Ledger) -> None:
    """The first call makes it, every later one finds it."""
    with ledger.begin() as conn:
        assert identity.known(conn) is None
    first = _identify(ledger, KEY)
    assert _identify(ledger, KEY) == first
    with ledger.begin() as conn:
        assert identity.known(conn) == first


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((), "no address key is configured"),
        ((OTHER,), "address key 0 is not the one"),
        ((KEY, OTHER), "address key 1 is new to ledger"),
    ],
)
def test_a_missing_or_wrong_key_stops_everything(ledger: Ledger, given: tuple[str, ...], message: str) -> None:
    """With another key no suppression would be found, so nothing goes on."""
    _identify(ledger, KEY)
    with pytest.raises(LedgerError, match=f"{message}.*connection reactivation_address_key"):
        _identify(ledger, *given)


def test_every_key_of_a_rotation_is_needed(ledger: Ledger) -> None:
    """A ledger made with two keys does not work with the first alone."""
    _identify(ledger, KEY, OTHER)
    with pytest.raises(LedgerError, match=r"address key 1 of ledger .* is missing"):
        _identify(ledger, KEY)


def test_a_ledger_of_another_environment_is_refused(ledger: Ledger) -> None:
    """Production's settings on the ledger of a laptop, or the other way round, stop at once."""
    _identify(ledger, KEY)
    with pytest.raises(LedgerError, match="belongs to environment local, but this is production"):
        _identify(ledger, KEY, environment="production")


def test_no_key_makes_no_identity(ledger: Ledger) -> None:
    """An empty ledger stays empty when there is no key."""
    with pytest.raises(LedgerError):
        _identify(ledger)
    with ledger.begin() as conn:
        assert identity.known(conn) is None
