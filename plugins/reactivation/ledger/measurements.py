"""What we record of ourselves: one measurement event per decision, approval, send and exit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation.evidence.ids import digests
from reactivation.ledger.bulk import FEW, Stored, insert_rows, stored
from reactivation.ledger.given import enter
from reactivation.ledger.tables import measurement_events

_TEXT, _TIME = pa.string(), pa.timestamp("us", tz="UTC")

#: The columns of an event beside ``event_id``.
SCHEMA = pa.schema([
    ("run_id", _TEXT), ("playbook", _TEXT), ("subject", _TEXT), ("kind", _TEXT), ("outcome", _TEXT), ("reason", _TEXT),
    ("occurred_at", _TIME), ("rules_version", _TEXT),
])  # fmt: skip
_COMPLETE = {"event_id", *SCHEMA.names}


def insert_events(conn: Connection, rows: Iterable[Mapping[str, Any]] | pa.Table | Stored) -> int:
    """Record events with the columns of ``SCHEMA``; returns how many are new. An Arrow table is the fast way.

    An ``event_id`` is made of the other columns where none is given, so that telling the same thing twice is nothing
    new.
    """
    if isinstance(rows, Stored):
        return insert_rows(conn, measurement_events, rows, ignore_repeats=True)
    if not isinstance(rows, pa.Table):
        listed = [dict(row) for row in rows]
        if len(listed) <= FEW and all(row.keys() == _COMPLETE for row in listed):
            return enter(conn, measurement_events, listed, ignore_repeats=True)
        named = [pa.field("event_id", _TEXT)] if any("event_id" in row for row in listed) else []
        rows = pa.Table.from_pylist(listed, schema=pa.schema([*SCHEMA, *named]))
    return insert_rows(conn, measurement_events, identified(rows), ignore_repeats=True)


def stored_events(dialect: str, rows: pa.Table) -> pa.Table | Stored:
    """Events as ``insert_events`` would store them; it needs no database."""
    ready = identified(rows)
    return stored(dialect, measurement_events, ready) if len(ready) > FEW else ready


def identified(rows: pa.Table) -> pa.Table:
    """Events with their ids."""
    events = rows.select(SCHEMA.names).cast(SCHEMA)
    ids = rows["event_id"] if "event_id" in rows.column_names else _ids(events)
    return events.append_column("event_id", ids)


def _ids(events: pa.Table) -> pa.Array:
    """A stable id per row: 32 hex digits of the digest of its columns."""
    parts = [pc.fill_null(_text(events[name]), "") for name in SCHEMA.names]
    joined = pc.binary_join_element_wise(*parts, "\x1f")
    return pc.utf8_slice_codeunits(digests(joined), 0, 32)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """A column as texts; the instants of one step are few, and each is worded once."""
    if column.type == _TEXT:
        return column
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.dictionary.cast(_TEXT).take(encoded.indices)
