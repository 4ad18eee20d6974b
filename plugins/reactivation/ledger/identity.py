"""Which ledger this is, and whether the keys at hand are the keys its addresses were hashed with.

With another key every suppression would look up nothing, so a missing or wrong key stops everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, insert, select

from reactivation.ledger import audit
from reactivation.ledger.engine import LedgerError
from reactivation.ledger.locks import MIGRATION, exclusive
from reactivation.ledger.tables import address_key_checks, identity

_KEY_FIX = "put the key this ledger was made with into the connection reactivation_address_key"


@dataclass(frozen=True)
class Identity:
    """The ledger's own id, and the environment it serves."""

    ledger_id: str
    environment: str
    created_at: datetime


def known(conn: Connection) -> Identity | None:
    """Who this ledger is; ``None`` when nobody has worked with it yet."""
    found = conn.execute(select(identity)).one_or_none()
    return None if found is None else Identity(found.ledger_id, found.environment, found.created_at)


def identify(conn: Connection, *, environment: str, check_values: Sequence[str], now: datetime) -> Identity:
    """The ledger's identity, made at the first call; raises ``LedgerError`` when environment or keys differ.

    ``check_values``: one per address key, oldest first (``AddressKeys.check_values``).
    """
    if not check_values:
        raise LedgerError(f"no address key is configured; {_KEY_FIX}")
    exclusive(conn, MIGRATION)
    found = known(conn)
    if found is None:
        return _create(conn, environment, check_values, now)
    if found.environment != environment:
        raise LedgerError(
            f"ledger {found.ledger_id} belongs to environment {found.environment}, but this is {environment}; "
            "correct the connection reactivation_ledger or the setting of the environment"
        )
    _compare_keys(found.ledger_id, list(conn.execute(_CHECKS).scalars()), list(check_values))
    return found


_CHECKS = select(address_key_checks.c.check_value).order_by(address_key_checks.c.position)


def _compare_keys(ledger_id: str, recorded: list[str], given: list[str]) -> None:
    for position, check_value in enumerate(recorded):
        if position >= len(given):
            raise LedgerError(f"address key {position} of ledger {ledger_id} is missing; {_KEY_FIX}")
        if given[position] != check_value:
            raise LedgerError(f"address key {position} is not the one ledger {ledger_id} was made with; {_KEY_FIX}")
    if len(given) > len(recorded):
        raise LedgerError(
            f"address key {len(recorded)} is new to ledger {ledger_id}: its stored addresses are not wrapped with it; "
            f"{_KEY_FIX} and no other"
        )


def _create(conn: Connection, environment: str, check_values: Sequence[str], now: datetime) -> Identity:
    made = Identity(str(uuid4()), environment, now)
    conn.execute(insert(identity), {"ledger_id": made.ledger_id, "environment": environment, "created_at": now})
    conn.execute(
        insert(address_key_checks),
        [{"position": i, "check_value": value, "recorded_at": now} for i, value in enumerate(check_values)],
    )
    audit.write(
        conn, at=now, actor="ledger", action="ledger_created", subject=made.ledger_id,
        details={"environment": environment, "address_keys": len(check_values)},
    )  # fmt: skip
    return made
