"""The provider of each channel, opened from its account; the outbox where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from reactivation.contract.tables import CHANNELS
from reactivation.delivery import DeliveryError, Outbox, Provider
from reactivation.delivery.resend import Resend
from reactivation.delivery.sendgrid import SendGrid
from reactivation.delivery.smtp import Security, Smtp
from reactivation.delivery.twilio import Twilio
from reactivation.steps.settings import ConfigurationError, ProviderAccount, Settings


def open_providers(settings: Settings) -> Mapping[str, Provider]:
    """By channel. Nothing is connected before the first call. Raises ``ConfigurationError``."""
    outbox = Outbox(settings.outbox)
    return {
        channel: outbox if account is None else open_account(account)
        for channel in CHANNELS
        for account in [settings.accounts.get(channel)]
    }


def open_account(account: ProviderAccount) -> Provider:
    """The provider of one account. Raises ``ConfigurationError`` for one nobody knows."""
    if account.provider not in _OPEN:
        raise ConfigurationError(
            f"connection {account.connection}: there is no provider {account.provider}; use {', '.join(sorted(_OPEN))}"
        )
    return _OPEN[account.provider](account)


async def problems_of(providers: Iterable[Provider]) -> list[str]:
    """What is wrong with each of them, asked at the same time; their connections are ended."""
    asked = list({id(provider): provider for provider in providers}.values())
    told = await asyncio.gather(*(_problems(provider) for provider in asked))
    return [problem for problems in told for problem in problems]


async def _problems(provider: Provider) -> tuple[str, ...]:
    try:
        return await provider.problems()
    except DeliveryError as error:
        return (str(error),)
    finally:
        await provider.close()


def _rate(account: ProviderAccount) -> float | None:
    return float(account.options["per_second"]) if "per_second" in account.options else None


def _sendgrid(account: ProviderAccount) -> Provider:
    return SendGrid(account.connection, account.secret or "", url=account.host, per_second=_rate(account))


def _resend(account: ProviderAccount) -> Provider:
    return Resend(account.connection, account.secret or "", url=account.host, per_second=_rate(account))


def _twilio(account: ProviderAccount) -> Provider:
    return Twilio(
        account.connection, account.secret or "", login=account.login or "",
        account_sid=account.options.get("account_sid"),
        messaging_service_sid=account.options.get("messaging_service_sid"),
        url=account.host, per_second=_rate(account),
    )  # fmt: skip


def _smtp(account: ProviderAccount) -> Provider:
    return Smtp(
        account.connection, host=account.host or "", port=account.port, login=account.login, secret=account.secret,
        security=cast(Security, account.options.get("security", "starttls")),
    )  # fmt: skip


_OPEN: Mapping[str, Callable[[ProviderAccount], Provider]] = {
    "sendgrid": _sendgrid, "resend": _resend, "twilio": _twilio, "smtp": _smtp,
}  # fmt: skip
