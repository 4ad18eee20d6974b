"""What redeemed incentives cost, whichever playbook they were of.

A redemption costs what the source says was taken off its purchase, else what was signed for one, if that is in the same
money; else its cost is unknown. Of a purchase that was cancelled nothing was taken off (as ``measured_offers.sql`` has
it), but who used a code has used it.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ScalarSelect,
    Subquery,
    and_,
    case,
    func,
    literal,
    select,
    type_coerce,
)

from reactivation.ledger.among import among
from reactivation.ledger.tables import events, item_verdicts, list_items, lists
from reactivation.ledger.types import Money


def by_address(address_keys: Collection[str] | None = None) -> Subquery:
    """Per address key that redeemed any: redeemed_incentives, last_redeemed_at, redeemed_cost, redeemed_currency.

    The cost is null where that of any is unknown, or where they are in several currencies. ``address_keys`` narrows it
    to those.
    """
    code, purchase, undone, signed = events.alias(), events.alias(), events.alias(), lists.alias()
    mine: list[ColumnElement[bool]] = [code.c.kind == "redeemed", code.c.address_key.is_not(None)]
    if address_keys is not None:
        mine.append(among(code.c.address_key, address_keys))
    cancelled = code.c.about.in_(
        select(undone.c.about).where(undone.c.kind == "cancelled", undone.c.about.is_not(None))
    )
    listed = select(func.count()).where(list_items.c.list_id == signed.c.list_id).scalar_subquery()
    currency = case((~cancelled, purchase.c.currency))
    cost = case(
        (cancelled, literal(0, BigInteger)),
        (purchase.c.currency.is_(None), None),
        (purchase.c.discount.is_not(None), type_coerce(purchase.c.discount, BigInteger)),
        (signed.c.currency == purchase.c.currency, type_coerce(signed.c.cost, BigInteger) // listed),
    )
    one = (
        select(code.c.address_key, code.c.occurred_at, cost.label("cost"), currency.label("currency"))
        .outerjoin(purchase, purchase.c.event_id == code.c.about)
        .outerjoin(signed, signed.c.list_id == _signed_last(code.c.touch_id))
        .where(*mine)
        .subquery()
    )
    known = and_(func.count(one.c.cost) == func.count(), func.count(one.c.currency.distinct()) <= 1)
    return (
        select(
            one.c.address_key, func.count().label("redeemed_incentives"),
            func.max(one.c.occurred_at, type_=one.c.occurred_at.type).label("last_redeemed_at"),
            type_coerce(case((known, func.sum(one.c.cost))), Money).label("redeemed_cost"),
            case((known, func.min(one.c.currency))).label("redeemed_currency"),
        )
        .group_by(one.c.address_key)
        .subquery()
    )  # fmt: skip


def _signed_last(touch_id: ColumnElement[str]) -> ScalarSelect[str]:
    """The offer list in which a touch was signed, the last of several: few were redeemed, so each is looked up."""
    verdict, item, offer = item_verdicts.alias(), list_items.alias(), lists.alias()
    return (
        select(offer.c.list_id)
        .join(item, item.c.list_id == offer.c.list_id)
        .join(verdict, (verdict.c.list_id == item.c.list_id) & (verdict.c.touch_id == item.c.touch_id))
        .where(item.c.touch_id == touch_id, offer.c.kind == "offer", verdict.c.verdict == "signed")
        .order_by(offer.c.closed_at.desc(), offer.c.list_id)
        .limit(1)
        .correlate_except(verdict, item, offer)
        .scalar_subquery()
    )
