"""The customers of a real history: what is known of each, and the traits that fit it.

What the history knows (country, first and last purchase, how often, how much) is taken from it; the rest is drawn as
for made-up customers. Who pays a subscription is on a care plan; who buys like a firm is one; the rest are households.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.sample import columns as col
from reactivation.sample.countries import COUNTRIES, COUNTRY
from reactivation.sample.crowd import Activity
from reactivation.sample.dice import Dice, Flags, Whole
from reactivation.sample.histories import History
from reactivation.sample.rows import DAY, HOUR
from reactivation.sample.traits import LAST_SIGNALS, PERMISSIONS, REASONS, WINDOWS, Traits, code, draw
from reactivation.sample.world import BUSINESS, CARE_PLAN, HOUSEHOLD

FIRM_PURCHASES = 3
FIRM_ORDER = 25
"""Tenths of the usual customer's average order that a firm's average order reaches."""
_KNOWN_BEFORE = 14 * DAY
_LATER_SIGNAL = 120 * DAY


@dataclass(frozen=True)
class Past:
    """One value per customer of a history, in order of their ids; instants in epoch seconds, money in hundredths."""

    customer_id: pa.Array
    country: Whole
    segment: Whole
    first: Whole
    last: Whole
    purchases: Whole
    yearly: Whole

    def part(self, start: int, size: int) -> Past:
        """The customers from ``start`` on, at most ``size``."""
        columns = {name: getattr(self, name)[start : start + size] for name in self.__dataclass_fields__}
        return Past(**columns)


def past_of(history: History, as_of: int) -> Past:
    """What a history, read until ``as_of``, knows of each of its customers."""
    bought = history.purchases
    amount = col.hundredths(bought["amount"])
    at = np.asarray(bought["occurred_at"].cast(pa.int64())) // 1_000_000
    subscribed = np.asarray(pc.equal(bought["kind"], "subscription"))
    # A purchase that was cancelled is no sign of life, unless there is no other.
    stands = np.asarray(pc.is_null(bought["cancelled_at"])) | subscribed
    who = np.asarray(pc.index_in(bought["customer_id"], history.customers["customer_id"].combine_chunks()))
    size = history.customers.num_rows
    count = np.bincount(who, minlength=size)
    last = _greatest(who[stands], at[stands], size)
    average = _sum(who, amount, size) // count
    usual = int(np.sort(average)[(size - 1) // 2])
    firm = (count >= FIRM_PURCHASES) & (average * 10 >= usual * FIRM_ORDER) & (usual > 0)
    recent = np.where(stands & (at > as_of - 365 * DAY), amount, 0)
    return Past(
        customer_id=history.customers["customer_id"].combine_chunks(),
        country=np.asarray([COUNTRY[name] for name in history.customers["country"].to_pylist()]),
        segment=np.select([_any(who, subscribed, size), firm], [CARE_PLAN, BUSINESS], HOUSEHOLD),
        first=-_greatest(who, -at, size),
        last=np.where(last == _NEVER, _greatest(who, at, size), last),
        purchases=np.bincount(who[stands], minlength=size),
        yearly=_sum(who, recent, size),
    )


def lives(dice: Dice, past: Past, number: Whole, business_before: int, as_of: int) -> tuple[Traits, Activity]:
    """Traits and instants of these customers; the last sign of life is the last purchase or, for some, a later one."""
    drawn = draw(dice, number, past.segment, business_before)
    bought = past.purchases > 0
    room = np.clip(as_of - HOUR - past.last, 1, _LATER_SIGNAL)
    later = past.last + np.where(room > HOUR, dice.below("looked in later", number, room), 0)
    last = np.where(drawn.last_signal == code(LAST_SIGNALS, "purchase"), past.last, later)
    quiet = (as_of - last) // DAY
    dormant = quiet >= np.asarray(WINDOWS)[past.segment]
    created = past.first - 60 - dice.below("known before", number, _KNOWN_BEFORE)
    # Whose permission has run out was on the mailing list before.
    listed = np.where(drawn.permission == code(PERMISSIONS, "expired"), as_of - 1000 * DAY, created)
    created = np.minimum(created, listed)
    business = past.segment == BUSINESS
    nobody = np.zeros(len(number), dtype=np.bool_)
    traits = replace(
        drawn, country=past.country, quiet=quiet, created=(as_of - created) // DAY, purchases=past.purchases,
        place=dice.below("place", number, np.asarray([len(c.places) for c in COUNTRIES])[past.country]),
        reason=np.where(dormant, dice.pick("reason", number, list(REASONS.values())), 0),
        prefetched_opens=dice.chance("prefetched", number, 60) & (past.country <= COUNTRY["IE"]),
        subscriber_only=nobody, discount_buyer=nobody, cancelled_plan=nobody,
        account=np.where(business, business_before + np.cumsum(business), -1), leads_account=business,
    )  # fmt: skip
    return traits, Activity(created, last, np.where(bought, past.last, col.EMPTY), past.yearly)


_NEVER = np.iinfo(np.int64).min


def _greatest(who: Whole, value: Whole, size: int) -> Whole:
    found = np.full(size, _NEVER)
    np.maximum.at(found, who, value)
    return found


def _sum(who: Whole, value: Whole, size: int) -> Whole:
    found = np.zeros(size, dtype=np.int64)
    np.add.at(found, who, value)
    return found


def _any(who: Whole, is_so: Flags, size: int) -> Flags:
    found = np.zeros(size, dtype=np.bool_)
    found[who[is_so]] = True
    return found
