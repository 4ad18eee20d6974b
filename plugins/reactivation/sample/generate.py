"""Writing a whole sample CRM: customers in chunks, table by table, into files that appear together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from reactivation.sample import catalogue
from reactivation.sample.addresses import NumbersGiven
from reactivation.sample.cast import Cast
from reactivation.sample.crowd import gather
from reactivation.sample.dice import Dice
from reactivation.sample.dirt import Dirt
from reactivation.sample.errors import SampleError
from reactivation.sample.files import Format
from reactivation.sample.purchases import purchases
from reactivation.sample.story import SampleSummary, readme
from reactivation.sample.world import BUSINESS
from reactivation.sample.writing import Tally, checked, of_crowd, write_crm

CHUNK = 20_000
"""Customers generated at once, a multiple of 100: bounds memory. Part of the format: the order of rows follows it."""


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
    _check(customers, dirty_share)
    at = checked(out, as_of, format)
    dice = Dice(seed)
    dirt = Dirt(dice, dirty_share, format, Cast().customer_ids())

    def small(summary: SampleSummary) -> dict[str, str]:
        return {"README.txt": readme(summary, seed, dirty_share)}

    def tables(tally: Tally) -> Iterator[tuple[str, pa.Table]]:
        return _tables(dice, customers, at, tally)

    return write_crm(out, as_of=at, customers=customers, dirt=dirt, tables=tables, small=small)


def _tables(dice: Dice, customers: int, as_of: datetime, tally: Tally) -> Iterator[tuple[str, pa.Table]]:
    """Each table's chunks; what the reader of this iterator counted so far numbers the next ones."""
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
        yield from of_crowd(crowd, tally, given, purchases(crowd, tally.rows["purchases"]))
        tally.counts["subscriber_only"] += int(crowd.traits.subscriber_only.sum())


def _check(customers: int, dirty_share: float) -> None:
    if customers < 1:
        raise SampleError(f"customers is {customers}: ask for at least 1")
    if not 0 <= dirty_share <= 0.2:
        raise SampleError(f"dirty_share is {dirty_share}: it is a share of the rows, between 0 and 0.2")
