"""What is counted, by the definitions: windows to the second, people once, money by currency."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactivation.ledger.measured import FIRST_DECIDED, SENT, TOLD
from reactivation.measures import Outreach, count_outreach

T = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)  # a Tuesday
LATER = T + timedelta(days=400)
SECOND = timedelta(seconds=1)
Row = dict[str, Any]


def message(customer: str = "c-1", number: int = 1, at: datetime = T, **changes: Any) -> Row:
    """An accepted message of the customer's one enrolment."""
    row = {"touch_id": f"t-{customer}-{number}", "enrolment_id": f"e-{customer}", "customer_id": customer,
           "number": number, "channel": "email", "sent_at": at}  # fmt: skip
    return row | changes


def event(kind: str, after: timedelta, customer: str = "c-1", **changes: Any) -> Row:
    """Something the customer did so long after ``T``."""
    row = {"event_id": f"{kind}:{customer}:{after}", "customer_id": customer, "kind": kind, "occurred_at": T + after}
    return row | changes


def order(after: timedelta, customer: str = "c-1", **changes: Any) -> Row:
    return event("order", after, customer) | {"amount": Decimal("10.00"), "currency": "GBP"} | changes


def counted(sent: list[Row], told: list[Row], decided: list[Row] = [], now: datetime = LATER) -> Outreach:  # noqa: B006
    tables = [pa.Table.from_pylist(rows, schema=schema)
              for rows, schema in ((sent, SENT), (told, TOLD), (decided, FIRST_DECIDED))]  # fmt: skip
    return count_outreach(*tables, response_days=30, reactivated_days=90, now=now)


def totals(sent: list[Row], told: list[Row]) -> Row:
    return counted(sent, told).totals


class TestResponse:
    @pytest.mark.parametrize(
        "kind", ["click", "reply", "visit", "browse", "cart_add", "cart_abandon", "login", "order", "booking"]
    )
    @pytest.mark.parametrize(
        ("after", "counts"),
        [(timedelta(0), 0), (SECOND, 1), (timedelta(days=30), 1), (timedelta(days=30) + SECOND, 0)],
    )
    def test_within_thirty_days_of_a_message(self, kind: str, after: timedelta, counts: int) -> None:
        """Not before it, and not a second too late."""
        assert totals([message()], [event(kind, after)])["responded"] == counts

    @pytest.mark.parametrize(
        "kind", ["open", "delivered", "sent", "bounce", "unsubscribe", "usage", "seen", "cancelled"]
    )
    def test_what_is_no_response(self, kind: str) -> None:
        """An open may be a machine's; an opt-out is counted as one."""
        assert totals([message()], [event(kind, timedelta(days=1))])["responded"] == 0

    def test_the_last_message_counts_as_much_as_the_first(self) -> None:
        """The window begins anew with each."""
        second = message(number=2, at=T + timedelta(days=20))
        assert totals([message(), second], [event("click", timedelta(days=49))])["responded"] == 1

    def test_only_what_was_delivered_can_be_answered(self) -> None:
        """A bounced message is in neither number; a bounce of somebody else's message is not ours."""
        came_back = event("bounce", timedelta(hours=1), touch_id="t-c-1-1")
        click = event("click", timedelta(days=1))
        assert [totals([message()], [came_back, click])[name] for name in ("delivered_to", "responded", "bounced")] == [
            0, 0, 1
        ]  # fmt: skip
        assert totals([message()], [event("bounce", timedelta(hours=1)), click])["delivered_to"] == 1


class TestReactivation:
    @pytest.mark.parametrize("kind", ["order", "booking", "subscription"])
    @pytest.mark.parametrize(
        ("after", "counts"),
        [(timedelta(0), 0), (SECOND, 1), (timedelta(days=90), 1), (timedelta(days=90) + SECOND, 0)],
    )
    def test_within_ninety_days_of_the_first_message(self, kind: str, after: timedelta, counts: int) -> None:
        """A later message does not prolong it."""
        sent = [message(), message(number=2, at=T + timedelta(days=34))]
        assert totals(sent, [order(after, kind=kind)])["reactivated"] == counts

    def test_a_cancelled_purchase_is_none(self) -> None:
        """The next one is the first; without one nobody was reactivated."""
        first, second = order(timedelta(days=2)), order(timedelta(days=9), amount=Decimal("30.00"))
        undone = event("cancelled", timedelta(days=3), about=first["event_id"])
        assert totals([message()], [first, undone])["reactivated"] == 0
        found = counted([message()], [first, undone, second])
        assert found.totals["reactivated"] == 1
        assert found.waits == [{"days": 9, "returned": True, "enrolments": 1}]
        assert [row["amount"] for row in found.money] == [Decimal("30.00")] * 2

    def test_days_are_whole_and_who_waits_is_counted_as_waiting(self) -> None:
        """Two came back on the day after; one has waited to the end of the window, another for three days and a bit."""
        sent = [*(message(f"c-{n}") for n in range(3)), message("c-3", at=LATER - timedelta(days=3, hours=5))]
        told = [order(timedelta(days=1, hours=hours), f"c-{n}") for n, hours in enumerate((0, 23))]
        assert [tuple(row.values()) for row in counted(sent, told).waits] == [
            (1, True, 2),
            (3, False, 1),
            (90, False, 1),
        ]

    def test_another_purchase_within_a_year_is_a_repeat(self) -> None:
        """Two rows of one basket are one purchase in time, a year later it is too late."""
        told = [order(timedelta(days=2), event_id=f"o-{n}") for n in (1, 2)]
        assert totals([message()], told)["bought_again"] == 0
        assert totals([message()], [*told, order(timedelta(days=367))])["bought_again"] == 1
        assert totals([message()], [*told, order(timedelta(days=367) + SECOND)])["bought_again"] == 0


class TestMoney:
    def test_value_is_of_ninety_days_and_revenue_of_a_year(self) -> None:
        """From the reactivating purchase on, that one included; currencies are never added."""
        told = [
            order(timedelta(days=10)), order(timedelta(days=100), amount=Decimal("5.55")),
            order(timedelta(days=101), currency="EUR"), order(timedelta(days=375), amount=Decimal("0.45")),
            order(timedelta(days=375) + SECOND), order(timedelta(days=11), amount=None),
        ]  # fmt: skip
        found = {(row["window"], row["currency"]): row["amount"] for row in counted([message()], told).money}
        assert found == {
            ("value", "GBP"): Decimal("15.55"), ("retained", "GBP"): Decimal("16.00"),
            ("retained", "EUR"): Decimal("10.00"),
        }  # fmt: skip
        unpriced = {
            row["window"]: row["unpriced"] for row in counted([message()], told).money if row["currency"] == "GBP"
        }
        assert unpriced == {"value": 1, "retained": 1}

    def test_who_was_written_to_in_two_enrolments_is_one_person(self) -> None:
        """And what they bought once was bought once."""
        sent = [message(), message(enrolment_id="e-2", touch_id="t-2", at=T + timedelta(days=60))]
        found = counted(sent, [order(timedelta(days=61))])
        assert (found.totals["written_to"], found.totals["reactivated"]) == (1, 1)
        assert [row["amount"] for row in found.money] == [Decimal("10.00")] * 2

    def test_it_says_how_many_were_seen_for_the_whole_window(self) -> None:
        """Ninety days after the purchase, not before."""
        end = T + timedelta(days=100)
        told = [order(timedelta(days=10))]
        assert counted([message()], told, now=end).totals["seen_for_long"] == 1
        assert counted([message()], told, now=end - SECOND).totals["seen_for_long"] == 0


class TestCredit:
    def test_the_last_delivered_message_within_thirty_days_gets_it(self) -> None:
        """One that came back gets none; after thirty days nobody does."""
        sent = [message(), message(number=2, at=T + timedelta(days=4)), message(number=3, at=T + timedelta(days=9))]
        bounced = event("bounce", timedelta(days=9, hours=1), touch_id="t-c-1-3")
        found = counted(sent, [bounced, order(timedelta(days=20))]).credits
        (row,) = (row for row in found if row["measure"] == "channel_attribution")
        assert (row["touch_number"], row["channel"], row["reactivations"], row["revenue"]) == (
            2, "email", 1, Decimal("10.00")
        )  # fmt: skip
        assert {row["touch_number"] for row in counted(sent[:1], [order(timedelta(days=31))]).credits} == {None}

    @pytest.mark.parametrize(
        ("after", "touch"), [(SECOND, 1), (timedelta(days=30), 1), (timedelta(days=30) + SECOND, None)]
    )
    def test_the_window_is_to_the_second(self, after: timedelta, touch: int | None) -> None:
        """Thirty days after the message still count."""
        assert {row["touch_number"] for row in counted([message()], [order(after)]).credits} == {touch}


class TestJourneys:
    """The channels that delivered, one after the other, of enrolments whose window is over."""

    def test_up_to_the_purchase_each_named_once(self) -> None:
        """Two emails in a row are one, the SMS after the purchase had no part in it; who did not buy was lost."""
        ways = (("email", 0), ("email", 4), ("sms", 9), ("email", 20), ("sms", 40))
        sent = [
            message(who, number, T + timedelta(days=day), channel=channel)
            for who in ("c-1", "c-2", "c-3") for number, (channel, day) in enumerate(ways, 1)
        ]  # fmt: skip
        told = [order(timedelta(days=30)), order(timedelta(days=9), "c-2")]
        assert counted(sent, told).journeys == [
            {"channels": ["email"], "returned": 1, "lost": 0},
            {"channels": ["email", "sms", "email"], "returned": 1, "lost": 0},
            {"channels": ["email", "sms", "email", "sms"], "returned": 0, "lost": 1},
        ]

    def test_what_came_back_reached_nobody(self) -> None:
        """The emails around a bounced SMS are one; who was reached by nothing went no way."""
        sent = [message(), message(number=2, channel="sms", at=T + timedelta(days=4)), message("c-2"),
                message(number=3, at=T + timedelta(days=9))]  # fmt: skip
        bounced = [event("bounce", timedelta(days=5), who, touch_id=touch)
                   for who, touch in (("c-1", "t-c-1-2"), ("c-2", "t-c-2-1"))]  # fmt: skip
        assert counted(sent, bounced).journeys == [{"channels": ["email"], "returned": 0, "lost": 1}]

    def test_the_young_are_not_counted_yet(self) -> None:
        """Not even who came back: those who will not are not known yet. At the end of ninety days they are."""
        end, told = T + timedelta(days=90), [order(timedelta(days=2))]
        assert counted([message()], told, now=end - SECOND).journeys == []
        assert counted([message()], told, now=end).journeys == [{"channels": ["email"], "returned": 1, "lost": 0}]

    def test_a_message_after_the_window_is_of_no_way(self) -> None:
        """What comes of it is not counted either."""
        late = message(number=2, channel="sms", at=T + timedelta(days=90))
        assert counted([message(), late], []).journeys == [{"channels": ["email"], "returned": 0, "lost": 1}]


class TestOffers:
    SENT = message(
        number=3, incentive="points_or_credit", offer_id="o-15", unit_cost=Decimal("15.00"), unit_currency="GBP"
    )

    def redeemed(self, bought: Row) -> Row:
        return event("redeemed", timedelta(days=5), touch_id="t-c-1-3", about=bought["event_id"])

    @pytest.mark.parametrize(
        ("purchase", "cost", "unknown"),
        [
            ({}, Decimal("15.00"), 0),
            ({"discount": Decimal("7.00")}, Decimal("7.00"), 0),
            ({"discount": Decimal("0.00")}, Decimal("0.00"), 0),
            ({"currency": "EUR"}, None, 1),
        ],
        ids=["as signed", "as told", "nothing", "other money"],
    )
    def test_a_redemption_costs_what_was_taken_off_else_what_was_signed(
        self, purchase: Row, cost: Decimal | None, unknown: int
    ) -> None:
        """In the money of the purchase; never a guess."""
        bought = order(timedelta(days=5), **purchase)
        (row,) = counted([self.SENT], [bought, self.redeemed(bought)]).offers
        assert (row["codes_sent"], row["redeemed"], row["revenue"]) == (1, 1, Decimal("10.00"))
        assert (row["offer_id"], row["incentive"]) == ("o-15", "points_or_credit")
        assert (row["cost"], row["cost_unknown"]) == (cost, unknown)

    def test_a_code_used_for_a_cancelled_purchase_was_not_redeemed(self) -> None:
        """The offer is shown with no redemption."""
        bought = order(timedelta(days=5))
        undone = event("cancelled", timedelta(days=6), about=bought["event_id"])
        (row,) = counted([self.SENT], [bought, self.redeemed(bought), undone]).offers
        assert (row["codes_sent"], row["redeemed"], row["revenue"], row["cost"]) == (1, 0, None, None)


def test_a_cohort_is_everybody_first_seen_dormant_in_a_week() -> None:
    """Also who was never written to; weeks begin on Monday, UTC."""
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    decided = [{"customer_id": f"c-{n}", "first_at": at} for n, at in enumerate([monday - SECOND, monday, T])]
    found = counted([message()], [order(timedelta(days=2))], decided)
    assert [(row["week"], row["candidates"], row["reactivated"]) for row in found.cohorts] == [
        (date(2026, 2, 23), 1, 0), (date(2026, 3, 2), 2, 1)
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["unsubscribe", "opt_out", "objection"])
def test_a_no_counts_from_the_first_message_on(kind: str) -> None:
    """Said before, it was not our doing; said twice, it is one person."""
    assert totals([message()], [event(kind, -SECOND)])["unsubscribed"] == 0
    assert totals([message()], [event(kind, SECOND), event("unsubscribe", timedelta(days=9))])["unsubscribed"] == 1


_KINDS = ["click", "order", "unsubscribe", "complaint", "open", "bounce", "cancelled"]


@settings(max_examples=15)  # counting takes a quarter of a second, whatever happened
@given(st.lists(st.tuples(st.sampled_from(_KINDS), st.integers(-5, 120), st.integers(0, 3)), max_size=24))
def test_no_number_is_larger_than_what_it_is_a_share_of(told: list[tuple[str, int, int]]) -> None:
    """Whatever happens, and however often it is told."""
    events = [
        event(kind, timedelta(days=days), f"c-{who}", event_id=f"{kind}-{n}",
              touch_id=f"t-c-{who}-1" if kind == "bounce" else None)
        for n, (kind, days, who) in enumerate(told)
    ]  # fmt: skip
    found = totals([message(f"c-{n}") for n in range(3)], events)
    assert found["written_to"] == 3
    assert found["responded"] <= found["delivered_to"] <= found["written_to"]
    assert found["bought_again"] <= found["reactivated"] <= found["written_to"]
    assert max(found[name] for name in ("unsubscribed", "complained", "bounced")) <= found["written_to"]


def test_nothing_sent_is_nothing_counted() -> None:
    """Zeros, no rows, no error."""
    found = counted([], [])
    assert set(found.totals.values()) == {0}
    assert [found.money, found.credits, found.journeys, found.offers, found.cohorts, found.waits] == [[]] * 6
