"""The providers' own SDKs, aimed at the same fakes, say the same of one message as we do, field by field."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
import resend
import sendgrid
import twilio.http.http_client
from sendgrid.helpers import mail
from tests.fakes.fake import Fake, Received
from tests.fakes.specification import needed
from tests.fakes.talking import KEY, SECRET, a_fake, opened, talk
from tests.fakes.twilio import ACCOUNT_SID
from tests.ledgers import NOW
from tests.signed import a_signed_text_message, a_signed_touch
from twilio.rest import Client

from reactivation.approvals import SendableTouch
from reactivation.delivery import Call, Provider


def theirs(fake: Fake, say: Callable[[str], object]) -> Received:
    """What came in when their SDK said it; it has no event loop and gets a thread."""

    async def scenario() -> None:
        async with fake.serving() as url:
            await asyncio.to_thread(say, url)

    asyncio.run(scenario())
    assert fake.violations == []
    return fake.received[-1]


def ours(name: str, touch: SendableTouch) -> Received:
    fake = a_fake(name)
    talk(fake, lambda url: opened(name, url), lambda provider: provider.send(touch, KEY, NOW))
    return fake.received[-1]


def same(one: Received, other: Received, *headers: str) -> None:
    """Method, place, words and these headers."""
    assert (one.method, one.path, one.query, one.body) == (other.method, other.path, other.query, other.body)
    for header in ("Authorization", *headers):
        assert one.headers[header] == other.headers[header]


def test_sendgrid_says_the_same() -> None:
    """With its helpers for every part of a message."""
    needed("tsg_mail_v3.json")
    touch = a_signed_touch()

    def say(url: str) -> None:
        message = mail.Mail(
            from_email=mail.From("hello@harbour-finch.example", "Harbour & Finch"), subject=touch.subject,
            plain_text_content=touch.text, html_content=touch.html,
        )  # fmt: skip
        to = mail.Personalization()
        to.add_to(mail.To(touch.recipient))
        to.add_custom_arg(mail.CustomArg("key", KEY))
        message.add_personalization(to)
        message.add_category(mail.Category(KEY))
        for name, value in touch.headers:
            message.add_header(mail.Header(name, value))
        message.tracking_settings = mail.TrackingSettings(
            mail.ClickTracking(False, False), mail.OpenTracking(False), mail.SubscriptionTracking(False),
            mail.Ganalytics(False),
        )  # fmt: skip
        message.mail_settings = mail.MailSettings(
            footer_settings=mail.FooterSettings(False), sandbox_mode=mail.SandBoxMode(False)
        )
        sendgrid.SendGridAPIClient(SECRET, host=url).send(message)

    same(theirs(a_fake("sendgrid"), say), ours("sendgrid", touch))


def test_resend_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the key of the send as its idempotency key."""
    needed("resend.json")
    touch = a_signed_touch()

    def say(url: str) -> None:
        monkeypatch.setattr(resend, "api_url", url)
        monkeypatch.setattr(resend, "api_key", SECRET)
        message: resend.Emails.SendParams = {
            "from": touch.sender, "to": [touch.recipient], "subject": touch.subject or "", "text": touch.text,
            "html": touch.html or "", "headers": dict(touch.headers), "tags": [{"name": "key", "value": KEY}],
        }  # fmt: skip
        resend.Emails.send(message, {"idempotency_key": KEY})

    same(theirs(a_fake("resend"), say), ours("resend", touch), "Idempotency-Key")


class _Aimed(twilio.http.http_client.TwilioHttpClient):
    """Their client, at another place than theirs."""

    def __init__(self, url: str, session: requests.Session) -> None:
        super().__init__(pool_connections=False)
        self.url, self.session = url, session

    def request(self, method: str, url: str, *rest: Any, **more: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self.url), *rest, **more)


def _with_twilio(url: str, do: Callable[[Client], object]) -> None:
    with requests.Session() as session:
        do(Client(ACCOUNT_SID, SECRET, http_client=_Aimed(url, session)))


def test_twilio_says_the_same() -> None:
    """Of a message."""
    needed("twilio_api_v2010.json")
    touch = a_signed_text_message()

    def say(url: str) -> None:
        _with_twilio(url, lambda client: client.messages.create(
            to=touch.recipient, from_=touch.sender, body=touch.text, smart_encoded=False, shorten_urls=False,
            validity_period=36_000,
        ))  # fmt: skip

    one, other = theirs(a_fake("twilio"), say), ours("twilio", touch)
    one.body.update({name: one.body[name].lower() for name in ("SmartEncoded", "ShortenUrls")})  # Python's own True
    same(one, other)


def test_twilio_asks_the_same() -> None:
    """Of the messages to a number since a moment."""
    needed("twilio_api_v2010.json")
    touch, fake = a_signed_text_message(), a_fake("twilio")

    async def look(provider: Provider) -> None:
        await provider.find(Call(KEY, NOW, touch.recipient, touch.text))

    talk(fake, lambda url: opened("twilio", url), look)

    def say(url: str) -> None:
        since = NOW - timedelta(minutes=2)
        _with_twilio(url, lambda client: client.messages.list(
            to=touch.recipient, date_sent_after=since, page_size=1000
        ))  # fmt: skip

    same(theirs(a_fake("twilio"), say), fake.received[-1])
