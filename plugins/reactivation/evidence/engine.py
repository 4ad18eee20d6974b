"""DuckDB as we use it: two threads, UTC, insertion order kept, nothing downloaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Lock

import duckdb

THREADS = 2

_numbers = count(1)
_starting = Lock()
#: By number of threads the engine of this process. One that was forked away is kept, since its threads are not there:
#: it can neither be used nor be ended.
_running: dict[int, duckdb.DuckDBPyConnection] = {}
_forked_away: list[duckdb.DuckDBPyConnection] = []


@contextmanager
def open_engine(
    *, threads: int = THREADS, spill: Path | None = None, memory: str | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty in-memory engine. With ``spill``, what does not fit into ``memory`` (such as ``4GB``) goes there.

    Short work has a room of its own in one engine of the process: starting one takes longer than most questions.
    """
    if spill is None and memory is None:
        with _room(threads) as engine:
            yield engine
        return
    with _started(threads) as engine:
        if spill is not None:
            engine.execute(f"SET temp_directory = {quoted(str(spill))}")
            # Long work keeps its memory for the next operator: giving it back and asking again took a tenth of a
            # snapshot.
            engine.execute("SET GLOBAL allocator_flush_threshold = '1TB'")
            engine.execute("SET GLOBAL allocator_bulk_deallocation_flush_threshold = '1TB'")
        if memory is not None:
            engine.execute(f"SET memory_limit = {quoted(memory)}")
        yield engine


def quoted(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def _room(threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    name = f"room_{next(_numbers)}"
    with _starting:
        if threads not in _running:
            _running[threads] = _started(threads)
        mine = _running[threads].cursor()
    with mine:
        mine.execute(f"ATTACH ':memory:' AS {name}")
        mine.execute(f"USE {name}")
        try:
            yield mine
        finally:
            mine.execute("USE memory")
            mine.execute(f"DETACH {name}")


def _started(threads: int) -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect(
        config={
            "threads": threads, "autoinstall_known_extensions": False, "autoload_known_extensions": False,
            # What a file said is asked of the file, each time.
            "enable_external_file_cache": False,
        }
    )  # fmt: skip
    engine.execute("SET GLOBAL TimeZone = 'UTC'")  # of its cursors too
    return engine


def _after_fork() -> None:
    _forked_away.extend(_running.values())
    _running.clear()


os.register_at_fork(after_in_child=_after_fork)
