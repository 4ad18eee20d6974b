"""The fakes themselves, where other tests rely on them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.running import Running, running
from tests.fakes.specification import needed
from tests.fakes.talking import FAKES, KEY, TOUCHES, a_fake, opened
from tests.ledgers import NOW
from tests.signed import a_signed_touch

from reactivation.delivery import Provider
from reactivation.delivery.http import HttpProvider, Request
from reactivation.delivery.smtp import Smtp


def made(name: str, fake: Running) -> Provider:
    if name == "smtp":
        return Smtp("reactivation_email", host="127.0.0.1", port=int(fake.at), security="none", seconds=8)
    return opened(name, fake.at)


async def states(provider: Provider, name: str, times: int) -> list[str]:
    touch = TOUCHES.get(name, a_signed_touch)()
    try:
        return [(await provider.send(touch, f"{KEY}-{number}", NOW)).state for number in range(times)]
    finally:
        await provider.close()


@pytest.mark.parametrize(("name", "fault"), [
    *((name, {"kind": "drop_after"}) for name in FAKES), ("smtp", {"at": "DATA", "after": True}),
])  # fmt: skip
def test_one_in_its_own_process_does_wrong_what_a_file_says(name: str, fault: dict[str, Any], tmp_path: Path) -> None:
    """And writes what it took into its log, whoever dies."""
    with running(name, tmp_path) as fake:
        fake.do_wrong(fault)
        told = asyncio.run(states(made(name, fake), name, times=2))
        assert told == ["unknown", "accepted"]
        assert len(fake.accepted()) == 2


@pytest.mark.parametrize(("name", "path", "body"), [
    ("sendgrid", "/v3/mail/send", {"personalizations": [{"to": [{"email": "a@mail.example"}]}], "subject": "Hello"}),
    ("resend", "/emails", {"from": "a@b.example", "to": []}),
])  # fmt: skip
def test_a_request_that_breaks_the_specification_is_noticed(name: str, path: str, body: dict[str, Any]) -> None:
    """It is not taken, and the test that made it fails."""
    needed("tsg_mail_v3.json", "resend.json")
    fake = a_fake(name)
    _post(name, fake, path, json=body)
    assert fake.violations
    assert fake.accepted == []


@pytest.mark.parametrize("form", [
    {"To": "+447700900456", "From": "+447700900123", "Body": "Hello", "SmartEncode": "false"},
    {"To": "+447700900456", "Body": "Hello"}, {"To": "+447700900456", "From": "+447700900123"},
    {"From": "+447700900123", "Body": "Hello"},
], ids=str)  # fmt: skip
def test_a_form_that_breaks_the_specification_is_noticed(form: dict[str, str]) -> None:
    """A field Twilio does not know, and what it needs and its specification does not say."""
    needed("twilio_api_v2010.json")
    fake = a_fake("twilio")
    _post("twilio", fake, f"/2010-04-01/Accounts/AC{'a1' * 16}/Messages.json", form=form)
    assert fake.violations
    assert fake.accepted == []


def _post(name: str, fake: Any, path: str, **body: Any) -> None:
    async def scenario() -> None:
        async with fake.serving() as url:
            provider = opened(name, url)
            assert isinstance(provider, HttpProvider)
            try:
                await provider.ask(Request("POST", path, **body))
            finally:
                await provider.close()

    asyncio.run(scenario())
