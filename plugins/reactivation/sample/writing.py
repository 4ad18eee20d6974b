"""Writing a CRM, whoever thought of its customers: chunks of tables into files that appear together.

Files are written by a thread of their own while the next chunk is made: Arrow and numpy share the processors.
"""

from __future__ import annotations

import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from reactivation.contract.tables import TABLES
from reactivation.sample.accounts import accounts
from reactivation.sample.addresses import NumbersGiven
from reactivation.sample.consents import consents
from reactivation.sample.contacts import contacts
from reactivation.sample.crowd import Crowd
from reactivation.sample.dirt import DUPLICATE_KEY, Dirt
from reactivation.sample.engagements import engagements
from reactivation.sample.errors import SampleError
from reactivation.sample.files import FORMATS, TableFile, as_text, replace_files, write_text
from reactivation.sample.records import cases, suppressions
from reactivation.sample.story import SampleSummary, owners_yaml, source_json

_AHEAD = 4
"""Chunks that may wait to be written: bounds memory."""


@dataclass
class Tally:
    """Clean rows of each table so far, and what else is worth telling."""

    rows: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(TABLES, 0)))
    counts: Counter[str] = field(default_factory=Counter)


def checked(out: Path, as_of: datetime, format_: str) -> datetime:
    """``as_of`` in UTC and whole seconds. Raises ``SampleError`` for what cannot be written as asked."""
    if as_of.tzinfo is None:
        raise SampleError(f"as_of {as_of.isoformat()} has no time zone: give one, such as 2026-11-24T11:00+00:00")
    if format_ not in FORMATS:
        raise SampleError(f"format is {format_!r}: choose one of {', '.join(FORMATS)}")
    if out.exists() and not out.is_dir():
        raise SampleError(f"{out} is a file: name a folder for the sample")
    return as_of.astimezone(UTC).replace(microsecond=0)


def of_crowd(
    crowd: Crowd, tally: Tally, given: NumbersGiven, bought: pa.Table | None = None
) -> Iterator[tuple[str, pa.Table]]:
    """Every table about these customers; ``bought`` is their part of the purchases, if those are not written apart."""
    events, signals = engagements(crowd, tally.rows["engagements"])
    yield "engagements", events
    if bought is not None:
        yield "purchases", bought
    yield "contacts", contacts(crowd, signals, given)
    yield "accounts", accounts(crowd)
    yield "consents", consents(crowd, tally.rows["consents"])
    yield "suppressions", suppressions(crowd, tally.rows["suppressions"])
    yield "cases", cases(crowd, tally.rows["cases"])
    tally.counts["dormant"] += int((crowd.traits.dormant & ~crowd.traits.subscriber_only).sum())


def write_crm(
    out: Path,
    *,
    as_of: datetime,
    customers: int,
    dirt: Dirt,
    tables: Callable[[Tally], Iterator[tuple[str, pa.Table]]],
    small: Callable[[SampleSummary], Mapping[str, str]],
) -> SampleSummary:
    """Write the chunks of ``tables`` and the small files into ``out``, all or nothing. Raises ``SampleError``.

    Files of an earlier sample are replaced only when all new ones are complete; ``source.json`` comes last.
    """
    partial = out / ".partial"
    tally = Tally()
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _write(partial, tables(tally), dirt, tally)
        summary = _summary(customers, as_of, dirt, tally)
        write_text(partial, {**small(summary), "owners.yaml": owners_yaml(), "source.json": source_json(as_of)})
        replace_files(partial, out, last="source.json")
    except OSError as problem:
        raise SampleError(f"cannot write the sample into {out}: {problem.strerror}. Name another folder") from problem
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return summary


def _write(folder: Path, chunks: Iterator[tuple[str, pa.Table]], dirt: Dirt, tally: Tally) -> None:
    files = {name: TableFile(folder, table, dirt.format) for name, table in TABLES.items()}
    waiting: deque[Future[None]] = deque()
    try:
        with ThreadPoolExecutor(max_workers=1) as writer:
            for name, clean in chunks:
                written = clean if dirt.format == "parquet" else as_text(clean)
                waiting.append(writer.submit(files[name].write, dirt.spoil(TABLES[name], clean, written)))
                tally.rows[name] += clean.num_rows
                if len(waiting) > _AHEAD:
                    waiting.popleft().result()
            for one in waiting:
                one.result()
    finally:
        for file in files.values():
            file.close()


def _summary(customers: int, as_of: datetime, dirt: Dirt, tally: Tally) -> SampleSummary:
    planted = {name: dict(+kinds) for name, kinds in dirt.planted.items()}
    rows = {name: count + planted.get(name, {}).get(DUPLICATE_KEY, 0) for name, count in tally.rows.items()}
    dirty = {name: sum(kinds.values()) for name, kinds in planted.items()}
    return SampleSummary(customers, as_of, rows, dirty, planted, dict(tally.counts))
