"""Resend: what it is sent, what its answers mean, and that a repeat is the same message."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.faults import Fault
from tests.fakes.resend import DOMAINS
from tests.fakes.specification import needed
from tests.fakes.talking import KEY, a_fake, opened, sent, talk
from tests.ledgers import NOW
from tests.signed import a_signed_touch

from reactivation.delivery import Call, DeliveryError, Provider, Result
from reactivation.delivery.resend import Resend


@pytest.fixture(autouse=True)
def documents() -> None:
    needed("resend.json")


def refused(status: int, name: str) -> Fault:
    return Fault(
        "answer", status=status, body={"statusCode": status, "name": name, "message": "zoe.okafor@mail.example"}
    )


def problems(told: Any = DOMAINS) -> tuple[str, ...]:
    fake = a_fake("resend")
    fake.settings = {"/domains": told}
    return talk(fake, lambda url: opened("resend", url), lambda provider: provider.problems())


def test_one_person_gets_the_signed_words_under_the_key() -> None:
    """One recipient, our own headers, never scheduled, no template; only the key goes along."""
    fake, touch = a_fake("resend"), a_signed_touch()
    sent("resend", fake, touch=touch)
    (call,) = fake.received
    assert call.headers["Idempotency-Key"] == KEY
    assert call.body == {
        "from": touch.sender, "to": [touch.recipient], "subject": touch.subject, "text": touch.text,
        "html": touch.html, "headers": dict(touch.headers), "tags": [{"name": "key", "value": KEY}],
    }  # fmt: skip


def test_a_repeat_after_no_answer_is_the_same_message() -> None:
    """It took the first and cut the line; the second call, at another time, gets the answer of the first."""
    fake = a_fake("resend", Fault("drop_after"))

    async def twice(provider: Provider) -> list[Result]:
        return [await provider.send(a_signed_touch(), KEY, NOW + timedelta(hours=n)) for n in range(2)]

    first, second = talk(fake, lambda url: opened("resend", url), twice)
    assert (first.state, second.state) == ("unknown", "accepted")
    assert len(fake.accepted) == 1


def test_it_is_not_repeated_by_itself() -> None:
    """Its key is forgotten after a day, and a repeat would be a second message: so a person decides at once."""
    assert not Resend.repeatable
    assert Resend.look_up_for == timedelta(0)


@pytest.mark.parametrize("name", ["concurrent_idempotent_requests", "invalid_idempotent_request"])
def test_an_earlier_call_under_the_key_leaves_it_unknown(name: str) -> None:
    """That one may have the message, whatever this one is told."""
    assert sent("resend", a_fake("resend", refused(409, name))) == Result("unknown", reason=name)


@pytest.mark.parametrize("name", ["daily_quota_exceeded", "monthly_quota_exceeded"])
def test_a_quota_that_is_used_up_waits_longer(name: str) -> None:
    """Nothing was sent, and asking again in a second would be told the same."""
    assert sent("resend", a_fake("resend", refused(429, name))) == Result(
        "not_sent", reason=name, wait=timedelta(hours=1)
    )


def test_a_message_it_does_not_like_is_refused() -> None:
    """By the name of the error; its words stay behind."""
    assert sent("resend", a_fake("resend", refused(422, "validation_error"))) == Result(
        "refused", reason="validation_error"
    )


def test_a_sender_it_does_not_like_stops_everything() -> None:
    """It is the same for all messages."""
    with pytest.raises(DeliveryError, match=r"invalid_from_address.*correct the tenant's sender address"):
        sent("resend", a_fake("resend", refused(422, "invalid_from_address")))


def test_it_cannot_be_asked_for_a_key() -> None:
    """So nothing is looked up: of what is unknown a person decides."""
    fake = a_fake("resend")
    asked = talk(fake, lambda url: opened("resend", url), lambda provider: provider.find(Call(KEY, NOW)))
    assert asked is None
    assert fake.received == []


class TestProblems:
    def test_domains_without_tracking_have_none(self) -> None:
        """They are read from the account."""
        assert problems() == ()

    @pytest.mark.parametrize("setting", ["open_tracking", "click_tracking"])
    def test_each_domain_that_alters_messages_is_named(self, setting: str) -> None:
        """With the setting to switch off."""
        domain = DOMAINS["data"][0] | {setting: True}  # type: ignore[index]
        (problem,) = problems(DOMAINS | {"data": [domain]})
        assert f"of harbour-finch.example ({setting}); switch it off for that domain" in problem

    def test_a_key_that_may_only_send_is_named(self) -> None:
        """What cannot be verified is not taken for granted."""
        (problem,) = problems(401)
        assert "does not let its key read its domains and their tracking (HTTP 401); put an API key" in problem

    def test_more_domains_than_a_page_are_read(self) -> None:
        """A list that never ends is given up."""
        fake = a_fake("resend")
        fake.settings = {"/domains": DOMAINS | {"has_more": True}}
        talk(fake, lambda url: opened("resend", url), lambda provider: provider.problems())
        assert len(fake.received) == 10
        assert fake.received[1].query["after"] == DOMAINS["data"][0]["id"]  # type: ignore[index]
