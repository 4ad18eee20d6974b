"""Short ways to read the six customers, or a source of a test's own, into a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.builders import AS_OF, KEYS, Row, tables, write_source

from reactivation.evidence import SnapshotFolder
from reactivation.sources import extract, open_source


def read(
    folder: Path,
    *,
    customer_ids: Sequence[str] | None = None,
    formats: dict[str, str] | None = None,
    **replaced: Sequence[Row] | str | bytes | None,
) -> SnapshotFolder:
    """A snapshot of the six customers with some tables replaced, at ``AS_OF``."""
    source = write_source(folder / "source", formats=formats, **replaced)
    return extract(
        open_source(source),
        into=folder / "snapshot",
        snapshot_id="snapshot",
        as_of=AS_OF,
        keys=KEYS,
        customer_ids=customer_ids,
    )


def rows(snapshot: SnapshotFolder, name: str) -> list[dict[str, Any]]:
    """The rows of one file."""
    return snapshot.read(name).to_pylist()


def column(snapshot: SnapshotFolder, name: str, wanted: str) -> list[Any]:
    """One column of one file."""
    return snapshot.read(name).column(wanted).to_pylist()


def problems(snapshot: SnapshotFolder) -> list[tuple[str, str | None, int, str, str]]:
    """The quarantine as plain tuples."""
    return [tuple(row.values()) for row in rows(snapshot, "quarantine")]


def said(snapshot: SnapshotFolder, table: str) -> dict[str, Any]:
    """What the manifest says of one table."""
    return dict(snapshot.manifest["sources"][0]["tables"][table])


def plus(table: str, *more: Row) -> list[Row]:
    """The rows of the six customers and some more."""
    return [*tables()[table], *more]
