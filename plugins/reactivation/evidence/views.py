"""Statements asked of a folder's files, each a view of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from reactivation.evidence.engine import THREADS, open_engine
from reactivation.evidence.folders import Folder

#: Rows of a result that lie together: whoever works through it in shares can let go of what is behind him.
_CHUNK = 131_072


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
        folder.open_views(engine, *personal, only=only)

        def ask(
            sql: str, parameters: Mapping[str, Any] | None = None, extra: Mapping[str, pa.Table] | None = None
        ) -> pa.Table:
            for name, table in (extra or {}).items():
                engine.register(name, table)
            return engine.sql(sql, params=dict(parameters or {})).to_arrow_table(_CHUNK)

        yield ask
