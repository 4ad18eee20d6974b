"""What the shop of a real history sells: its own products, our offers in its money, our claims about its goods."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import CLAIMS, OFFERS, PRODUCTS
from reactivation.sample import catalogue
from reactivation.sample import columns as col
from reactivation.sample.crowd import Shop
from reactivation.sample.dice import Dice
from reactivation.sample.histories import History
from reactivation.sample.world import CATEGORIES, SITE

_SIGNS = {"GBP": "£", "USD": "$", "EUR": "€"}
_CREDIT_SHARE = Decimal("0.15")
_COST_OF_CREDIT = Decimal("0.6")
_TERMS = {
    "credit": "{credit} off your next order of {minimum} or more. One per customer, not with another offer.",
    "points": "{points} points when you next order. They last twelve months.",
    "early_access": "Order new arrivals before they are shown to everybody.",
    "percent": "{percent} % off one order up to {ceiling}. Single use. Ends at the time shown.",
    "none": "None.",
}


def shop_of(history: History) -> Shop:
    """The history's products, and the money most of its purchases are in (of equals the first by name)."""
    money = _by_frequency(history.purchases["currency"])[0]
    products = history.products
    ids, categories = products["product_id"].to_pylist(), products["category"].to_pylist()
    # Where the history names no product, what people looked at has no name either.
    return Shop(tuple(ids or [None]), tuple(categories or [None]), money)


def products(history: History, dice: Dice, as_of: datetime) -> pa.Table:
    """The history's products; stock and pages are dressed: some are out of stock, some without a page."""
    size = history.products.num_rows
    row = np.arange(size)
    stock = dice.pick("in stock", row, (920, 50, 30))
    product_id = history.products["product_id"].combine_chunks()
    paged = pc.and_(pc.match_substring_regex(product_id, "^[A-Za-z0-9-]+$"), pa.array(dice.chance("page", row, 950)))
    page = pc.binary_join_element_wise(f"{SITE}/products/", product_id, "")
    days = 1 + dice.below("product updated", row, 60)
    return col.table_of(
        PRODUCTS,
        {
            "product_id": product_id,
            "name": history.products["name"],
            "category": history.products["category"],
            "url": pc.if_else(paged, page, pa.scalar(None, pa.string())),
            "in_stock": col.flags(stock == 0, stock == 2),
            "updated_at": col.instants(int(as_of.timestamp()) - days * 86_400),
        },
    )


def offers(history: History, shop: Shop, as_of: datetime) -> pa.Table:
    """Our offers under their own ids, worth as much beside the history's usual purchase as ours are beside ours."""
    amounts = np.sort(col.hundredths(history.purchases["amount"]))
    usual = max(Decimal(int(amounts[len(amounts) // 2])) / 100, Decimal(10))
    rows = [_offer(row, usual, shop.currency) for row in catalogue.offers(as_of).to_pylist()]
    return pa.Table.from_pylist(rows, schema=OFFERS.schema)


def _offer(row: dict[str, Any], usual: Decimal, currency: str) -> dict[str, Any]:
    kind = row["kind"]
    value = row["value"]
    if kind == "credit":
        # The playbook names the offer by its id, which says what it is worth at home.
        value = max(Decimal(1), (usual * _CREDIT_SHARE * value / 15).quantize(Decimal(1)))
    cost = {"credit": value * _COST_OF_CREDIT, "percent": usual * value / 100, "points": usual / 15}
    unit_cost = cost.get(kind, row["unit_cost"]).quantize(Decimal("0.01"))
    sums = {"credit": value, "minimum": 4 * value, "ceiling": (5 * usual).quantize(Decimal(1))}
    told = {name: _money(amount, currency) for name, amount in sums.items()}
    terms = _TERMS[kind].format(**told, points=f"{value:.0f}", percent=f"{value:.0f}")
    names = {"credit": f"{told['credit']} of credit", "early_access": "First pick of new arrivals"}
    return {
        **row, "value": value, "unit_cost": unit_cost, "budget": max(row["budget"], 300 * unit_cost), "terms": terms,
        "name": names.get(kind, row["name"].replace("visit", "order")),
        "currency": currency if kind == "credit" else None,
        "conditions": f"minimum order {4 * value} {currency}" if kind == "credit" else row["conditions"],
    }  # fmt: skip


def claims(history: History, as_of: datetime) -> pa.Table:
    """Our claims, about the history's most bought categories instead of our services."""
    theirs: list[str | None] = [*_by_frequency(history.purchases["category"])] or [None]
    instead = {ours: theirs[place % len(theirs)] for place, ours in enumerate(CATEGORIES)}
    rows = [{**row, "audience_category": instead.get(row["audience_category"])}
            for row in catalogue.claims(as_of).to_pylist()]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=CLAIMS.schema)


def _by_frequency(words: pa.ChunkedArray) -> list[str]:
    """The words of a column, the most frequent first, equals by the alphabet."""
    counted = pc.drop_null(words).value_counts().to_pylist()
    return [row["values"] for row in sorted(counted, key=lambda row: (-row["counts"], row["values"]))]


def _money(amount: Decimal, currency: str) -> str:
    plain = f"{amount:,.2f}".removesuffix(".00")
    return f"{_SIGNS[currency]}{plain}" if currency in _SIGNS else f"{plain} {currency}"


def with_margins(bought: pa.Table, dice: Dice, first_row: int) -> pa.Table:
    """The purchases with a margin between 28 and 52 % of the amount, unknown for six in a hundred."""
    row = np.arange(first_row, first_row + bought.num_rows)
    rate = 280 + dice.below("dressed margin", row, 240)
    margin = np.where(
        dice.chance("dressed without margin", row, 60), col.EMPTY, col.hundredths(bought["amount"]) * rate // 1000
    )
    place = bought.schema.get_field_index("margin")
    return bought.set_column(place, bought.schema.field(place), col.money(margin))
