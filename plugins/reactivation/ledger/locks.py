"""Locks by name that last until the end of the transaction.

On SQLite a transaction is alone from its first statement, so they cost nothing there. On PostgreSQL they are advisory
locks: many may share one, or one has it to itself.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from reactivation.ledger.together import Question, together

MIGRATION, SEALING, PERMISSION, INTAKE, CLAIMING, OFFERS, HOLDING = range(0x5EAC_0001, 0x5EAC_0008)


def exclusive(conn: Connection, lock: int) -> None:
    """Wait until nobody shares the lock, and keep it."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(lock)))


def asked_to_claim(dialect: str) -> tuple[Question, ...]:
    """What is asked first of all, to share permission and be alone in claiming, in that order.

    Every row is found by its key then (``by_key``). The claims may be lost when the database dies, as nothing has
    followed from them: before a call is made it is won, and that is on disk only with all that was committed before.
    """
    return ((_TO_CLAIM, {}),) if dialect == "postgresql" else ()


def to_call(conn: Connection) -> None:
    """Share permission, in one breath with the beginning of the transaction; every row is found by its key then
    (``by_key``)."""
    if conn.dialect.name == "postgresql":
        with together(conn):
            conn.execute(_TO_CALL)


def by_key(conn: Connection) -> tuple[Question, ...]:
    """What is asked first to find every row by its key until the end of the transaction, however few a table had when
    it was last counted: it may have been empty. What is read from end to end once is so for ever, since a statement's
    plan is kept.

    It is kept whatever is asked about, too: to plan the question about signatures takes longer than to answer it.
    """
    return ((_BY_KEY, {}),) if conn.dialect.name == "postgresql" else ()


def shared(conn: Connection, lock: int) -> None:
    """Wait until nobody has the lock to himself, and share it."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock_shared(lock)))


_KEYS_ALONE = (
    func.set_config("enable_seqscan", "off", True), func.set_config("plan_cache_mode", "force_generic_plan", True),
)  # fmt: skip
_TO_CLAIM = select(
    func.pg_advisory_xact_lock_shared(PERMISSION), func.pg_advisory_xact_lock(CLAIMING), *_KEYS_ALONE,
    func.set_config("synchronous_commit", "off", True),
)  # fmt: skip
_TO_CALL = select(func.pg_advisory_xact_lock_shared(PERMISSION), *_KEYS_ALONE)
_BY_KEY = select(*_KEYS_ALONE)
