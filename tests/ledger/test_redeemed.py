"""What redeemed incentives cost, as the gates are told of each address key."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection
from tests.ledger.test_measured import signed_list
from tests.ledgers import NOW, RUN_ID, a_key, add_touch, an_id, begin, enrol

from reactivation.ledger import enrolments, events, extract
from reactivation.ledger.engine import Ledger
from reactivation.ledger.events import Event

#: 30 pounds were signed for two redemptions: 15 each.
SIGNED: dict[str, Any] = {"kind": "offer", "offer_id": "o-15", "cost": Decimal("30.00"), "currency": "GBP"}


@pytest.fixture
def book(ledger: Ledger) -> Ledger:
    with ledger.begin() as conn:
        begin(conn)
        begin(conn, run_id=an_id("second run"))
    return ledger


def _redeem(
    conn: Connection, customer: str, touch_id: str, discount: str | None = None, *, currency: str | None = "GBP",
    name: str = "",
) -> str:  # fmt: skip
    """A purchase with a code of that touch, as the source tells of both; the purchase's id."""
    bought = Event(
        f"purchases:{customer}{name}", customer, a_key(customer), None, None, "order", None, NOW, "source",
        Decimal("99.99"), currency, None if discount is None else Decimal(discount),
    )  # fmt: skip
    used = {"event_id": f"redeemed:{bought.event_id}", "kind": "redeemed", "about": bought.event_id,
            "touch_id": touch_id}  # fmt: skip
    events.record(conn, [bought, Event(**{**vars(bought), **used})], stops=(), now=NOW)
    return bought.event_id


def _cancel(conn: Connection, purchase: str) -> None:
    undone = Event(f"cancelled:{purchase}", None, None, None, None, "cancelled", None, NOW, "source", about=purchase)
    events.record(conn, [undone], stops=(), now=NOW)


def _told(ledger: Ledger, *keys: str) -> dict[str, tuple[int, Decimal | None, str | None]]:
    with ledger.begin() as conn:
        rows = extract.ledger_extract(conn, brand="b", now=NOW, address_keys=keys or None).to_pylist()
    names = ("redeemed_incentives", "redeemed_cost", "redeemed_currency")
    return {row["address_key"]: tuple(row[name] for name in names) for row in rows}


def _touches(conn: Connection, *customers: str) -> dict[str, str]:
    return {who: add_touch(conn, enrol(conn, who), who, 3, offer_id="o-15") for who in customers}


def test_a_redemption_costs_what_was_taken_off_else_what_was_signed_for_one(book: Ledger) -> None:
    """Told to the cent; of two touches signed for together, half. Who redeemed nothing has no cost."""
    with book.begin() as conn:
        mine = _touches(conn, "ann", "bob", "cat")
        signed_list(conn, "offer", {mine["ann"]: "signed", mine["bob"]: "signed"}, **SIGNED)
        _redeem(conn, "ann", mine["ann"], "14.50")
        _redeem(conn, "bob", mine["bob"])
    assert _told(book) == {
        a_key("ann"): (1, Decimal("14.50"), "GBP"), a_key("bob"): (1, Decimal("15.00"), "GBP"),
        a_key("cat"): (0, None, None),
    }  # fmt: skip


def test_the_list_that_was_signed_last_says_what_one_costs(book: Ledger) -> None:
    """The offer was made dearer, signed once more, and held in between; a message's list says nothing of it."""
    with book.begin() as conn:
        mine = _touches(conn, "ann")
        for hours, verdict, cost in ((0, "signed", "15.00"), (1, "signed", "20.00"), (2, "held", "99.00")):
            signed_list(conn, f"offer {hours}", {mine["ann"]: verdict}, **SIGNED | {
                "cost": Decimal(cost), "closed_at": NOW + timedelta(hours=hours)})  # fmt: skip
        signed_list(conn, "words", {mine["ann"]: "signed"}, closed_at=NOW + timedelta(hours=3))
        _redeem(conn, "ann", mine["ann"])
    assert _told(book)[a_key("ann")] == (1, Decimal("20.00"), "GBP")


def test_whatever_playbook_they_were_of_they_are_added(book: Ledger) -> None:
    """Two enrolments in two playbooks, one code each."""
    with book.begin() as conn:
        _redeem(conn, "ann", _touches(conn, "ann")["ann"], "14.50", name="-1")
        enrolments.end_enrolment(conn, an_id(RUN_ID, "ann"), reason="reactivated", actor="x", now=NOW)
        other = enrol(conn, "ann", run_id=an_id("second run"), playbook="customers_not_active")
        _redeem(conn, "ann", add_touch(conn, other, "ann", 4, playbook="customers_not_active"), "5.51", name="-2")
    assert _told(book)[a_key("ann")] == (2, Decimal("20.01"), "GBP")


@pytest.mark.parametrize(
    ("discount", "currency", "signed"),
    [
        (None, "EUR", SIGNED), (None, None, SIGNED), ("14.50", None, SIGNED), (None, "GBP", None),
        (None, "GBP", SIGNED | {"currency": None}), (None, "GBP", SIGNED | {"cost": None}),
    ],
)  # fmt: skip
def test_a_cost_that_nobody_told_is_unknown(
    book: Ledger, discount: str | None, currency: str | None, signed: dict[str, Any] | None
) -> None:
    """Nothing said to be taken off, and nothing signed, or in other money, or for an unknown cost; one unknown makes
    the sum unknown."""
    with book.begin() as conn:
        mine = _touches(conn, "ann")
        if signed is not None:
            signed_list(conn, "offer", {mine["ann"]: "signed"}, **signed)
        _redeem(conn, "ann", mine["ann"], "14.50", name="-known")
        _redeem(conn, "ann", mine["ann"], discount, currency=currency, name="-unknown")
    assert _told(book)[a_key("ann")][:2] == (2, None)


def test_costs_in_two_currencies_are_not_added(book: Ledger) -> None:
    """No rate is known here."""
    with book.begin() as conn:
        mine = _touches(conn, "ann")
        for currency in ("GBP", "EUR"):
            _redeem(conn, "ann", mine["ann"], "5.00", currency=currency, name=currency)
    assert _told(book)[a_key("ann")] == (2, None, None)


def test_what_was_taken_off_a_cancelled_purchase_was_given_back(book: Ledger) -> None:
    """The code was used all the same; its money, known or not, is no cost, and no currency."""
    with book.begin() as conn:
        mine = _touches(conn, "ann", "bob")
        _cancel(conn, _redeem(conn, "ann", mine["ann"], currency="EUR"))
        _cancel(conn, _redeem(conn, "bob", mine["bob"], "5.00", currency="EUR", name="-1"))
        _redeem(conn, "bob", mine["bob"], "7.00", name="-2")
    assert _told(book) == {a_key("ann"): (1, Decimal(0), None), a_key("bob"): (2, Decimal("7.00"), "GBP")}


def test_a_code_whose_purchase_is_not_known_cost_nobody_knows_what(book: Ledger) -> None:
    """There is a redemption, and nothing beside it."""
    with book.begin() as conn:
        enrol(conn, "ann")
        lone = Event("redeemed:x", "ann", a_key("ann"), None, None, "redeemed", None, NOW, "source")
        events.record(conn, [lone], stops=(), now=NOW)
    assert _told(book)[a_key("ann")] == (1, None, None)


def test_asked_about_a_few_it_says_the_same_of_them(book: Ledger) -> None:
    """One list, two people: what was signed is divided by both though one is asked about."""
    with book.begin() as conn:
        mine = _touches(conn, "ann", "bob")
        signed_list(conn, "offer", dict.fromkeys(mine.values(), "signed"), **SIGNED)
        for who, touch_id in mine.items():
            _redeem(conn, who, touch_id)
    everybody = _told(book)
    assert everybody[a_key("ann")] == (1, Decimal("15.00"), "GBP")
    assert _told(book, a_key("bob")) == {a_key("bob"): everybody[a_key("bob")]}
