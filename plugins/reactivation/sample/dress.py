"""Dressing a real purchase history: its purchases as they are, and around them a CRM that nobody kept for us."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.sample import wares
from reactivation.sample.addresses import NumbersGiven
from reactivation.sample.cast import Cast
from reactivation.sample.crowd import Shop, dressed
from reactivation.sample.dice import Dice
from reactivation.sample.dirt import Dirt
from reactivation.sample.errors import SampleError
from reactivation.sample.files import Format
from reactivation.sample.generate import CHUNK
from reactivation.sample.histories import History, read_history
from reactivation.sample.past import lives, past_of
from reactivation.sample.story import SampleSummary, readme_of_history
from reactivation.sample.world import BUSINESS
from reactivation.sample.writing import Tally, checked, of_crowd, write_crm

_DIRTY_SHARE = 0.01


def dress(
    file: Path, out: Path, *, seed: int = 7, as_of: datetime | None = None, format: Format = "csv"
) -> SampleSummary:
    """Write the purchases of ``file`` into ``out`` with a whole CRM around them, and say what is in it.

    The same file and arguments give the same bytes. Purchases after ``as_of`` (by default the first working day's 10:00
    UTC after the last one) are left out, because the CRM does not know them yet; those that are written are the real
    ones, except that a margin is made up where the file says nothing of margins. Raises ``SampleError``.
    """
    history = read_history(file)
    at = checked(out, as_of or history.speaks, format)
    known = history.until(at)
    if not known.purchases.num_rows:
        first = pc.min(history.purchases["occurred_at"]).as_py()
        raise SampleError(f"as_of is {at.isoformat()} and {file} begins at {first.isoformat()}: give a later as_of")
    dice = Dice(seed)
    dirt = Dirt(dice, _DIRTY_SHARE, format, untouched=("purchases",))

    def small(summary: SampleSummary) -> dict[str, str]:
        left_out = history.purchases.num_rows - known.purchases.num_rows
        told = readme_of_history(summary, known, file.name, left_out=left_out, seed=seed, dirty_share=_DIRTY_SHARE)
        return {"README.txt": told}

    def tables(tally: Tally) -> Iterator[tuple[str, pa.Table]]:
        return _tables(known, dice, at, tally)

    return write_crm(out, as_of=at, customers=known.customers.num_rows, dirt=dirt, tables=tables, small=small)


def _tables(history: History, dice: Dice, as_of: datetime, tally: Tally) -> Iterator[tuple[str, pa.Table]]:
    at = int(as_of.timestamp())
    shop = wares.shop_of(history)
    yield "products", wares.products(history, dice, as_of)
    yield "offers", wares.offers(history, shop, as_of)
    yield "claims", wares.claims(history, as_of)
    for first in range(0, history.purchases.num_rows, CHUNK):
        bought = history.purchases.slice(first, CHUNK)
        yield "purchases", bought if history.margins else wares.with_margins(bought, dice, first)
    yield from _people(history, dice, shop, at, tally)


def _people(history: History, dice: Dice, shop: Shop, at: int, tally: Tally) -> Iterator[tuple[str, pa.Table]]:
    past = past_of(history, at)
    cast, given, business_before = Cast(()), NumbersGiven(), 0
    for first in range(0, len(past.customer_id), CHUNK):
        part = past.part(first, CHUNK)
        number = np.arange(first, first + len(part.customer_id))
        traits, life = lives(dice, part, number, business_before, at)
        business_before += int((part.segment == BUSINESS).sum())
        crowd = dressed(dice, cast, shop=shop, as_of=at, traits=traits, life=life, customer_id=part.customer_id)
        yield from of_crowd(crowd, tally, given)
