"""What of a source's word becomes an event, and what is news."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.outcomes.people import ENROLMENT, NOW, SINCE, told

from reactivation.contract.tables import ENGAGEMENT_KINDS
from reactivation.ledger.events import Event
from reactivation.outcomes import events_of
from reactivation.outcomes.exits import NOES

UNTIL = NOW + timedelta(minutes=5)
FAR = NOW + timedelta(days=3650)


def recorded(*rows: dict[str, Any], **known: Any) -> list[Event]:
    found, facts = events_of(
        rows, ENROLMENT, since=SINCE, until=UNTIL, touch_ids=known.get("touch_ids", ()),
        touch_of_code=known.get("touch_of_code", {}), address_key="k" * 64,
    )  # fmt: skip
    assert len(facts) == sum(event.kind != "redeemed" for event in found)
    return found


@pytest.mark.parametrize("kind", [*ENGAGEMENT_KINDS, "order", "booking", "subscription", "cancelled", "seen", *NOES])
def test_every_kind_is_an_event(kind: str) -> None:
    """With the customer, the enrolment and the instant; what we sent ourselves, or others did, included."""
    (event,) = recorded(told(kind))
    assert (event.kind, event.customer_id, event.enrolment_id) == (kind, "c-ada", "e-1")
    assert event.occurred_at == NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("at", "counts"),
    [(SINCE, False), (SINCE + timedelta(seconds=1), True), (NOW, True), (UNTIL, True),
     (UNTIL + timedelta(seconds=1), False), (FAR, False)],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["order", "click", "sent", "cancelled"])
def test_what_shows_interest_counts_between_the_decision_and_now(kind: str, at: datetime, counts: bool) -> None:
    """Before it was known, of the future nobody can know; the source tells it again when its time has come."""
    assert len(recorded(told(kind, at))) == counts


@pytest.mark.parametrize("at", [SINCE - timedelta(days=900), FAR])
@pytest.mark.parametrize("kind", NOES)
def test_a_no_counts_whenever_it_was_said(kind: str, at: datetime) -> None:
    """Years ago and told only now, or by a clock that is wrong."""
    (event,) = recorded(told(kind, at))
    assert event.occurred_at == at


def test_an_old_bounce_is_no_news_and_one_of_the_future_is() -> None:
    """An old one was known when the decision was made; what forbids is not asked for its clock."""
    assert recorded(told("bounce", SINCE)) == []
    assert len(recorded(told("bounce", FAR))) == 1


def test_only_a_touch_of_this_enrolment_is_named() -> None:
    """Of an event of another touch it is kept that it happened."""
    ours, other = recorded(told("click", touch_id="t-1"), told("open", touch_id="t-9"), touch_ids={"t-1"})
    assert (ours.touch_id, other.touch_id) == ("t-1", None)


def test_a_purchase_keeps_what_it_came_to() -> None:
    """Amount, currency and discount; a cancellation names the purchase it takes back."""
    bought, undone = recorded(
        told("order", event_id="purchases:b-1", amount=Decimal("96.00"), currency="GBP", discount=Decimal("24.00")),
        told("cancelled", event_id="cancelled:b-1", about="purchases:b-1"),
    )
    assert (bought.amount, bought.currency, bought.discount) == (Decimal("96.00"), "GBP", Decimal("24.00"))
    assert undone.about == bought.event_id


def test_a_code_of_ours_is_a_redemption_of_its_touch() -> None:
    """Beside the purchase, and about it; a code of somebody else's campaign is none."""
    row = told("order", event_id="purchases:b-1", offer_code="WB-1", amount=Decimal("96.00"), currency="GBP")
    bought, used = recorded(row, touch_of_code={"WB-1": "t-3"})
    assert (used.kind, used.touch_id, used.about) == ("redeemed", "t-3", bought.event_id)
    assert [event.kind for event in recorded(row)] == ["order"]


def test_an_id_too_long_to_be_kept_is_a_digest_everywhere() -> None:
    """So that what is about the event still finds it."""
    long = f"purchases:{'9' * 90}"
    bought, undone = recorded(told("order", event_id=long), told("cancelled", about=long))
    assert bought.event_id.startswith("digest:")
    assert undone.about == bought.event_id


def test_a_channel_nobody_knows_is_left_out() -> None:
    """A web visit has none of ours."""
    assert recorded(told("visit", channel="web"))[0].channel is None
