"""Writing a whole sample CRM: customers in chunks, table by table, into files that appear together."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from reactivation.contract.tables import TABLES
from reactivation.sample import catalogue
from reactivation.sample.accounts import accounts
from reactivation.sample.addresses import NumbersGiven
from reactivation.sample.cast import Cast
from reactivation.sample.consents import consents
from reactivation.sample.contacts import contacts
from reactivation.sample.crowd import gather
from reactivation.sample.dice import Dice
from reactivation.sample.dirt import Dirt
from reactivation.sample.engagements import engagements
from reactivation.sample.files import FORMATS, Format, TableFile, as_text, replace_files, write_text
from reactivation.sample.purchases import purchases
from reactivation.sample.records import cases, suppressions
from reactivation.sample.story import SampleSummary, owners_yaml, readme, source_json
from reactivation.sample.world import BUSINESS

CHUNK = 20_000
"""Customers generated at once, a multiple of 100: bounds memory. Part of the format: the order of rows follows it."""


class SampleError(Exception):
    """The sample cannot be written as asked; the message names the argument and the fix."""


def generate(
    out: Path,
    *,
    customers: int = 400,
    seed: int = 7,
    as_of: datetime,
    dirty_share: float = 0.01,
    format: Format = "csv",
) -> SampleSummary:
    """Write the sample CRM of Harbour & Finch into ``out`` and say what is in it.

    The same arguments give the same bytes on every machine. ``as_of`` is when the CRM speaks (aware; whole seconds
    count). ``dirty_share`` of the rows of each larger table is spoilt in the catalogued ways. Files of an earlier
    sample are replaced only when all new ones are complete. Raises ``SampleError``.
    """
    _check(out, customers, as_of, dirty_share, format)
    at = as_of.astimezone(UTC).replace(microsecond=0)
    dice = Dice(seed)
    partial = out / ".partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        summary = _write(partial, dice, customers, at, Dirt(dice, dirty_share, format, Cast().customer_ids()))
        small = {"README.txt": readme(summary, seed, dirty_share), "owners.yaml": owners_yaml()}
        write_text(partial, {**small, "source.json": source_json(at)})
        replace_files(partial, out, last="source.json")
    except OSError as problem:
        raise SampleError(f"cannot write the sample into {out}: {problem.strerror}. Name another folder") from problem
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return summary


def _write(folder: Path, dice: Dice, customers: int, as_of: datetime, dirt: Dirt) -> SampleSummary:
    files = {name: TableFile(folder, table, dirt.format) for name, table in TABLES.items()}
    rows: Counter[str] = Counter(dict.fromkeys(TABLES, 0))
    counts: Counter[str] = Counter()
    try:
        for name, clean in _tables(dice, customers, as_of, rows, counts):
            written = clean if dirt.format == "parquet" else as_text(clean)
            files[name].write(dirt.spoil(TABLES[name], clean, written))
            rows[name] += clean.num_rows
    finally:
        for file in files.values():
            file.close()
    planted = {name: dict(+kinds) for name, kinds in dirt.planted.items()}
    for name, kinds in planted.items():
        rows[name] += kinds.get("duplicate_key", 0)
    dirty = {name: sum(kinds.values()) for name, kinds in planted.items()}
    return SampleSummary(customers, as_of, dict(rows), dirty, planted, dict(counts))


def _tables(
    dice: Dice, customers: int, as_of: datetime, rows: Counter[str], counts: Counter[str]
) -> Iterator[tuple[str, pa.Table]]:
    """Each table's chunks; ``rows`` (what the reader of this iterator wrote so far) numbers the next ones."""
    at = int(as_of.timestamp())
    cast = Cast()
    given = NumbersGiven()
    yield "products", catalogue.products(as_of)
    yield "offers", catalogue.offers(as_of)
    yield "claims", catalogue.claims(as_of)
    business_before = 0
    for first in range(0, customers, CHUNK):
        crowd = gather(dice, cast, at, np.arange(first, min(first + CHUNK, customers)), business_before)
        business_before += int((crowd.traits.segment == BUSINESS).sum())
        events, signals = engagements(crowd, rows["engagements"])
        yield "engagements", events
        yield "purchases", purchases(crowd, rows["purchases"])
        yield "contacts", contacts(crowd, signals, given)
        yield "accounts", accounts(crowd)
        yield "consents", consents(crowd, rows["consents"])
        yield "suppressions", suppressions(crowd, rows["suppressions"])
        yield "cases", cases(crowd, rows["cases"])
        counts["dormant"] += int((crowd.traits.dormant & ~crowd.traits.subscriber_only).sum())
        counts["subscriber_only"] += int(crowd.traits.subscriber_only.sum())


def _check(out: Path, customers: int, as_of: datetime, dirty_share: float, format_: str) -> None:
    if customers < 1:
        raise SampleError(f"customers is {customers}: ask for at least 1")
    if as_of.tzinfo is None:
        raise SampleError(f"as_of {as_of.isoformat()} has no time zone: give one, such as 2026-11-24T11:00+00:00")
    if not 0 <= dirty_share <= 0.2:
        raise SampleError(f"dirty_share is {dirty_share}: it is a share of the rows, between 0 and 0.2")
    if format_ not in FORMATS:
        raise SampleError(f"format is {format_!r}: choose one of {', '.join(FORMATS)}")
    if out.exists() and not out.is_dir():
        raise SampleError(f"{out} is a file: name a folder for the sample")
