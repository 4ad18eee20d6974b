"""Personalisation fields: what becomes of names, money, instants and offers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.messages.letters import SEND, TENANT, offer

from reactivation.messages.fields import (
    BECAUSE,
    MessageError,
    offer_fields,
    on_the_clock,
    own_link,
    product_fields,
    reward,
    safe_text,
    salutation,
)


class TestSalutation:
    @pytest.mark.parametrize(("name", "said"), [
        ("Maeve", "Hello Maeve"), ("  Zoë ", "Hello Zoë"), ("O'Brien-Nguyễn", "Hello O'Brien-Nguyễn"),
        ("李", "Hello 李"),
        (None, "Hello"), ("", "Hello"), ("   ", "Hello"), ("\u202eeveaM\u202c", "Hello eveaM"),
        ("St. John", "Hello St. John"), ("J. R.", "Hello J. R."), ("Mary Ann Lou Beth", "Hello Mary Ann Lou Beth"),
        ("Gal·la", "Hello Gal·la"), ("علی\u200cرضا", "Hello علی\u200cرضا"), ("D’Arcy", "Hello D’Arcy"),
    ])  # fmt: skip
    def test_greets_by_name_or_plainly(self, name: str | None, said: str) -> None:
        """A known name is used as it is, without direction marks; an unknown one leaves no blank."""
        assert salutation(name) == said

    @pytest.mark.parametrize("name", [
        "Maeve\r\nBcc: all@evil.test", "Mae\nve", "Mae\x00ve", "Mae\x85ve", "Mae\u2028ve", "win at https://evil.test",
        "www.evil.test", "prize.com", "me@evil.test", "x" * 41, "<script>", "{{ 6*7 }}", "50% off", "Win £500",
        "bit.ly/win", "t.me", "evil。com", "ｅｖｉｌ．ｃｏｍ", "Call 07700", "Ada; Ben", "you have won a prize",
    ])  # fmt: skip
    def test_refuses_what_is_no_name(self, name: str) -> None:
        """Line breaks could forge a header, links make us somebody's advertiser; the name is not in the message."""
        with pytest.raises(MessageError) as refused:
            salutation(name)
        assert refused.value.code == "personalisation_unsafe"
        assert name not in str(refused.value)

    @given(st.text(max_size=80))
    def test_any_name_is_one_harmless_line_or_refused(self, name: str) -> None:
        """Whatever stands in the source, the greeting is one printable line, or there is none."""
        try:
            said = salutation(name)
        except MessageError:
            return
        assert said.startswith("Hello")
        assert len(said.splitlines()) == 1
        assert not set(said) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


class TestReward:
    @pytest.mark.parametrize(("changes", "words"), [
        ({}, "£15 of account credit"),
        ({"value": Decimal("12.5000")}, "£12.50 of account credit"),
        ({"value": Decimal("1500.0000"), "currency": "EUR"}, "€1,500 of account credit"),
        ({"currency": "CHF"}, "15 CHF of account credit"),
        ({"kind": "points", "value": Decimal("500.0000"), "currency": None}, "500 loyalty points"),
        ({"kind": "percent", "value": Decimal("20.0000"), "currency": None}, "20% off"),
        ({"kind": "percent", "value": Decimal("22.5000"), "currency": None}, "22.5% off"),
        ({"kind": "early_access", "name": "First pick of the diary", "currency": None}, "First pick of the diary"),
    ])  # fmt: skip
    def test_says_what_the_offer_gives(self, changes: dict[str, object], words: str) -> None:
        """Amounts are exact, in the offer's own currency, without trailing zeros."""
        assert reward(offer(**changes)) == words

    @pytest.mark.parametrize("changes", [{"currency": None}, {"kind": "none"}])
    def test_refuses_what_it_cannot_state(self, changes: dict[str, object]) -> None:
        """Money without a currency, and kinds that give nothing to count."""
        with pytest.raises(MessageError):
            reward(offer(**changes))


class TestDeadline:
    def test_is_the_planned_send_plus_the_hours(self) -> None:
        """72 hours from the planned send, whatever the zone."""
        assert offer().deadline(SEND) == SEND + timedelta(hours=72)

    def test_is_never_after_the_end(self) -> None:
        """An end is never extended."""
        ends = SEND + timedelta(hours=50)
        assert offer(ends_at=ends).deadline(SEND) == ends
        assert offer(redeem_within_hours=None).deadline(SEND) == offer().ends_at

    def test_is_on_a_full_minute(self) -> None:
        """What is shown is what holds: no hidden seconds."""
        assert offer().deadline(SEND + timedelta(seconds=59, microseconds=7)) == SEND + timedelta(hours=72)

    @pytest.mark.parametrize("changes", [{"starts_at": SEND + timedelta(seconds=1)}, {"ends_at": SEND}])
    def test_refuses_an_offer_that_does_not_run(self, changes: dict[str, datetime]) -> None:
        """Neither before its start nor from its end on."""
        with pytest.raises(MessageError) as refused:
            offer(**changes).deadline(SEND)
        assert refused.value.code == "offer_not_running"

    @pytest.mark.parametrize(("zone", "words"), [
        ("Europe/London", "Sunday 29 November 2026, 10:00 (London time)"),
        ("America/New_York", "Sunday 29 November 2026, 05:00 (New York time)"),
        ("Australia/Sydney", "Sunday 29 November 2026, 21:00 (Sydney time)"),
        ("Pacific/Kiritimati", "Monday 30 November 2026, 00:00 (Kiritimati time)"),
    ])  # fmt: skip
    def test_is_shown_on_the_recipients_clock(self, zone: str, words: str) -> None:
        """The same instant reads differently in New York and on Kiritimati."""
        assert on_the_clock(offer().deadline(SEND), zone) == words

    def test_is_short_in_a_text_message(self) -> None:
        """Weekday and month by three letters, and no year: an offer lasts days."""
        shown = offer_fields(offer(), offer().deadline(SEND), "America/New_York", None, short=True)
        assert shown["offer_deadline"] == "Sun 29 Nov, 05:00 (New York time)"

    def test_summer_time_is_respected(self) -> None:
        """The night the clocks change in London."""
        assert on_the_clock(datetime(2026, 10, 25, 0, 59, tzinfo=UTC), "Europe/London").endswith("01:59 (London time)")
        assert on_the_clock(datetime(2026, 10, 25, 1, 0, tzinfo=UTC), "Europe/London").endswith("01:00 (London time)")


def test_terms_come_word_for_word_on_one_line() -> None:
    """Line breaks in the source's terms are spaces; nothing else changes; a code is only there when there is one."""
    shown = offer_fields(offer(terms="£15 off.\n  One per household."), SEND, "Europe/London", None)
    assert shown["offer_terms"] == "£15 off. One per household."
    assert "offer_code" not in shown


def test_the_link_out_carries_nothing_personal() -> None:
    """Only the touch, which the ledger leads back to an address key."""
    assert own_link(TENANT.unsubscribe_url, "t-1") == "https://harbour-finch.example/unsubscribe?t=t-1"
    assert own_link("https://harbour-finch.example/u?b=1", "t-1") == "https://harbour-finch.example/u?b=1&t=t-1"


@pytest.mark.parametrize("source", ["purchases", "abandoned_cart", "browse"])
def test_a_recommendation_says_why_in_a_fixed_sentence(source: str) -> None:
    """Nothing of a history is told but which kind it is."""
    shown = product_fields("Gutter clearing", None, source)
    assert shown == {"product_name": "Gutter clearing", "product_because": BECAUSE[source]}


def test_a_recommendation_without_a_reason_is_none() -> None:
    """An affinity nobody can account for recommends nothing."""
    with pytest.raises(MessageError) as refused:
        product_fields("Gutter clearing", None, None)
    assert refused.value.code == "affinity_unknown"


def test_safe_text_names_the_field_not_the_value() -> None:
    """A refusal goes to logs."""
    with pytest.raises(MessageError, match=r"^offer_terms has a line break"):
        safe_text("offer_terms", "secret\nwords")
