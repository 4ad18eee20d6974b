"""A folder of files named after the tables of the contract, on a disk or in an object store.

``source.json`` may say as of when the source speaks (``{"as_of": "2026-11-17T09:00:00Z"}``); else it is the time of the
oldest file that may forbid: a fresh product list says nothing about yesterday's opt-outs.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from upath import UPath

from reactivation.contract.tables import FORBIDDING, TABLES
from reactivation.evidence.building import as_path, local_path
from reactivation.sources.base import Few, Told
from reactivation.sources.errors import SourceError

ENDINGS = ("csv", "jsonl", "parquet")
_SAYS = "source.json"


@dataclass(frozen=True)
class FolderSource:
    """One folder that is read as a system of record. Make one with ``open_source``."""

    path: UPath

    @property
    def name(self) -> str:
        """What the manifest calls it: the last part of its location."""
        return str(self.path.name)

    def files(self) -> dict[str, UPath]:
        """Table to file, for the tables that are there. Raises ``SourceError``."""
        try:
            there = {str(file.name): file for file in self.path.iterdir()}
        except (OSError, ValueError) as error:
            raise SourceError(
                f"the source {self.path} cannot be listed ({error}); check the setting of the source"
            ) from error
        found: dict[str, UPath] = {}
        for table in TABLES:
            candidates = [f"{table}.{ending}" for ending in ENDINGS if f"{table}.{ending}" in there]
            if len(candidates) > 1:
                raise SourceError(f"{self.path} has {' and '.join(candidates)}; leave one of them")
            if candidates:
                found[table] = there[candidates[0]]
        if not found:
            raise SourceError(
                f"{self.path} has no file named after a table ({', '.join(TABLES)}; .csv, .jsonl or .parquet); "
                "check the setting of the source"
            )
        return found

    def speaks_as_of(self) -> datetime:
        """The instant whose facts the source tells (UTC). Raises ``SourceError``."""
        says = self.path / _SAYS
        if not says.exists():
            files = self.files()
            forbidding = [files[name] for name in FORBIDDING if name in files]
            return min(_changed_at(file) for file in forbidding or files.values())
        try:
            as_of = datetime.fromisoformat(json.loads(says.read_text(encoding="utf-8"))["as_of"])
        except (ValueError, KeyError, TypeError) as error:
            raise SourceError(
                f'{says} must be like {{"as_of": "2026-11-17T09:00:00Z"}}; write it so, or remove it'
            ) from error
        if as_of.tzinfo is None:
            raise SourceError(f"{says}: as_of {as_of.isoformat()} has no time zone; add Z for UTC")
        return as_of.astimezone(UTC)

    @contextmanager
    def staged(self, work: Path) -> Iterator[dict[str, Path]]:
        """Table to a file on this disk: the file itself, or its copy in ``work``.

        Raises ``SourceError`` at the end of the block if a file was changed while it was read.
        """
        files = self.files()
        before = {table: _mark(file) for table, file in files.items()}
        try:
            yield {table: _on_disk(file, work) for table, file in files.items()}
        finally:
            for table, file in files.items():
                if _mark(file) != before[table]:
                    # Whatever else went wrong went wrong because of that; it may quote a row, so it is not told.
                    raise SourceError(
                        f"{file} was changed while it was read; take the snapshot again when the export is done"
                    ) from None

    @contextmanager
    def reading(self, work: Path) -> Iterator[FolderReader]:
        """The files as they are now; see ``staged``."""
        with self.staged(work) as files:
            yield FolderReader(files, self.speaks_as_of())


@dataclass(frozen=True)
class FolderReader:
    """A folder open for one read. Files are read whole, whoever is asked about, and condense nothing."""

    tables: Mapping[str, Path]
    speaks_as_of: datetime
    by_id: bool = False

    def fetch(self, table: str, few: Few | None = None) -> Told:
        return Told(self.tables[table], self.tables[table].name)

    def condense(self, table: str, as_of: datetime) -> tuple[Told, None]:
        return self.fetch(table), None


def open_source(location: UPath | Path | str) -> FolderSource:
    """The source at a folder or an object-store URL. Raises ``SourceError`` if there is none."""
    path = as_path(location)
    if not path.exists():
        raise SourceError(f"there is no source at {path}; check the setting of the source")
    return FolderSource(path)


def _on_disk(file: UPath, work: Path) -> Path:
    place = local_path(file)
    if place is not None:
        return place
    copy = work / str(file.name)
    with file.open("rb") as remote, copy.open("wb") as local:
        shutil.copyfileobj(remote, local)
    return copy


def _changed_at(file: UPath) -> datetime:
    changed: datetime = file.fs.modified(file.path)
    return changed.replace(tzinfo=UTC) if changed.tzinfo is None else changed.astimezone(UTC)


def _mark(file: UPath) -> tuple[int, datetime] | None:
    try:
        return file.stat().st_size, _changed_at(file)
    except FileNotFoundError:
        return None
