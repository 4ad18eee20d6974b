"""DuckDB as we use it: two threads, UTC, insertion order kept, nothing downloaded."""

from __future__ import annotations

from pathlib import Path

import duckdb

THREADS = 2


def open_engine(
    *, threads: int = THREADS, spill: Path | None = None, memory: str | None = None
) -> duckdb.DuckDBPyConnection:
    """An empty in-memory engine. With ``spill``, what does not fit into ``memory`` (such as ``4GB``) goes there."""
    engine = duckdb.connect(
        config={"threads": threads, "autoinstall_known_extensions": False, "autoload_known_extensions": False}
    )
    engine.execute("SET GLOBAL TimeZone = 'UTC'")  # of its cursors too
    if spill is not None:
        engine.execute(f"SET temp_directory = {quoted(str(spill))}")
        # Long work keeps its memory for the next operator: giving it back and asking again took a tenth of a snapshot.
        engine.execute("SET GLOBAL allocator_flush_threshold = '1TB'")
        engine.execute("SET GLOBAL allocator_bulk_deallocation_flush_threshold = '1TB'")
    if memory is not None:
        engine.execute(f"SET memory_limit = {quoted(memory)}")
    return engine


def quoted(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
