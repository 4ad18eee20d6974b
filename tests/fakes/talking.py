"""A provider of ours, talking to a fake for the length of a few calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.fakes.fake import Fake
from tests.fakes.faults import Fault, Faults
from tests.fakes.resend import FakeResend
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.twilio import ACCOUNT_SID, FakeTwilio
from tests.ledgers import NOW, an_id
from tests.signed import a_signed_text_message, a_signed_touch

from reactivation.approvals import SendableTouch
from reactivation.delivery import Provider, Result
from reactivation.delivery.resend import Resend
from reactivation.delivery.sendgrid import SendGrid
from reactivation.delivery.twilio import Twilio

T = TypeVar("T")
KEY = an_id("send")
#: No letter of it may be in an error, a log or a name.
SECRET = "s3cret-0f-tests"
#: Long for a machine, short for a test.
BRIEF = 0.5

Make = Callable[[str], Provider]

FAKES: dict[str, type[Fake]] = {"sendgrid": FakeSendGrid, "resend": FakeResend, "twilio": FakeTwilio}
TOUCHES: dict[str, Callable[[], SendableTouch]] = {
    "sendgrid": a_signed_touch, "resend": a_signed_touch, "twilio": a_signed_text_message,
}  # fmt: skip


def opened(name: str, url: str, *, seconds: float = 5, per_second: float = 1000) -> Provider:
    """The provider of that name, at that place, with the time-out given."""
    if name == "twilio":
        return Twilio(
            "reactivation_sms", SECRET, login=ACCOUNT_SID, url=url, per_second=per_second, seconds=seconds
        )  # fmt: skip
    kind = {"sendgrid": SendGrid, "resend": Resend}[name]
    return kind("reactivation_email", SECRET, url=url, per_second=per_second, seconds=seconds)


def a_fake(name: str, *faults: Fault | None) -> Fake:
    """The fake of that provider, at the moment of the tests."""
    return FAKES[name](faults=Faults(*faults), clock=lambda: NOW)


def talk(fake: Fake, make: Make, do: Callable[[Provider], Awaitable[T]]) -> T:
    """What a provider is told by a fake; it broke no specification meanwhile, and neither did the fake."""

    async def scenario() -> T:
        async with fake.serving() as url:
            provider = make(url)
            try:
                return await do(provider)
            finally:
                await provider.close()

    told = asyncio.run(scenario())
    assert fake.violations == []
    return told


def sent(name: str, fake: Fake, *, touch: SendableTouch | None = None, seconds: float = 5) -> Result:
    """The result of handing over one message."""
    message = touch or TOUCHES[name]()
    return talk(fake, lambda url: opened(name, url, seconds=seconds), lambda provider: provider.send(message, KEY, NOW))
