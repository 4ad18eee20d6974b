"""Who is in which of our segments, in a table or a file of ours in a system of others.

Like the tags (``sources/tags.py``): one way, by comparison, and nothing is remembered of the last writing. Membership
is what the last run found and nothing else: it is no consent, and being in no segment is none either.

Source: PLAYBOOKS.md section 3 (segment membership is written back to the CRM, one-way, never a re-subscription).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa
from sqlalchemy import Column, DateTime, Engine, MetaData, String, Table
from upath import UPath

from reactivation import paths
from reactivation.contract.tables import TEXT, TIME
from reactivation.evidence import as_path
from reactivation.evidence.building import alone, local_path, replacing
from reactivation.evidence.engine import quoted
from reactivation.sources.errors import SourceError
from reactivation.sources.own_table import AT_ONCE, batches, own_table
from reactivation.sources.refusals import writing
from reactivation.sources.tags import views

NAME = "reactivation_segments"
FILE = f"{NAME}.csv"
#: A customer in a segment of a playbook; ``since``: the as-of of the run that found them there.
MEMBERS = pa.schema([("customer_id", TEXT), ("playbook", TEXT), ("segment", TEXT), ("since", TIME)])
#: The table as we ask for it.
WANTED = Table(
    NAME, MetaData(),
    Column("customer_id", String(80), primary_key=True),
    Column("playbook", String(80), primary_key=True),
    Column("segment", String(80), primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False),
)  # fmt: skip

_SORTED = """SELECT customer_id, playbook, segment, strftime(since, '%Y-%m-%dT%H:%M:%SZ') AS as_of
FROM ours ORDER BY ALL"""


class Membership(Protocol):
    """Where segments are written to."""

    def write(self, ours: Path, playbooks: Collection[str], erased: Collection[str], work: Path) -> dict[str, int]:
        """Make it say who is in the segments of ``playbooks``: ``ours``, Parquet of ``MEMBERS`` without the erased;
        returns counts. ``work`` is an empty folder on this disk. Raises ``SourceError``."""


@dataclass(frozen=True)
class SegmentsFile:
    """A file of everybody who is in a segment now, in a folder or an object store; replaced whole each time."""

    folder: UPath

    def write(self, ours: Path, playbooks: Collection[str], erased: Collection[str], work: Path) -> dict[str, int]:
        """See ``Membership``; counts the members. The erased are not in it: it is made of ``ours`` alone."""
        place = local_path(self.folder)
        if place is not None and not place.is_dir():
            raise SourceError(f"there is no folder {self.folder} to write {FILE} into; make it, or correct the setting")
        try:
            with views(work, ours=ours) as engine, alone(self.folder), replacing(self.folder / FILE) as made:
                engine.execute(f"COPY ({_SORTED}) TO {quoted(str(made))} (FORMAT csv, HEADER)")
                ((count,),) = engine.sql("SELECT count(*) FROM ours").fetchall()
        except (OSError, duckdb.IOException) as error:
            raise SourceError(
                f"{self.folder / FILE} cannot be written ({type(error).__name__}); let the process write there, or "
                "correct the setting"
            ) from error
        return {"members": int(count)}


@dataclass(frozen=True)
class SegmentsTable:
    """The table ``reactivation_segments`` of a database and, where it has several, of the schema in it."""

    engine: Engine
    name: str
    schema: str | None = None

    def write(self, ours: Path, playbooks: Collection[str], erased: Collection[str], work: Path) -> dict[str, int]:
        """See ``Membership``; counts rows that are new and that are gone, and those of the erased that went.

        Who stays in a segment keeps the row, and since when; who left it has none. Rows of a playbook that is not ours
        stay. A batch is one transaction.
        """
        shown, theirs = f"{self.name}: {f'{self.schema}.' if self.schema else ''}{NAME}", work / "theirs.parquet"
        counts = {"members_new": 0, "members_gone": 0, "members_erased": 0}
        with writing(self.name, shown):
            with self.engine.connect() as connection:
                there = own_table(self.engine, connection, WANTED, shown, self.schema)
                there.read(theirs, connection, shown, MEMBERS)
            with views(work, ours=ours, theirs=theirs) as engine:
                engine.register("erased", pa.table({"customer_id": pa.array(sorted(erased), TEXT)}))
                gone = engine.sql("SELECT DISTINCT customer_id FROM theirs SEMI JOIN erased USING (customer_id)")
                for few in batches(gone.to_arrow_reader(AT_ONCE)):
                    counts["members_erased"] += there.take_out([row["customer_id"] for row in few])
                differ = engine.sql(paths.sql("segments_to_write"), params={"playbooks": sorted(playbooks)})
                for batch in batches(differ.to_arrow_reader(AT_ONCE)):
                    for left, counted, do in ((True, "members_gone", there.remove), (False, "members_new", there.put)):
                        rows = [row for row in batch if row["left_it"] is left]
                        if rows:
                            do(rows)
                        counts[counted] += len(rows)
        return counts


def open_membership(place: str) -> SegmentsFile:
    """The file in a folder, by path or object-store URL."""
    return SegmentsFile(as_path(place))
