"""Snapshot and run folders: files beside a manifest that has the SHA-256 of each.

A folder without a manifest is no evidence. Files are added and never rewritten, but for the rows that erasure and
retention take out (``rewrites``); every read is checked against the manifest, and those, first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from reactivation.contract.digests import canonical_json
from reactivation.evidence.building import MANIFEST, as_path, building, local_path, replace_file, replacing
from reactivation.evidence.engine import quoted
from reactivation.evidence.errors import EvidenceError
from reactivation.evidence.parquet import ROWS_PER_GROUP, write_parquet
from reactivation.evidence.rewrites import Rewrite, accepted, read_rewrites

SCHEMA = 1
#: The only files with names, addresses, notes or bodies in them; never shown to a query unless named.
PERSONAL = ("people", "drafts")

Content: TypeAlias = pa.Table | pa.RecordBatchReader | bytes | Mapping[str, Any]


class Folder:
    """One folder of evidence. ``path`` may be a local path, a URL or Airflow's ``ObjectStoragePath``."""

    kind: ClassVar[str]

    def __init__(self, path: UPath | Path | str) -> None:
        self.path = as_path(path)
        self._checked: set[str] = set()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    @property
    def id(self) -> str:
        return str(self.path.name)

    def exists(self) -> bool:
        """Whether the folder is there, whole."""
        return bool((self.path / MANIFEST).exists())

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest as it is now. Raises ``EvidenceError`` if there is none or it cannot be read."""
        try:
            manifest = json.loads(self._manifest_bytes())
        except ValueError as error:
            raise EvidenceError(f"{self.path / MANIFEST} is broken; take a new {self.kind}") from error
        if manifest.get("schema") != SCHEMA or manifest.get("kind") != self.kind:
            raise EvidenceError(
                f"{self.path / MANIFEST} is not of a {self.kind} of schema {SCHEMA}; take a new {self.kind}"
            )
        return dict(manifest)

    @property
    def manifest_digest(self) -> str:
        """SHA-256 of the manifest's bytes: it stands for everything in the folder."""
        return hashlib.sha256(self._manifest_bytes()).hexdigest()

    def manifest_digest_without(self, *names: str) -> str:
        """The manifest's digest as it was before these files were added: by whoever was killed before saying so."""
        manifest = self.manifest
        for name in names:
            manifest["files"].pop(file_name(name), None)
        return hashlib.sha256(canonical_json(manifest)).hexdigest()

    @property
    def as_of(self) -> datetime:
        return datetime.fromisoformat(self.manifest["as_of"])

    @property
    def files(self) -> dict[str, str]:
        """File name to SHA-256, as the manifest has them."""
        return dict(self.manifest["files"])

    @property
    def rewrites(self) -> list[Rewrite]:
        """What erasure and retention took out of its files since, oldest first."""
        return read_rewrites(self.path)

    def has(self, name: str) -> bool:
        """Whether the manifest lists that file (``.parquet`` may be left out)."""
        return file_name(name) in self.files

    def read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of one Parquet file, or only some columns (``evidence.window_days``: one within another), checked
        against the manifest. Raises ``EvidenceError``, also for a column that is not there.

        Of drafts most is bytes, so whoever needs less than them says so.
        """
        stored = pq.ParquetFile(pa.BufferReader(self.read_bytes(file_name(name))))
        if columns is None:
            return stored.read()
        there = [f"{stored.schema.column(number).path}." for number in range(len(stored.schema))]
        missing = [column for column in columns if not any(path.startswith(f"{column}.") for path in there)]
        if missing:
            place, names = self.path / file_name(name), ", ".join(missing)
            raise EvidenceError(f"{place} has no {names}: another version wrote it; begin a new run")
        return stored.read(columns=list(columns))

    def peek(self, name: str, columns: Sequence[str]) -> pa.Table:
        """Some columns of one Parquet file, *not* checked against anything: to find out whether it is worth a look.

        Of years of drafts only the ids are read. Raises ``EvidenceError`` for a file that cannot be read.
        """
        place = self.path / file_name(name)
        try:
            with place.open("rb") as opened:
                return pq.ParquetFile(opened).read(columns=list(columns))
        except (FileNotFoundError, pa.ArrowInvalid) as error:
            raise EvidenceError(f"{place} is missing or broken; restore it") from error

    def read_json(self, name: str) -> dict[str, Any]:
        """The content of one JSON file, checked against the manifest. Raises ``EvidenceError``."""
        return dict(json.loads(self.read_bytes(name)))

    def read_bytes(self, name: str) -> bytes:
        """The bytes of one file, checked against the manifest. Raises ``EvidenceError``."""
        written = self.files.get(name)
        if written is None:
            raise EvidenceError(f"{self.path} has no file {name}; it has {', '.join(sorted(self.files))}")
        # Whoever rewrites the file just now may do so between our two looks: then there is something new to be told.
        told: list[Rewrite] | None = None
        while (since := [one for one in self.rewrites if one.file == name]) != told:
            told = since
            content = self._content(name)
            if hashlib.sha256(content).hexdigest() in accepted(written, since):
                return content
        changed = "put back or changed after rows were taken out of it" if told else "changed after it was written"
        raise EvidenceError(f"{self.path / name} was {changed}; restore it or take a new {self.kind}")

    def verify(self) -> None:
        """Checks every file against the manifest; ``EvidenceError`` names the first that differs."""
        for name in sorted(self.files):
            self.read_bytes(name)

    def add(self, files: Mapping[str, Content], *, rows_per_group: int = ROWS_PER_GROUP) -> str:
        """Adds files (rows as Parquet, mappings as canonical JSON, bytes as they are); the new manifest digest.

        ``drafts`` means ``drafts.parquet``. Adding the same bytes again changes nothing; other bytes under a name that
        is there raise ``EvidenceError``. What the ledger vouches for already must not be added to: its digest changes.
        Rows of a reader are written as they come, one row group in memory.
        """
        manifest = self.manifest
        rewritten = {one.file for one in self.rewrites}
        for name, content in files.items():
            file = file_name(name)
            if file in rewritten:
                raise EvidenceError(f"rows were taken out of {self.path / file} since; begin a new {self.kind}")
            with replacing(self.path / file) as place:
                _write(place, content, rows_per_group)
                digest = digest_of(place)
                if manifest["files"].get(file, digest) != digest:
                    raise EvidenceError(
                        f"{self.path / file} is already there with other content; begin a new {self.kind}"
                    )
            manifest["files"][file] = digest
        replace_file(self.path / MANIFEST, canonical_json(manifest))
        return self.manifest_digest

    def add_file(self, name: str, content: Content, *, rows_per_group: int = ROWS_PER_GROUP) -> str:
        """``add`` of one file."""
        return self.add({name: content}, rows_per_group=rows_per_group)

    def open_views(
        self, engine: duckdb.DuckDBPyConnection, *personal: str, only: Collection[str] | None = None
    ) -> None:
        """Gives the engine one view per Parquet file, named like it; personal files only when named.

        With ``only``, just these: each file is read once to check it, and a page about one needs no other.
        """
        place = local_path(self.path)
        for file in sorted(self.files):
            name, _, ending = file.rpartition(".")
            if ending != "parquet" or (name in PERSONAL and name not in personal):
                continue
            if only is not None and name not in only:
                continue
            if place is None:
                engine.register(name, self.read(name))
                continue
            if file not in self._checked:
                self.read_bytes(file)
                self._checked.add(file)
            engine.execute(f'CREATE VIEW "{name}" AS FROM read_parquet({quoted(str(place / file))})')

    def _content(self, name: str) -> bytes:
        try:
            return bytes((self.path / name).read_bytes())
        except FileNotFoundError as error:
            raise EvidenceError(f"{self.path / name} is missing; restore it or take a new {self.kind}") from error

    def _manifest_bytes(self) -> bytes:
        try:
            return bytes((self.path / MANIFEST).read_bytes())
        except FileNotFoundError as error:
            raise EvidenceError(f"there is no {self.kind} at {self.path}; check the id, or take a new one") from error


class SnapshotFolder(Folder):
    """What every source said at one as-of: the files of ``contract.snapshot``."""

    kind = "snapshot"


class RunFolder(Folder):
    """What one run found and made, file by file."""

    kind = "run"

    @classmethod
    def create(cls, path: UPath | Path | str, *, as_of: datetime, inputs: Mapping[str, str]) -> RunFolder:
        """A new run folder with nothing but its manifest; ``inputs`` are digests of what the run works from."""
        folder = cls(path)
        manifest = {"schema": SCHEMA, "kind": cls.kind, "id": folder.id, "as_of": as_of, "sources": [],
                    "files": {}, "inputs": dict(inputs)}  # fmt: skip
        with building(folder.path) as place:
            (place / MANIFEST).write_bytes(canonical_json(manifest))
        return folder


def file_digests(place: Path) -> dict[str, str]:
    """File name to SHA-256 of every file in a local folder."""
    return {file.name: digest_of(file) for file in sorted(place.iterdir())}


def digest_of(file: Path) -> str:
    """Hex SHA-256 of a local file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def file_name(name: str) -> str:
    """The name of a folder's file; one without an ending is a Parquet file."""
    return name if "." in name else f"{name}.parquet"


def _write(place: Path, content: Content, rows_per_group: int) -> None:
    if isinstance(content, bytes):
        place.write_bytes(content)
    elif isinstance(content, Mapping):
        place.write_bytes(canonical_json(content))
    else:
        write_parquet(place, content, content.schema, rows_per_group=rows_per_group)
