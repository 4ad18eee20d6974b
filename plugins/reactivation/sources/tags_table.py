"""The table ``reactivation_tags`` in a database of others, brought to what we say.

All of it is read and compared (13 s for a million rows); only what differs is written, a batch in a transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Column, DateTime, Engine, MetaData, String, Table

from reactivation import paths
from reactivation.contract.tables import TEXT
from reactivation.sources.own_table import AT_ONCE, batches, own_table
from reactivation.sources.refusals import writing
from reactivation.sources.tags import NAME, SAID, views

#: The table as we ask for it.
WANTED = Table(
    NAME, MetaData(),
    Column("customer_id", String(80), primary_key=True),
    Column("tag", String(80), primary_key=True),
    Column("set_at", DateTime(timezone=True), primary_key=True),
    Column("removed_at", DateTime(timezone=True)),
)  # fmt: skip


@dataclass(frozen=True)
class TagsTable:
    """The table ``reactivation_tags`` of a database and, where it has several, of the schema in it."""

    engine: Engine
    name: str
    schema: str | None = None

    def write(self, ours: Path, erased: Collection[str], work: Path) -> dict[str, int]:
        """See ``sources.tags.Tags``; counts rows that are new, changed and, of the erased, taken out.

        Rows of nobody we know stay. A batch is one transaction: killed in between, the table has whole batches, and the
        next writing does the rest.
        """
        shown, theirs = f"{self.name}: {f'{self.schema}.' if self.schema else ''}{NAME}", work / "theirs.parquet"
        counts = {"tags_new": 0, "tags_changed": 0, "tags_erased": 0}
        with writing(self.name, shown):
            with self.engine.connect() as connection:
                there = own_table(self.engine, connection, WANTED, shown, self.schema)
                there.read(theirs, connection, shown, SAID)
            with views(work, ours=ours, theirs=theirs) as engine:
                engine.register("erased", pa.table({"customer_id": pa.array(sorted(erased), TEXT)}))
                gone = engine.sql("SELECT DISTINCT customer_id FROM theirs SEMI JOIN erased USING (customer_id)")
                for few in batches(gone.to_arrow_reader(AT_ONCE)):
                    counts["tags_erased"] += there.take_out([row["customer_id"] for row in few])
                differ = engine.sql(paths.sql("tags_to_write"))
                for batch in batches(differ.to_arrow_reader(AT_ONCE)):
                    new = [row for row in batch if not row["there"]]
                    changed = [row for row in batch if row["there"]]
                    there.put(new, changed, "removed_at")
                    counts["tags_new"] += len(new)
                    counts["tags_changed"] += len(changed)
        return counts
