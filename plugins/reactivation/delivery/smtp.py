"""E-mail through an SMTP server: one message, one recipient, one connection.

Until the message itself is on its way the server cannot have it. From then on only its own code says what became of
it: without one the outcome is unknown, and there is nobody to ask later. So intents are committed one by one.

Source: PROVIDERS.md, Sending: who is idempotent; RFC 5321, 4.2 and 6.1; RFC 3463 for enhanced codes.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress
from datetime import datetime, timedelta
from typing import ClassVar, Literal

import aiosmtplib

from reactivation.approvals import SendableTouch
from reactivation.delivery.base import Call, Consequence, DeliveryError, Provider, Result
from reactivation.delivery.message import MessageError, build, sender_of

#: starttls: encrypted before anything is said; tls: from the first byte; none: only for a server on this machine.
Security = Literal["starttls", "tls", "none"]

SECONDS = 8.0
_PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}
_LATER = timedelta(minutes=5)
_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b")
#: No such mailbox, by enhanced code: bad destination mailbox, moved, domain gone, null MX, disabled.
_NO_MAILBOX = ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")
#: The server wants us to log in, or to encrypt, or to log in otherwise.
_LOGIN = (530, 534, 535, 538)


class Smtp(Provider):
    """The provider of connections of type ``reactivation_smtp``. ``tls`` replaces whom this machine trusts."""

    name: ClassVar[str] = "smtp"
    repeatable: ClassVar[bool] = False
    batch: int = 1

    def __init__(
        self, connection: str, *, host: str, port: int | None = None, login: str | None = None,
        secret: str | None = None, security: Security = "starttls", seconds: float = SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self.connection = connection
        self._host, self._port = host, port or _PORTS[security]
        self._login, self._secret = login, secret
        self._security: Security = security
        self._seconds, self._tls = seconds, tls

    async def send(self, touch: SendableTouch, key: str, at: datetime) -> Result:
        """Hand the message over once. Raises ``DeliveryError``."""
        try:
            sender, message = _made(touch, key, at)
        except MessageError as error:
            return Result("refused", reason=error.code)
        handed, server = False, self._server()
        try:
            async with asyncio.timeout(self._seconds):
                await self._greet(server)
                await server.mail(sender)
                await server.rcpt(touch.recipient)
                handed = True
                await server.data(message)
            await self._leave(server)
        except aiosmtplib.SMTPResponseException as error:
            return self._judged(error)
        except (aiosmtplib.SMTPException, TimeoutError, OSError) as error:
            return Result("unknown" if handed else "not_sent", reason=_code_of(error))
        finally:
            server.close()
        return Result("accepted", reference=key)

    def _judged(self, error: aiosmtplib.SMTPResponseException) -> Result:
        """What a code of the server says; its words may quote the address and stay behind, but for an enhanced code."""
        code, enhanced = error.code, _enhanced(error.message)
        reason = f"smtp_{code}" if enhanced is None else f"smtp_{code}_{enhanced}"
        if code < 400:
            return Result("unknown", reason=reason)
        if code < 500:
            return Result("not_sent", reason=reason, wait=_LATER)
        if isinstance(error, aiosmtplib.SMTPAuthenticationError) or code in _LOGIN:
            raise self.wrong(f"refuses the login ({code}); correct its login, password and security")
        if isinstance(error, aiosmtplib.SMTPSenderRefused):
            raise self.wrong(f"refuses the sender ({code}); correct the tenant's sender or allow it there")
        if not isinstance(error, (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError)):
            raise self.wrong(f"does not talk to this machine ({code}); ask its operator to let it in")
        gone: Consequence | None = None
        if isinstance(error, aiosmtplib.SMTPRecipientRefused) and (
            enhanced in _NO_MAILBOX or (code == 550 and enhanced is None)
        ):
            gone = "drop_address"
        return Result("refused", reason=reason, consequence=gone)

    async def find(self, call: Call) -> Result | None:
        """Nothing: a server cannot be asked what it once took."""
        return None

    async def problems(self) -> tuple[str, ...]:
        """Whether the server can be reached, encrypts and lets us in."""
        found = []
        if self._security == "none":
            found.append("is spoken to without encryption; set security to starttls or tls")
        server = self._server()
        try:
            async with asyncio.timeout(self._seconds):
                await self._greet(server)
        except DeliveryError as error:
            return (*(str(self.wrong(one)) for one in found), str(error))
        except aiosmtplib.SMTPAuthenticationError as error:
            found.append(f"refuses the login ({error.code}); correct its login, password and security")
        except (aiosmtplib.SMTPException, TimeoutError, OSError) as error:
            found.append(f"cannot be reached ({_code_of(error)}); correct host, port and security")
        finally:
            server.close()
        return tuple(str(self.wrong(one)) for one in found)

    def wrong(self, what: str) -> DeliveryError:
        """The error for a set-up that does not work; ``what`` ends with the fix."""
        return DeliveryError(f"connection {self.connection}: the SMTP server {self._host}:{self._port} {what}")

    def _server(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._host, port=self._port, use_tls=self._security == "tls", start_tls=False,
            timeout=self._seconds, tls_context=self._tls,
        )  # fmt: skip

    async def _greet(self, server: aiosmtplib.SMTP) -> None:
        """Connected, encrypted and logged in. Raises ``DeliveryError`` where the server offers no such thing."""
        await server.connect()
        await server.ehlo()
        if self._security == "starttls":
            if not server.supports_extension("starttls"):
                raise self.wrong("offers no STARTTLS; set security to tls, or use another server")
            await server.starttls()
            await server.ehlo()
        if self._login is not None:
            if not server.supported_auth_methods:
                raise self.wrong("offers no way to log in; remove login and password, or correct security")
            await server.login(self._login, self._secret or "")

    async def _leave(self, server: aiosmtplib.SMTP) -> None:
        """Good manners only: the message is taken, whatever is said now."""
        with suppress(aiosmtplib.SMTPException, TimeoutError, OSError):
            await server.quit(timeout=min(self._seconds, 1))


def _made(touch: SendableTouch, key: str, at: datetime) -> tuple[str, bytes]:
    """The sender's address and the message. Raises ``MessageError``."""
    if touch.channel != "email":
        raise MessageError("channel_not_supported")
    message, (_, sender) = build(touch, key, at), sender_of(touch)
    if not (sender + touch.recipient).isascii():
        raise MessageError("address_not_ascii")
    return sender, message


def _enhanced(words: str) -> str | None:
    found = _ENHANCED.match(words)
    return found.group(1) if found else None


def _code_of(error: Exception) -> str:
    """How a conversation ended, as a code."""
    match error:
        case aiosmtplib.SMTPResponseException():
            return f"smtp_{error.code}"
        case ssl.SSLError():
            return "tls_failed"
        case TimeoutError():
            return "timed_out"
        case aiosmtplib.SMTPConnectError():
            return "connect_failed"
        case _:
            return "connection_lost"
