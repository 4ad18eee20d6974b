"""A few threads for the ledger, and what is told of it when it cannot be used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from reactivation.ledger.engine import LedgerError
from reactivation.playbooks.declared import DeclarationError
from reactivation.steps.settings import ConfigurationError

#: How long whoever asks is told to wait.
AGAIN_IN = 120
#: Fewer than the ledger's connections: whoever has a thread need not wait for one of these.
_AT_ONCE = 8

_UNUSABLE = (LedgerError, SQLAlchemyError, ConfigurationError, DeclarationError)
T = TypeVar("T")


class Unavailable(Exception):
    """The ledger or what it needs cannot be used now. Nothing was promised; the same may be asked again."""


class Threads:
    """So many steps at once; the others wait."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def run(self, step: Callable[[], T]) -> T:
        """What ``step`` returns once it is committed. Raises ``Unavailable``, and whatever is a defect of ours."""
        async with self._free:
            try:
                return await asyncio.to_thread(step)
            except _UNUSABLE as error:
                raise Unavailable from error
