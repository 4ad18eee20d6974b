"""Whose a call is: each provider's signature, judged by its own official SDK, and how old the call may be.

Where a provider signs a time, a call from another time is refused. Twilio signs none; as with the others, what was told
before is nothing new (``steps.provider_events``), so that a call that is played again does nothing.

Source: PROVIDERS.md, Webhooks; the SDKs' verifiers.
"""

from __future__ import annotations

import binascii
from abc import ABC, abstractmethod
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from resend import WebhookHeaders, Webhooks
from sendgrid.helpers.eventwebhook import EventWebhook
from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

from reactivation.steps.settings import ConfigurationError, Webhook

_SHORTEST_KEY = 16
_FIELDS = 200


@dataclass(frozen=True)
class Call:
    """A call as it came: its headers (names in lower case), its raw body, the query of its URL, and when."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    query: str = field(repr=False)
    received: datetime

    def text(self) -> str:
        """The body as text; ``ValueError`` where it is none."""
        return self.body.decode("utf-8")

    def form(self) -> ImmutableMultiDict[str, str]:
        """The body as a form; ``ValueError`` where it is none."""
        return ImmutableMultiDict(
            parse_qsl(self.text(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
        )


class Verifier(ABC):
    """One provider's. Made when the process starts, so that a wrong key is told then."""

    #: The one type its calls have.
    content_type: ClassVar[str] = "application/json"

    def __init__(self, hook: Webhook) -> None:
        self._hook = hook

    @abstractmethod
    def genuine(self, call: Call) -> bool:
        """Whether the provider signed this very call, not too long ago. Never raises."""

    def _wrong(self, what: str, fix: str) -> ConfigurationError:
        return ConfigurationError(f"connection {self._hook.connection} {what}; {fix}")


class OfSendGrid(Verifier):
    """ECDSA over a time and the body. Its key is public.

    It tries for a day to deliver, and nowhere says that it signs anew each time: a call of a day ago may bring an
    opt-out that could not be delivered before.
    """

    _SIGNATURE, _TIME = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
    OLDEST, _AHEAD = timedelta(hours=25), timedelta(minutes=5)

    def __init__(self, hook: Webhook) -> None:
        super().__init__(hook)
        try:
            self._judges = [EventWebhook(key) for key in hook.keys]
        except ValueError:
            self._judges = []
        if not all(isinstance(one.public_key, EllipticCurvePublicKey) for one in self._judges) or not self._judges:
            raise self._wrong(
                "has a password that is no verification key",
                "copy it from Settings, Mail Settings, Signed Event Webhook Requests",
            )

    def genuine(self, call: Call) -> bool:
        signature, told = call.headers.get(self._SIGNATURE, ""), call.headers.get(self._TIME, "")
        if not (told.isascii() and told.isdecimal() and len(told) < 12):
            return False
        age = call.received - datetime.fromtimestamp(int(told), UTC)
        if not -self._AHEAD <= age <= self.OLDEST:
            return False
        try:
            return any(judge.verify_signature(call.text(), signature, told) for judge in self._judges)
        except (ValueError, binascii.Error):
            return False


class OfTwilio(Verifier):
    """HMAC-SHA1 over the URL and the fields of the form. It signs no time."""

    content_type = "application/x-www-form-urlencoded"
    _SIGNATURE = "x-twilio-signature"

    def __init__(self, hook: Webhook) -> None:
        super().__init__(hook)
        if not (hook.url or "").startswith("https://"):
            raise self._wrong(
                "has no URL as its host, which Twilio signs",
                "give it as it is entered at Twilio: https://HOST/hooks/twilio",
            )
        if any(len(key) < _SHORTEST_KEY for key in hook.keys):
            raise self._wrong("has a password that is no auth token", "copy the account's auth token")
        self._judges = [RequestValidator(key) for key in hook.keys]

    def genuine(self, call: Call) -> bool:
        # Who asks says by headers where he asked; where Twilio was told to ask, only the connection says.
        url = f"{self._hook.url}?{call.query}" if call.query else str(self._hook.url)
        signature = call.headers.get(self._SIGNATURE, "")
        try:
            form = call.form()
        except ValueError:
            return False
        return any(judge.validate(url, form, signature) for judge in self._judges)


class OfResend(Verifier):
    """HMAC-SHA256 over an id, a time and the body; the SDK refuses what is more than five minutes away."""

    def __init__(self, hook: Webhook) -> None:
        super().__init__(hook)
        for key in hook.keys:
            try:
                secret = b64decode(key.removeprefix("whsec_"), validate=True)
            except ValueError:
                secret = b""
            if len(secret) < _SHORTEST_KEY:  # the SDK would take an empty one, which anybody has
                raise self._wrong("has a password that is no signing secret", "copy it from the webhook: whsec_…")

    def genuine(self, call: Call) -> bool:
        told: WebhookHeaders = {
            "id": call.headers.get("svix-id", ""), "timestamp": call.headers.get("svix-timestamp", ""),
            "signature": call.headers.get("svix-signature", ""),
        }  # fmt: skip
        return any(_signed_by_resend(call, told, key) for key in self._hook.keys)


def _signed_by_resend(call: Call, told: WebhookHeaders, key: str) -> bool:
    try:
        Webhooks.verify({"payload": call.text(), "headers": told, "webhook_secret": key})
    except ValueError:
        return False
    return True
