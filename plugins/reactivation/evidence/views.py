"""Statements asked of a folder's files, each a view of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation import paths
from reactivation.evidence.engine import THREADS, open_engine
from reactivation.evidence.folders import Folder

#: Rows of a result that lie together: whoever works through it in shares can let go of what is behind him.
_CHUNK = 131_072
#: What statements over amounts are written in.
_MACROS = ("ten_thousandths", "within_money")
#: Of so few pieces none is copied.
_FEW_PIECES = 200


def query(
    folder: Folder,
    sql: str,
    parameters: Mapping[str, Any] | None = None,
    extra: Mapping[str, pa.Table] | None = None,
    *,
    personal: tuple[str, ...] = (),
    only: Collection[str] | None = None,
    threads: int = THREADS,
) -> pa.Table:
    """The result of one statement over a view per Parquet file of the folder (or of ``only`` these), and ``extra``
    tables by name."""
    with questions(folder, *personal, only=only, threads=threads) as ask:
        return ask(sql, parameters, extra)


@contextmanager
def questions(
    folder: Folder, *personal: str, only: Collection[str] | None = None, threads: int = THREADS
) -> Iterator[Callable[..., pa.Table]]:
    """``ask(sql, parameters, extra)`` as in ``query``, for several statements over the same files."""
    with open_engine(threads=threads) as engine:
        for name in _MACROS:
            engine.execute(paths.sql(name))
        folder.open_views(engine, *personal, only=only)

        def ask(
            sql: str, parameters: Mapping[str, Any] | None = None, extra: Mapping[str, pa.Table] | None = None
        ) -> pa.Table:
            for name, table in (extra or {}).items():
                engine.register(name, table)
            return engine.sql(sql, params=dict(parameters or {})).to_arrow_table(_CHUNK)

        yield ask


def in_order(rows: pa.Table, column: str) -> pa.Table:
    """A result by one of its columns, for which DuckDB would hold all the others once more.

    A file that is in order comes back in a few pieces that are, as its threads took them: those change places.
    """
    place = pc.sort_indices(rows[column]).to_numpy().astype(np.int64)
    begins = np.flatnonzero(np.diff(place, prepend=-2) != 1)
    if len(begins) > _FEW_PIECES:
        return rows.take(pa.array(place))
    lengths = np.diff(begins, append=len(place))
    pieces = [rows.slice(place[begin], length) for begin, length in zip(begins, lengths, strict=True)]
    return pa.concat_tables([rows.slice(0, 0), *pieces])
