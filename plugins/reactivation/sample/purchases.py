"""The purchases: orders, bookings and monthly plans, with seasons, discounts and margins."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from reactivation.contract.tables import PURCHASES
from reactivation.sample import columns as col
from reactivation.sample.countries import COUNTRIES, COUNTRY
from reactivation.sample.crowd import Crowd
from reactivation.sample.dice import Dice, Flags, Whole, ladder
from reactivation.sample.rows import DAY, Rows, by_daylight
from reactivation.sample.traits import Traits
from reactivation.sample.world import (
    BUSINESS,
    BUSY_MONTHS,
    CARE_PLAN,
    CATEGORIES,
    HOUSEHOLD,
    HOUSEHOLD_MONTHS,
    PRODUCTS,
)

_CODES = ("WELCOME30", "SPRING25", "FRIEND15")
_PLANS = [number for number, product in enumerate(PRODUCTS) if product.category == "care_plan"]
_CONTRACTS = [number for number, product in enumerate(PRODUCTS) if product.category == "workplace"]


def purchases(crowd: Crowd, first_row: int) -> pa.Table:
    """The purchases of these customers; ``first_row`` is how many rows were written before."""
    dice, traits, life = crowd.dice, crowd.traits, crowd.life
    rows = Rows.of(traits.number, traits.purchases)
    segment = traits.segment[rows.owner]
    last = life.last_purchase[rows.owner]
    created = life.created[rows.owner]
    monthly = (segment == CARE_PLAN) & (dice.below("extra", rows.number, 1000) >= 40)
    at = np.where(monthly, np.maximum(last - rows.place * 30 * DAY, created), _seasonal(dice, rows, created, last))
    at = np.where(rows.place == 0, last, at)

    product = _product(dice, rows, segment, monthly, _month(at))
    price = np.asarray([p.price for p in PRODUCTS])[product]
    quantity = np.where(dice.chance("several", rows.number, 60) & ~monthly & (price < 30_000), 2, 1)
    currency = _currency(dice, traits)[rows.owner]
    per_pound = np.asarray([c.per_pound for c in COUNTRIES])[currency]
    wobble = np.where(monthly, 100, 88 + dice.below("wobble", rows.number, 30))
    full = price * quantity * wobble * per_pound // 10_000
    discounted = traits.discount_buyer[rows.owner] | (dice.chance("discounted", rows.number, 70) & ~monthly)
    off = np.where(traits.discount_buyer[rows.owner], 30, 15 + dice.below("off", rows.number, 11))
    discount = np.where(discounted, full * off // 100, col.EMPTY)
    amount = full - np.maximum(discount, 0)
    rate = np.asarray([p.margin for p in PRODUCTS])[product] - 60 + dice.below("margin", rows.number, 120)
    margin = np.maximum(full * rate // 1000 - np.maximum(discount, 0), 0)
    margin = np.where(dice.chance("no margin", rows.number, 60), col.EMPTY, margin)
    offer = np.where(traits.discount_buyer[rows.owner], 0, np.where(discounted, dice.below("code", rows.number, 3), -1))
    ended = traits.cancelled_plan[rows.owner] & (rows.place == 0)
    dropped = (at + DAY < last) & dice.chance("dropped", rows.number, 15)
    booking = (segment == HOUSEHOLD) | dice.chance("booking", rows.number, 650)
    kind = np.where(monthly, 2, np.where(booking & (rows.number % 9 != 0), 1, 0))
    size = len(at)
    return col.table_of(
        PURCHASES,
        {
            "purchase_id": col.ids("pur-", np.arange(first_row + 1, first_row + 1 + size), 9),
            "customer_id": crowd.customer_id.take(pa.array(rows.owner)),
            "occurred_at": col.instants(at),
            "kind": col.words(("order", "booking", "subscription"), kind),
            "amount": col.money(amount),
            "currency": col.words([c.currency for c in COUNTRIES], currency),
            "margin": col.money(margin),
            "discount": col.money(discount),
            "offer_code": col.words(_CODES, offer),
            "category": col.words([p.category for p in PRODUCTS], product),
            "product": col.words([p.product_id for p in PRODUCTS], product),
            "quantity": pa.array(quantity),
            "period_end": col.instants(np.where(monthly, at + 30 * DAY, col.EMPTY)),
            "cancelled_at": col.instants(np.where(ended, at + 9 * DAY, np.where(dropped, at + DAY, col.EMPTY))),
        },
    )


def _seasonal(dice: Dice, rows: Rows, created: Whole, last: Whole) -> Whole:
    """An instant between the two, in working hours, leaning to the busy months."""
    span = np.maximum(last - created, 1)
    one = created + dice.below("when 1", rows.number, span)
    two = created + dice.below("when 2", rows.number, span)
    busy = np.asarray(BUSY_MONTHS)
    at = np.where(busy[_month(one)] >= busy[_month(two)], one, two)
    return np.clip(by_daylight(dice, "hour", rows.number, at, 10), created, last)


def _month(seconds: Whole) -> Whole:
    """Month of each instant, January 0."""
    return seconds.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12


def _currency(dice: Dice, traits: Traits) -> Whole:
    """Most customers abroad own a home in Bristol and pay in pounds."""
    return np.where(dice.chance("pays at home", traits.number, 250), traits.country, COUNTRY["GB"])


def _product(dice: Dice, rows: Rows, segment: Whole, monthly: Flags, month: Whole) -> Whole:
    seasons = np.stack([ladder(tuple(shares.get(c, 0) for c in CATEGORIES)) for shares in HOUSEHOLD_MONTHS])
    category = seasons[month, dice.below("category", rows.number, 1000)]
    of_category = [[n for n, p in enumerate(PRODUCTS) if p.category == c] for c in CATEGORIES]
    first = np.asarray([members[0] for members in of_category])
    # The first service of a category is the usual one; the dear ones are rare.
    which = np.asarray((0, 1, 2))[dice.pick("which", rows.number, (680, 260, 60))]
    which = np.minimum(which, np.asarray([len(members) - 1 for members in of_category])[category])
    household = first[category] + which
    plan = np.asarray(_PLANS)[dice.pick("plan", rows.owner_number, (500, 350, 150))]
    contract = np.asarray(_CONTRACTS)[dice.pick("contract", rows.number, (480, 380, 140))]
    return np.select([monthly, segment == BUSINESS], [plan, contract], household)
