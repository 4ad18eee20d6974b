"""What a source is, whatever system it stands for: it says when it speaks, and its tables can be read."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Similar:
    """What addresses must have in common to be worth comparing: what stands before the @, or the last digits."""

    locals: frozenset[str]
    endings: frozenset[str]


@dataclass(frozen=True)
class Few:
    """Whom a read by id is about. ``similar`` says that whoever may share an address with them is wanted too."""

    customers: frozenset[str]
    accounts: frozenset[str] = frozenset()
    similar: Similar | None = None


@dataclass(frozen=True)
class Told:
    """One table as a file on this disk; ``shown`` is what messages call it, ``unknown`` are columns left behind."""

    path: Path
    shown: str
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Condensed:
    """What a source condensed itself, of customers none of whose facts it told: the summary as told, and how many facts
    each customer has (``customer_id``, ``facts``), as Parquet."""

    summary: Path
    counts: Path


class Reader(Protocol):
    """A source open for one consistent read."""

    @property
    def by_id(self) -> bool:
        """Whether ``fetch`` minds ``few``; if not it tells the whole table."""

    @property
    def tables(self) -> Collection[str]:
        """The contract's tables that are there."""

    @property
    def speaks_as_of(self) -> datetime:
        """The instant whose facts this read tells (UTC)."""

    def fetch(self, table: str, few: Few | None = None) -> Told:
        """A table, or at least every row of it that may be about these few. Raises ``SourceError``."""

    def condense(self, table: str, as_of: datetime) -> tuple[Told, Condensed | None]:
        """The facts that must be judged row by row, and the summary of all others. Raises ``SourceError``."""


class Source(Protocol):
    """A system of record."""

    @property
    def name(self) -> str:
        """What the manifest calls it."""

    def speaks_as_of(self) -> datetime:
        """The instant whose facts it tells now (UTC). Raises ``SourceError``."""

    def reading(self, work: Path) -> AbstractContextManager[Reader]:
        """Opens it; what is fetched lies in ``work``. Raises ``SourceError``, also at the end of the block."""
