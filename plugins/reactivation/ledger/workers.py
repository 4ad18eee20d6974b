"""Which dispatchers are still at work, asked of the operating system or the database rather than of a clock.

A dispatcher holds a lock as long as it lives: on PostgreSQL an advisory lock of a connection of its own, on SQLite a
lock on a file beside the ledger. Killed, it lets go at once. Nothing that is sent depends on it: it only tells when
work left behind may be taken over; each call of a provider is won in the ledger first.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from reactivation.ledger.engine import Ledger


@contextmanager
def at_work(ledger: Ledger) -> Iterator[str]:
    """The id of a new dispatcher, alive as long as the block runs. Raises ``LedgerError``.

    One that loses its connection is taken for dead from then on, and may go on: what others take over of its work it
    has lost in the ledger, and calls no more.
    """
    worker = str(uuid4())
    if ledger.dialect == "postgresql":
        with ledger.at_once() as connection:
            connection.execute(select(func.pg_advisory_lock(_number(worker))))
            try:
                yield worker
            finally:
                with suppress(DBAPIError):  # a connection that is lost keeps nothing
                    connection.execute(select(func.pg_advisory_unlock(_number(worker))))
        return
    file = _file(ledger, worker)
    file.parent.mkdir(exist_ok=True)
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            yield worker
        finally:
            file.unlink()


def gone(ledger: Ledger, workers: Iterable[str]) -> frozenset[str]:
    """Those of the dispatchers that live no more."""
    if ledger.dialect == "sqlite":
        return frozenset(worker for worker in workers if _file_is_free(_file(ledger, worker)))
    with ledger.begin() as conn:
        return frozenset(
            worker for worker in workers if conn.scalar(select(func.pg_try_advisory_xact_lock(_number(worker))))
        )


def _file(ledger: Ledger, worker: str) -> Path:
    return Path(f"{ledger.engine.url.database}-workers") / worker


def _file_is_free(file: Path) -> bool:
    try:
        with file.open("r+") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    file.unlink(missing_ok=True)
    return True


def _number(worker: str) -> int:
    return int.from_bytes(hashlib.sha256(worker.encode()).digest()[:8], "big", signed=True)
