"""A crowd: consecutive customers with all that the tables about them have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from reactivation.sample import columns as col
from reactivation.sample.addresses import mailboxes, names
from reactivation.sample.cast import Cast
from reactivation.sample.dice import Dice, Whole
from reactivation.sample.rows import DAY, HOUR
from reactivation.sample.traits import LAST_SIGNALS, Traits, code, draw, draw_segments
from reactivation.sample.world import PRODUCTS


@dataclass(frozen=True)
class Activity:
    """Instants of one customer each, in epoch seconds, -1 for never; and what that was worth."""

    created: Whole
    last_activity: Whole
    last_purchase: Whole
    yearly: Whole
    """What the account of each is worth in a year, in hundredths."""


@dataclass(frozen=True)
class Shop:
    """What the company sells (ids and categories, by position) and the money it keeps its books in."""

    products: tuple[str | None, ...]
    categories: tuple[str | None, ...]
    currency: str


OUR_SHOP = Shop(tuple(p.product_id for p in PRODUCTS), tuple(p.category for p in PRODUCTS), "GBP")


@dataclass(frozen=True)
class Crowd:
    """Traits, instants, names and mailboxes of consecutive customers; ``as_of`` is in epoch seconds."""

    dice: Dice
    cast: Cast
    shop: Shop
    as_of: int
    traits: Traits
    life: Activity
    customer_id: pa.Array
    first: pa.Array
    last: pa.Array
    email: pa.Array


def gather(dice: Dice, cast: Cast, as_of: int, number: Whole, business_before: int) -> Crowd:
    """The crowd of the customers with these numbers; ``business_before`` business contacts have lower ones."""
    segment = draw_segments(dice, number)
    cast.segments(segment, number)
    traits = draw(dice, number, segment, business_before)
    cast.play(traits)
    life = _activity(dice, traits, as_of)
    customer_id = col.ids("cus-", number + 1, 7)
    return dressed(dice, cast, shop=OUR_SHOP, as_of=as_of, traits=traits, life=life, customer_id=customer_id)


def dressed(
    dice: Dice, cast: Cast, *, shop: Shop, as_of: int, traits: Traits, life: Activity, customer_id: pa.Array
) -> Crowd:
    """The crowd of these traits and lives, with names and mailboxes."""
    first, last = names(dice, traits, cast)
    email = mailboxes(dice, traits, cast, first, last)
    return Crowd(dice, cast, shop, as_of, traits, life, customer_id, first, last, email)


def _activity(dice: Dice, traits: Traits, as_of: int) -> Activity:
    """When each customer came, was last active and last bought: ``quiet`` whole days before ``as_of``, by daylight."""
    clock = 8 * HOUR + dice.below("last hour", traits.number, 10 * HOUR)
    last = as_of - traits.quiet * DAY - (as_of - clock) % DAY
    created = np.minimum(as_of - traits.created * DAY, last - 2 * DAY)
    earlier = dice.below("bought before", traits.number, np.minimum(120 * DAY, (last - created) // 2) + 1)
    bought = np.where(traits.last_signal == code(LAST_SIGNALS, "purchase"), last, last - earlier)
    yearly = 60_000 + dice.below("annual", traits.account, 900_000)
    return Activity(created, last, np.where(traits.purchases > 0, bought, col.EMPTY), yearly)
