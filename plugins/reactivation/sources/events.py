"""What a few customers did since an instant, fact by fact: for ending an enrolment, not for deciding one."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from reactivation import paths
from reactivation.contract.tables import MONEY, TABLES, TEXT, TIME
from reactivation.evidence import open_engine
from reactivation.evidence.engine import quoted
from reactivation.sources import rows
from reactivation.sources.base import Few, Source
from reactivation.sources.files import open_told
from reactivation.sources.several import Sources, sources_of
from reactivation.sources.values import install_macros

#: ``event_id`` begins with the name of its table; ``kind`` is the engagement's, or ``order``, ``booking``,
#: ``subscription``; ``cancelled``, with the id of the event it takes back in ``about``; or ``unreadable``.
EVENTS = pa.schema([
    ("event_id", TEXT), ("customer_id", TEXT), ("occurred_at", TIME), ("kind", TEXT), ("channel", TEXT),
    ("touch_id", TEXT), ("offer_code", TEXT), ("amount", MONEY), ("currency", TEXT), ("discount", MONEY),
    ("about", TEXT),
])  # fmt: skip


def read_events(source: Source | Sources, *, customer_ids: Sequence[str], since: datetime) -> pa.Table:
    """``EVENTS`` of these customers after ``since``, in the order they happened.

    Bounces, complaints and unsubscribes come whenever they happened, broken ones too (without a readable kind as
    ``unreadable``, without a readable time at ``since``). Raises ``SourceError`` if a file is broken.
    """
    wanted = f"customer_id IN ({', '.join(quoted(customer) for customer in sorted(set(customer_ids)))})"
    if not customer_ids:
        return EVENTS.empty_table()
    with tempfile.TemporaryDirectory() as folder, open_engine() as engine:
        work = Path(folder)
        install_macros(engine)
        rows.prepare(engine)
        with sources_of(source).reading(work) as reading:
            for name in ("engagements", "purchases"):
                reader = reading.of(name)
                told = reader.fetch(name, Few(frozenset(customer_ids))) if reader else None
                raw = open_told(engine, TABLES[name], told, work) if told else None
                rows.load(engine, TABLES[name], raw, wanted)
        parameters = {"since": since, "customers": sorted(set(customer_ids))}
        return engine.sql(paths.sql("events"), params=parameters).to_arrow_table().cast(EVENTS)
