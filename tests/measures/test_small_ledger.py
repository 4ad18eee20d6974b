"""A ledger small enough to be counted by hand, and its figures to the cent.

Eight people might be written to: Ann to Eve are treated, Fay, Gus and Hal held out. Eve waits for room and is never
enrolled. Days are counted from the decision, which is an hour before the first messages.

    Ann   touch 1 day 0, touch 2 by SMS day 4, touch 3 (offer, 30.00 signed for two) day 9; buys for 99.99 on day 12
          with her code, told that 14.50 was taken off, and for 20.01 on day 80
    Bob   touch 1 day 0, touch 3 (the same offer) by SMS day 9; clicks on day 10, buys for 45.50 on day 95: too late
    Cat   touch 1 day 0, which bounces; buys for 60.00 on day 2, cancels it, and buys for 33.33 on day 20
    Dan   touch 1 day 0; unsubscribes on day 1
    Eve   buys for 12.34 on day 30
    Fay   buys for 50.00 on day 40
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection
from tests.ledger.test_measured import signed_list
from tests.ledgers import NOW, PLAYBOOK, RULES_VERSION, RUN_ID, a_send, add_touch, begin, enrol

from reactivation.ledger import compared, events, measured, measurements, sends
from reactivation.ledger.engine import Ledger
from reactivation.ledger.events import Event
from reactivation.measures import (
    Answers,
    Figure,
    added_efficiency,
    comparison_figures,
    count_compared,
    count_outreach,
    outreach_figures,
)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MESSAGES = {"ann": {1: 0, 2: 4, 3: 9}, "bob": {1: 0, 3: 9}, "cat": {1: 0}, "dan": {1: 0}}
BY_SMS = {("ann", 2), ("bob", 3)}
ORDERS = {
    "ann-1": (12, "99.99", "14.50"), "ann-2": (80, "20.01", None), "bob-1": (95, "45.50", None),
    "cat-1": (2, "60.00", None), "cat-2": (20, "33.33", None), "eve-1": (30, "12.34", None),
    "fay-1": (40, "50.00", None),
}  # fmt: skip


def _at(day: float) -> datetime:
    return NOW + day * DAY


def _told() -> Iterator[Event]:
    for name, (day, amount, discount) in ORDERS.items():
        yield Event(name, name[:3], None, None, None, "order", None, _at(day), "source", Decimal(amount), "GBP",
                    None if discount is None else Decimal(discount))  # fmt: skip
    for who, kind, day, about, touch in (
        ("cat", "cancelled", 3, "cat-1", None), ("ann", "redeemed", 12, "ann-1", 3), ("bob", "click", 10, None, None),
        ("dan", "unsubscribe", 1, None, None), ("cat", "bounce", 0.5, None, 1),
    ):  # fmt: skip
        touch_id = None if touch is None else _touch_ids[who, touch]
        yield Event(f"{kind}-{who}", who, None, None, touch_id, kind, None, _at(day), "source", about=about)


_touch_ids: dict[tuple[str, int], str] = {}


def _fill(conn: Connection) -> None:
    begin(conn)
    decided = {**dict.fromkeys(("ann", "bob", "cat", "dan"), ("enrol", None)), "eve": ("hold", "capacity"),
               **dict.fromkeys(("fay", "gus", "hal"), ("holdout", "holdout"))}  # fmt: skip
    measurements.insert_events(conn, [
        {"run_id": RUN_ID, "playbook": PLAYBOOK, "subject": who, "kind": "decision", "outcome": outcome,
         "reason": reason, "occurred_at": NOW - HOUR, "rules_version": RULES_VERSION}
        for who, (outcome, reason) in decided.items()
    ])  # fmt: skip
    for who, days in MESSAGES.items():
        one = enrol(conn, who)
        for number, day in days.items():
            offer = {"offer_id": "o-15", "incentive": "points_or_credit"} if number == 3 else {}
            touch_id = _touch_ids[who, number] = add_touch(conn, one, who, number, **offer)
            channel = "sms" if (who, number) in BY_SMS else "email"
            row = a_send(touch_id, who, "w", channel=channel, intended_at=_at(day), lease_until=_at(day) + HOUR)
            sends.intend(conn, [row])
            sends.win_calls(conn, [row["send_id"]], worker="w", now=_at(day))
            sends.finish(conn, [sends.Outcome(row["send_id"], "accepted")], now=_at(day))
    items = {_touch_ids[who, 3]: "signed" for who in ("ann", "bob")}
    signed_list(conn, "offer", items, kind="offer", offer_id="o-15", cost=Decimal("30.00"), currency="GBP")
    for told in _told():
        events.record(conn, [told], stops=(), now=told.occurred_at)


@pytest.fixture
def figures(ledger: Ledger) -> dict[tuple[str, str | None], Figure]:
    with ledger.begin() as conn:
        _fill(conn)
    return _figures(ledger, _at(500))


def _figures(ledger: Ledger, at: datetime) -> dict[tuple[str, str | None], Figure]:
    with ledger.begin() as conn:
        tables = [read(conn, PLAYBOOK, at) for read in (measured.sent, measured.told, measured.first_decided)]
        groups = [read(conn, PLAYBOOK, at) for read in (compared.assigned, compared.bought)]
        answers = Answers(
            verdicts=measured.verdicts(conn, PLAYBOOK, at), sends=measured.send_states(conn, PLAYBOOK, at),
            exits=measured.exit_reasons(conn, PLAYBOOK, at), suppressed=measured.suppressed_since(conn, PLAYBOOK, at),
        )  # fmt: skip
    outreach = count_outreach(*tables, response_days=30, reactivated_days=90, now=at)
    against = count_compared(*groups, holdout_share=0.375, reactivated_days=90, now=at)
    found = [*outreach_figures(answers, outreach), *comparison_figures(against),
             *added_efficiency(against, outreach.offers)]  # fmt: skip
    return {(figure.measure, figure.by): figure for figure in found}


def test_people_and_rates(figures: dict[tuple[str, str | None], Figure]) -> None:
    """Four written to, three delivered to. Ann bought and Bob clicked within 30 days of a message; Cat's never came.
    Ann and Cat came back; two of all eight decided about did, after a message."""
    shares = {name: (figures[name, None].count, figures[name, None].of) for name in (
        "response_rate", "reactivations", "bounces", "unsubscribes", "complaints", "repeat_purchases", "discount_use",
        "reactivation_rate_by_cohort",
    )}  # fmt: skip
    assert shares == {
        "response_rate": (2, 3), "reactivations": (2, 4), "bounces": (1, 4), "unsubscribes": (1, 3),
        "complaints": (0, 3), "repeat_purchases": (1, 2), "discount_use": (1, 2),
        "reactivation_rate_by_cohort": (2, 8),
    }  # fmt: skip
    assert (figures["response_rate", None].low, figures["response_rate", None].high) == (0.2077, 0.9385)


def test_money(figures: dict[tuple[str, str | None], Figure]) -> None:
    """Within 90 days of day 12 Ann bought for 99.99 + 20.01, Cat for 33.33; the same within a year. The code cost the
    14.50 that was taken off, for 99.99."""
    assert figures["reactivated_ltv", None].amount == figures["retained_revenue", None].amount == Decimal("153.33")
    offer = figures["incentive_efficiency", "o-15"]
    assert (offer.amount, offer.cost, offer.rate) == (Decimal("99.99"), Decimal("14.50"), 6.8959)
    of_type = figures["incentive_efficiency", "all of points_or_credit"]
    assert (of_type.amount, of_type.cost, of_type.rate) == (Decimal("99.99"), Decimal("14.50"), 6.8959)


def test_time(figures: dict[tuple[str, str | None], Figure]) -> None:
    """Ann on day 12, Cat on day 20, two waited for 90 days: a quarter by day 14, half by day 30."""
    whole = figures["time_to_reactivate", None]
    assert (whole.count, whole.of, whole.days, whole.note) == (2, 4, 20, "2 not back yet")
    assert [figures["time_to_reactivate", f"by day {day}"].rate for day in (7, 14, 30, 90)] == [0, 0.25, 0.5, 0.5]


def test_credit(figures: dict[tuple[str, str | None], Figure]) -> None:
    """Ann's 99.99 to touch 3, or 40, 20 and 40 % of it, or a third each; Cat's message never came."""
    credited = {
        name: [figures[name, touch].amount for touch in ("touch 1, email", "touch 2, sms", "touch 3, email") if
               (name, touch) in figures]
        for name in ("channel_attribution", "position_attribution", "linear_attribution")
    }  # fmt: skip
    assert credited == {
        "channel_attribution": [Decimal("99.99")],
        "position_attribution": [Decimal("39.996"), Decimal("19.998"), Decimal("39.996")],
        "linear_attribution": [Decimal("33.33")] * 3,
    }
    assert figures["channel_attribution", "no message"].amount == Decimal("33.33")


def test_credit_of_channels(figures: dict[tuple[str, str | None], Figure]) -> None:
    """Ann: email, SMS, email and back. Bob: email, SMS; Dan: email; both lost, and nothing reached Cat. Of four times
    by email two went on to SMS and one came back, of two by SMS one went on to email: x = 1/4 + 1/2 x 1/2 x is 1/3.
    Without SMS it is 1/4, a fourth less; without email nobody. 1 and 1/4 are four fifths and one."""
    email, sms = (figures["markov_attribution", channel] for channel in ("email", "sms"))
    assert (email.rate, email.of, email.note) == (0.8, 1, "100.0% fewer without it")
    assert (sms.rate, sms.of, sms.note) == (0.2, 1, "25.0% fewer without it")


def test_what_was_added(figures: dict[tuple[str, str | None], Figure]) -> None:
    """Ann, Cat and Eve of five, Fay of three: 60 % less 33.3 %, 1.33 customers. The treated spent 99.99 + 20.01 + 33.33
    + 12.34 = 165.67; the holdout's 50.00 ÷ 3 × 5 = 83.3333 would have come anyway: 82.3367 for 14.50 is 5.6784."""
    whole = figures["incremental_reactivations", None]
    assert (whole.rate, whole.of, whole.note) == (0.2667, 8, "not measurable yet")
    treated, held_out = (figures["incremental_reactivations", part] for part in ("assigned to treatment", "held out"))
    assert [(one.count, one.of) for one in (treated, held_out)] == [(3, 5), (1, 3)]
    assert treated.note == "4 enrolled"
    assert figures["incremental_reactivations", "customers added"].count == 1
    added = figures["incentive_efficiency", "added, all offers"]
    assert (added.amount, added.cost, added.rate) == (Decimal("82.3367"), Decimal("14.50"), 5.6784)


def test_the_figures_of_a_day_are_what_was_known_then(
    ledger: Ledger, figures: dict[tuple[str, str | None], Figure]
) -> None:
    """On day 2, before Cat cancelled, she had come back with 60.00; Ann had not. Asked again, it says the same."""
    then = _figures(ledger, _at(2.5))
    assert (then["reactivations", None].count, then["reactivations", None].of) == (1, 4)
    assert then["retained_revenue", None].amount == Decimal("60.00")
    assert then["discount_use", None].note == then["markov_attribution", None].note == "not enough data"
    assert _figures(ledger, _at(2.5)) == then != figures
