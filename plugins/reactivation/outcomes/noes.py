"""The permanent noes in a fresh read of a source: opt-outs, objections, complaints, withdrawals, dead addresses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from reactivation import paths
from reactivation.evidence import SnapshotFolder, query
from reactivation.ledger.suppressions import EVERY, Suppression

_OCCUPIED = pa.schema([("customer_id", pa.string()), ("address_key", pa.string())])
_WRITTEN = pa.schema([("customer_id", pa.string()), ("touch_id", pa.string()), ("address_key", pa.string())])


@dataclass(frozen=True)
class No:
    """One record of a source that forbids writing to an address. ``event_id`` is the record's id, its table in front;
    ``brand`` and ``channel``: ``*`` for every one."""

    event_id: str
    address_key: str
    brand: str
    channel: str
    reason: str
    source: str
    occurred_at: datetime


def noes(
    folder: SnapshotFolder, told: pa.Table, *, occupied: Iterable[tuple[str, str]],
    written: Iterable[tuple[str, str, str]], brand: str, channels: Sequence[str], purposes: Sequence[str],
) -> list[No]:  # fmt: skip
    """Every no that the folder's tables and the events ``told`` state for a brand (``include/sql/noes.sql``).

    ``occupied``: customer and address key, as the ledger has them; ``written``: customer, touch and
    address key of the touches that bounces are told of; ``purposes``: what a consent must be given for to undo a no.
    """
    found = query(
        folder, paths.sql("noes"), {"brand": brand, "channels": list(channels), "purposes": list(purposes)},
        extra={"told": told, "occupied": _rows(occupied, _OCCUPIED), "written": _rows(written, _WRITTEN)},
    )  # fmt: skip
    return [No(**row) for row in found.to_pylist()]


def suppressions_of(said: Iterable[No]) -> list[Suppression]:
    """What the noes forbid for ever: one per address, brand, channel and reason, by its earliest statement."""
    first: dict[tuple[str, str, str, str], Suppression] = {}
    for no in sorted(said, key=lambda no: (no.occurred_at, no.event_id)):
        key = (no.address_key, no.brand, no.channel, no.reason)
        first.setdefault(key, Suppression(*key, no.source, no.occurred_at))
    return list(first.values())


def facts_of_noes(said: Iterable[No]) -> dict[str, list[dict[str, Any]]]:
    """By address key, the noes as rows like those of ``facts_of``; their kind is the reason."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for no in said:
        found[no.address_key].append(
            {"event_id": no.event_id, "occurred_at": no.occurred_at, "kind": no.reason,
             "channel": None if no.channel == EVERY else no.channel}
        )  # fmt: skip
    return found


def _rows(rows: Iterable[tuple[str, ...]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)
