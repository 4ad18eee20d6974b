"""The provider of each channel, as the settings have it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.fakes.talking import SECRET, a_fake
from tests.fakes.twilio import ACCOUNT_SID, SERVICE_SID
from tests.ledgers import NOW

from reactivation.contract.addresses import AddressKeys
from reactivation.delivery import Outbox, Provider
from reactivation.delivery.resend import Resend
from reactivation.delivery.sendgrid import SendGrid
from reactivation.delivery.smtp import Smtp
from reactivation.delivery.twilio import Twilio
from reactivation.ledger.engine import Ledger
from reactivation.steps.providers import open_account, open_providers, problems_of
from reactivation.steps.settings import ConfigurationError, ProviderAccount, Settings
from reactivation.steps.workspace import Workspace

SENDGRID = ProviderAccount("reactivation_email", "sendgrid", secret=SECRET)
TWILIO = ProviderAccount(
    "reactivation_sms", "twilio", login=ACCOUNT_SID, secret=SECRET, options={"messaging_service_sid": SERVICE_SID}
)


def settings(home: Path, **accounts: ProviderAccount) -> Settings:
    return Settings(home=home, ledger_url="", address_keys=(), source="", accounts=accounts)


def test_without_accounts_everything_goes_into_the_outbox(tmp_path: Path) -> None:
    """One, for both channels."""
    opened = open_providers(settings(tmp_path))
    assert opened.keys() == {"email", "sms"}
    assert opened["email"] is opened["sms"]
    assert isinstance(opened["email"], Outbox)


def test_a_channel_with_an_account_has_its_provider(tmp_path: Path) -> None:
    """The other still goes into the outbox."""
    opened = open_providers(settings(tmp_path, email=SENDGRID))
    assert (type(opened["email"]), type(opened["sms"])) == (SendGrid, Outbox)


@pytest.mark.parametrize(("account", "kind"), [
    (SENDGRID, SendGrid), (TWILIO, Twilio),
    (ProviderAccount("reactivation_email", "resend", secret=SECRET, options={"per_second": "5"}), Resend),
    (ProviderAccount("reactivation_email", "smtp", host="mail.example", options={"security": "tls"}), Smtp),
], ids=lambda value: getattr(value, "provider", ""))  # fmt: skip
def test_each_account_opens_its_provider(account: ProviderAccount, kind: type[Provider]) -> None:
    """Under the name the ledger has."""
    opened = open_account(account)
    assert type(opened) is kind
    assert opened.name == account.provider


def test_an_account_of_nobody_is_named() -> None:
    """With those there are."""
    with pytest.raises(ConfigurationError, match="reactivation_email: there is no provider pigeon; use resend"):
        open_account(ProviderAccount("reactivation_email", "pigeon"))


def test_a_given_clock_is_refused_beside_a_real_provider(tmp_path: Path, ledger: Ledger) -> None:
    """It would send at another time than it believes."""
    workspace = Workspace(settings(tmp_path, sms=TWILIO), ledger, AddressKeys((b"0" * 32,)))
    with pytest.raises(ConfigurationError, match="is refused: sms would really send"):
        workspace.accept_clock(NOW)


def test_each_provider_is_asked_once_and_let_go() -> None:
    """What both channels share is told once."""
    fake = a_fake("sendgrid")
    fake.settings = {"/v3/scopes": 401}

    async def scenario() -> list[str]:
        async with fake.serving() as url:
            opened = open_account(ProviderAccount("reactivation_email", "sendgrid", host=url, secret=SECRET))
            return await problems_of([opened, opened])

    (problem,) = asyncio.run(scenario())
    assert problem.startswith("connection reactivation_email: SendGrid does not let its key read its own scopes")
