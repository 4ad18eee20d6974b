"""Taking rows out of a file of evidence, for erasure and for retention alone: whole or not at all, and on record.

Killed at any moment, the folder reads as before or as after, and doing it again finishes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reactivation.evidence.building import alone, forget_half, replacing
from reactivation.evidence.folders import Folder, digest_of, file_name
from reactivation.evidence.parquet import write_parquet
from reactivation.evidence.rewrites import Rewrite, note, note_done

#: Which rows of a table stay, as a column of booleans without nulls.
Keep = Callable[[pa.Table], pa.Array | pa.ChunkedArray]


def to_take_out(folder: Folder, name: str, keep: Keep, columns: Sequence[str]) -> int:
    """How many rows of a file ``keep`` says no to, by these columns of it; nothing is checked and nothing changes."""
    rows = folder.peek(name, columns)
    return len(rows) - int(pc.sum(keep(rows), min_count=0).as_py())


def take_out(
    folder: Folder, name: str, keep: Keep, *, columns: Sequence[str], reason: str, now: datetime,
    record: Callable[[Rewrite], None],
) -> Rewrite | None:  # fmt: skip
    """Rewrite one Parquet file without the rows that ``keep`` says no to; ``None`` where it says yes to all.

    ``columns`` are those ``keep`` asks about. ``record`` is called before anything changes, and again with the same
    rewrite when a killed one is done anew: nothing is taken out that is not on record. Raises ``EvidenceError`` for a
    file that is not what it should be.
    """
    file = file_name(name)
    with alone(folder.path):
        forget_half(folder.path / file)
        half_done = any(one.file == file and not one.done for one in folder.rewrites)
        if not half_done and not to_take_out(folder, name, keep, columns):
            return None
        content = folder.read_bytes(file)
        old = hashlib.sha256(content).hexdigest()
        _settle(folder, file, old)
        rows = pq.ParquetFile(pa.BufferReader(content)).read()
        stay = rows.filter(keep(rows))
        if len(stay) == len(rows):
            return None
        with replacing(folder.path / file) as place:
            write_parquet(place, stay, stay.schema)
            made = Rewrite(file, old, digest_of(place), reason, now, len(rows) - len(stay), len(stay))
            record(made)
            note(folder.path, made)
        note_done(folder.path, made)
    return made


def _settle(folder: Folder, file: str, found: str) -> None:
    """Whoever was killed between the new file and the word that it is done: it is."""
    for one in folder.rewrites:
        if one.file == file and not one.done and one.new == found:
            note_done(folder.path, one)
