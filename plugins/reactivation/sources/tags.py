"""A thing of ours in a system of others: who bears our tags, in a table or a file that nothing else is in.

Nothing but this and who is in our segments (``sources/membership.py``) is ever written into a source: no consent, no
address, no subscription. Nothing is remembered of the last writing either: a file is replaced whole, and a table is
compared with what we say (``sources/tags_table.py``), so whoever is killed, or does it again, ends the same.

Source: PLAYBOOKS.md section 3 (tags are written back to the CRM, one-way, never a re-subscription).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa
from upath import UPath

from reactivation.contract.tables import TEXT, TIME
from reactivation.evidence import as_path, open_engine
from reactivation.evidence.building import alone, local_path, replacing
from reactivation.evidence.engine import quoted
from reactivation.sources.errors import SourceError

NAME = "reactivation_tags"
FILE = f"{NAME}.csv"
#: A tag from when it was set until it was taken off; ``removed_at`` is empty while it stands.
SAID = pa.schema([("customer_id", TEXT), ("tag", TEXT), ("set_at", TIME), ("removed_at", TIME)])

_MEMORY = "1GB"
_STANDING = """SELECT customer_id, tag, strftime(set_at, '%Y-%m-%dT%H:%M:%SZ') AS set_at
FROM ours WHERE removed_at IS NULL ORDER BY ALL"""


class Tags(Protocol):
    """Where tags are written to."""

    def write(self, ours: Path, erased: Collection[str], work: Path) -> dict[str, int]:
        """Make it say what ``ours`` says, Parquet of ``SAID`` without the erased; returns counts, by what was done.
        ``work`` is an empty folder on this disk. Raises ``SourceError``."""


@dataclass(frozen=True)
class TagsFile:
    """A file of the tags that stand, in a folder or an object store; each time it is replaced whole."""

    folder: UPath

    def write(self, ours: Path, erased: Collection[str], work: Path) -> dict[str, int]:
        """See ``Tags``; counts the tags that stand. The erased are not in it: it is made of ``ours`` alone."""
        place = local_path(self.folder)
        if place is not None and not place.is_dir():
            raise SourceError(f"there is no folder {self.folder} to write {FILE} into; make it, or correct the setting")
        try:
            with views(work, ours=ours) as engine, alone(self.folder), replacing(self.folder / FILE) as made:
                engine.execute(f"COPY ({_STANDING}) TO {quoted(str(made))} (FORMAT csv, HEADER)")
                ((count,),) = engine.sql("SELECT count(*) FROM ours WHERE removed_at IS NULL").fetchall()
        except (OSError, duckdb.IOException) as error:
            raise SourceError(
                f"{self.folder / FILE} cannot be written ({type(error).__name__}); let the process write there, or "
                "correct the setting"
            ) from error
        return {"tags_standing": int(count)}


def open_tags(place: str) -> TagsFile:
    """The file in a folder, by path or object-store URL."""
    return TagsFile(as_path(place))


@contextmanager
def views(work: Path, **files: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine with a view of each Parquet file, by name; what does not fit into memory goes to ``work``."""
    with open_engine(spill=work, memory=_MEMORY) as engine:
        for name, file in files.items():
            engine.execute(f"CREATE VIEW {name} AS FROM read_parquet({quoted(str(file))})")
        yield engine
