"""Evidence: a folder per snapshot and per run, its manifest of digests, and DuckDB over its files.

Files are written once, whole or not at all, and hold no names, addresses or notes, except ``people.parquet`` and
``drafts.parquet``. Erasure and retention alone take rows out of them, on record.
"""

from __future__ import annotations

import pyarrow as pa

from reactivation.evidence.building import as_path, building
from reactivation.evidence.engine import open_engine
from reactivation.evidence.errors import EvidenceError
from reactivation.evidence.folders import Folder, RunFolder, SnapshotFolder
from reactivation.evidence.rewrites import Rewrite
from reactivation.evidence.rewriting import Keep, take_out, to_take_out
from reactivation.evidence.views import in_order, query, questions

__all__ = [
    "EvidenceError", "Folder", "Keep", "Rewrite", "RunFolder", "SnapshotFolder", "as_path", "building", "in_order",
    "open_engine", "query", "questions", "take_out", "to_take_out",
]  # fmt: skip

# Columns come and go by the hundred megabytes. Arrow's own pool gives their memory back each time, and asking for it
# again took a quarter of deciding a million customers.
pa.set_memory_pool(pa.system_memory_pool())
