"""Several sources that together are one: each table comes from one of them, and each says when it speaks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reactivation.contract.tables import TABLES
from reactivation.sources.base import Reader, Source
from reactivation.sources.errors import SourceError


@dataclass(frozen=True)
class Part:
    """A source, what it is called, and which tables are taken from it."""

    name: str
    source: Source
    tables: frozenset[str]


@dataclass(frozen=True)
class Sources:
    """Where every table of the contract comes from. Make one with ``sources_of`` or ``by_table``."""

    parts: tuple[Part, ...]

    def speaks_as_of(self) -> datetime:
        """When the one speaks that speaks of the earliest time. Raises ``SourceError``."""
        return min(part.source.speaks_as_of() for part in self.parts)

    def spoken(self, tables: Collection[str]) -> dict[str, datetime]:
        """Source to when it speaks, of those that any of these tables comes from. Raises ``SourceError``."""
        return {part.name: part.source.speaks_as_of() for part in self.parts if part.tables & set(tables)}

    def part_of(self, *tables: str) -> Sources:
        """The sources of some tables, alone."""
        return Sources(tuple(part for part in self.parts if part.tables & set(tables)))

    @contextmanager
    def reading(self, work: Path) -> Iterator[Reading]:
        """Opens all of them. Raises ``SourceError``, also where two of them have a table."""
        with ExitStack() as stack:
            readers = []
            for number, part in enumerate(self.parts):
                place = work / f"source-{number}"
                place.mkdir()
                readers.append((part, stack.enter_context(part.source.reading(place))))
            _check_no_table_twice(readers)
            yield Reading(tuple(readers))


@dataclass(frozen=True)
class Reading:
    """Every source open for one read."""

    readers: tuple[tuple[Part, Reader], ...]

    def of(self, table: str) -> Reader | None:
        """The reader of a table; ``None`` where it is not there."""
        return next(
            (reader for part, reader in self.readers if table in part.tables and table in reader.tables), None
        )  # fmt: skip


def sources_of(source: Source | Sources) -> Sources:
    """Several sources as they are, or everything from one."""
    return source if isinstance(source, Sources) else Sources((Part(source.name, source, frozenset(TABLES)),))


def by_table(sources: Mapping[str, Source], taken: Mapping[str, str], default: str) -> Sources:
    """The named sources; ``taken`` says which table comes from which, all others come from ``default``."""
    parts = []
    for name, source in sources.items():
        tables = frozenset(table for table in TABLES if taken.get(table, default) == name)
        if tables:
            parts.append(Part(name, source, tables))
    return Sources(tuple(parts))


def _check_no_table_twice(readers: Collection[tuple[Part, Reader]]) -> None:
    """A table that lies in two places may say no in the one that is not read."""
    for part, reader in readers:
        for table in TABLES:
            if table in reader.tables and table not in part.tables:
                taken = next((other.name for other, _ in readers if table in other.tables), None)
                if taken is None:  # nobody is asked for this table in this read
                    continue
                raise SourceError(
                    f"the source {part.name} has {table} too, which the playbooks take from {taken}; "
                    f"remove it from {part.name}, or take it from there (sources in the playbooks)"
                )
