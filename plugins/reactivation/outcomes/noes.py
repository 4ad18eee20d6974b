"""The permanent noes in a fresh read of a source: opt-outs, objections, complaints, withdrawn consent."""

from __future__ import annotations

from collections.abc import Sequence

from reactivation import paths
from reactivation.evidence import SnapshotFolder, query
from reactivation.ledger.suppressions import Suppression


def noes(folder: SnapshotFolder, *, brand: str, channels: Sequence[str]) -> list[Suppression]:
    """Every suppression the folder's tables state for a brand, by address key (``include/sql/noes.sql``)."""
    found = query(folder, paths.sql("noes"), {"brand": brand, "channels": list(channels)})
    return [Suppression(**row) for row in found.to_pylist()]
