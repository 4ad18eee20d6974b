"""Locks by name that last until the end of the transaction.

On SQLite a transaction is alone from its first statement, so they cost nothing there. On PostgreSQL they are advisory
locks: many may share one, or one has it to itself.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select

MIGRATION, SEALING, PERMISSION, INTAKE, CLAIMING, OFFERS, HOLDING = range(0x5EAC_0001, 0x5EAC_0008)


def exclusive(conn: Connection, lock: int) -> None:
    """Wait until nobody shares the lock, and keep it."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(lock)))


def shared_and_exclusive(conn: Connection, one: int, other: int) -> None:
    """Share one lock and keep the other, in that order, in a single question to the database."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock_shared(one), func.pg_advisory_xact_lock(other)))


def shared(conn: Connection, lock: int) -> None:
    """Wait until nobody has the lock to himself, and share it."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock_shared(lock)))
