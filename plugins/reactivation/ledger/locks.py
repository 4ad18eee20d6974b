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


def to_claim(conn: Connection) -> None:
    """Share permission and be alone in claiming, in that order.

    Every row is found by its key then, however few a table had when it was last counted: it may have been empty.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(select(
            func.pg_advisory_xact_lock_shared(PERMISSION), func.pg_advisory_xact_lock(CLAIMING),
            func.set_config("enable_seqscan", "off", True),
        ))  # fmt: skip


def shared(conn: Connection, lock: int) -> None:
    """Wait until nobody has the lock to himself, and share it."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock_shared(lock)))
