"""What all providers behind HTTP have in common: one call, and what an answer, or none, says about our bytes.

The one thing that must never be guessed is whether a provider may have the message. It certainly has not while nothing
of the request was written, and when it answers 429; after that, everything but a clear answer is *unknown*. Bodies and
addresses go into no log and no error.

Source: PROVIDERS.md, Sending: who is idempotent; Airflow's HTTP classes, what bites.
"""

from __future__ import annotations

import asyncio
import json
import time
from abc import abstractmethod
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal, TypeAlias

import aiohttp
import msgspec
from aiohttp.connector import Connection

from reactivation.approvals import SendableTouch
from reactivation.delivery.base import DeliveryError, NotTold, Provider, Result
from reactivation.delivery.message import MessageError
from reactivation.delivery.pace import Pace, wait_of

#: What was read of JSON: of any shape, so that whoever uses it looks first.
Json: TypeAlias = Any

#: A call ends within ten seconds, so that an opt-out is not crossed for longer.
SECONDS = 8.0
#: So long one waits for the first place, and so far apart are the places of calls that are made together.
WAITING, PATIENCE = 30.0, 1.0
#: As many connections as a batch has calls; one that was idle for longer may have been closed unseen.
_CONNECTIONS, _IDLE_SECONDS = 25, 10
_ALONE_UNASKED = timedelta(seconds=5)
#: How often a page is asked for that it has no time for, and how many pages of a list are read at most.
_TRIES, PAGES = 3, 500


@dataclass(frozen=True)
class Request:
    """What is asked of a provider: JSON, a form, or neither. ``base``: another address than its usual one."""

    method: Literal["GET", "POST"]
    path: str
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    query: Mapping[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    base: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a provider said. The body may quote addresses, so only codes of it are passed on."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Json:
        """The body read as JSON. Raises ``ValueError``."""
        return json.loads(self.body)

    def said(self, name: str) -> Json:
        """A field of the body, or ``None`` where there is none."""
        try:
            read = self.json()
        except ValueError:
            return None
        return read.get(name) if isinstance(read, dict) else None


class NoAnswer(Exception):
    """A call ended without an answer; ``written``: whether anything of it was. ``code`` says how, and nothing else."""

    def __init__(self, code: str, *, written: bool) -> None:
        super().__init__(code)
        self.code, self.written = code, written


@dataclass
class _Seen:
    """Whether anything of a request was written."""

    written: bool = False


_SEEN: ContextVar[_Seen] = ContextVar("_SEEN")


class _Noted(aiohttp.ClientRequest):
    """A request that says so when it has its connection, and before its first byte is written. A trace of the client's
    would, too; it takes a fifth of the time of a call."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        _SEEN.get().written = True
        return await super().send(conn)


class HttpProvider(Provider):
    """A provider behind HTTP. A subclass says what it sends and reads; everything else is here.

    ``secret`` goes into the Authorization header alone. ``url``, ``per_second`` and ``seconds`` replace the provider's
    own. The connection is named in errors.
    """

    title: ClassVar[str]
    channel: ClassVar[str]
    url: ClassVar[str]
    per_second: ClassVar[float]
    #: What to do when the provider refuses the credentials.
    key_fix: ClassVar[str]

    def __init__(
        self, connection: str, secret: str, *, url: str | None = None, per_second: float | None = None,
        seconds: float = SECONDS,
    ) -> None:  # fmt: skip
        self.connection = connection
        self._secret = secret
        self._base = (url or self.url).rstrip("/")
        # Waiting for a free connection is within the total; a timer of its own for that would take as long as it does.
        self._timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=seconds / 2)
        rate = per_second or self.per_second
        self._pace = Pace(rate)
        self.batch = min(type(self).batch, 1 + int(rate * PATIENCE))
        self._session: aiohttp.ClientSession | None = None

    # --- what a provider says itself --------------------------------------------------------------------------------
    @abstractmethod
    def request(self, touch: SendableTouch, key: str, at: datetime) -> Request:
        """The one call that hands the bytes over. Raises ``MessageError`` for what cannot be said to this provider."""

    @abstractmethod
    def accepted(self, answer: Answer) -> Result:
        """What a 2xx says. Raises ``ValueError`` or ``LookupError`` when it cannot be read."""

    def refused(self, answer: Answer) -> Result:
        """What a 4xx says of this message. Raises ``DeliveryError`` when it is about the set-up."""
        return Result("refused", reason=self.code(answer) or f"http_{answer.status}")

    def code(self, answer: Answer) -> str | None:
        """The provider's own code for what went wrong; never words, since they may quote an address."""
        return None

    def authorization(self) -> str:
        return f"Bearer {self._secret}"

    # --- sending ----------------------------------------------------------------------------------------------------
    async def room(self, wanted: int) -> int:
        """Places in its pace; 0 when the first is too far away."""
        now = time.monotonic()
        wait = self._pace.take(now, WAITING)
        if wait > WAITING:
            return 0
        places, together = 1, wait + PATIENCE
        while places < wanted and self._pace.take(now, together) <= together:
            places += 1
        await asyncio.sleep(wait)
        return places

    async def send(self, touch: SendableTouch, key: str, at: datetime) -> Result:
        """Hand the bytes over once. Raises ``DeliveryError``."""
        if touch.channel != self.channel:
            return Result("refused", reason="channel_not_supported")
        try:
            request = self.request(touch, key, at)
        except MessageError as error:
            return Result("refused", reason=error.code)
        try:
            answer = await self.ask(request)
        except NoAnswer as error:
            return Result("unknown" if error.written else "not_sent", reason=error.code)
        return self._judged(answer, at)

    def _judged(self, answer: Answer, at: datetime) -> Result:
        status, wait = answer.status, wait_of(answer.headers, at)
        if status == 429:
            wait = wait or _ALONE_UNASKED
        if wait is not None and (status == 429 or status >= 500):
            self._pace.leave_alone(time.monotonic(), wait)
        if status == 429:
            return Result("not_sent", reason=self.code(answer) or "http_429", wait=wait)
        if 200 <= status < 300:
            try:
                return self.accepted(answer)
            except (ValueError, LookupError, TypeError, AttributeError):
                return Result("unknown", reason="answer_unreadable")
        if status >= 500 or status == 408:
            return Result("unknown", reason=f"http_{status}", wait=wait)
        if status in (401, 403):
            raise self.wrong(f"refuses its credentials (HTTP {status}); {self.key_fix}")
        if status in (404, 405) or status < 400:
            raise self.wrong(f"does not know what it is asked (HTTP {status}); correct the host of the connection")
        return self.refused(answer)

    def wrong(self, what: str) -> DeliveryError:
        """The error for a set-up that does not work; ``what`` ends with the fix."""
        return DeliveryError(f"connection {self.connection}: {self.title} {what}")

    # --- asking -----------------------------------------------------------------------------------------------------
    async def ask(self, request: Request) -> Answer:
        """One call, never repeated and never redirected. Raises ``NoAnswer``."""
        if self._session is None:
            self._session = self._open()
        seen = _Seen()
        _SEEN.set(seen)
        try:
            async with self._session.request(
                request.method, (request.base or self._base) + request.path, json=request.json, data=request.form,
                params=request.query, headers=request.headers, allow_redirects=False,
            ) as response:  # fmt: skip
                return Answer(response.status, response.headers, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer(_code_of(error), written=seen.written) from None  # it quotes the address it called

    async def look(self, request: Request) -> Json:
        """What a question is answered with, read; ``None`` when it is not answered with a 2xx that can be read."""
        try:
            answer = await self.ask(request)
            return answer.json() if 200 <= answer.status < 300 else None
        except (NoAnswer, ValueError):
            return None

    async def checked(self, request: Request, what: str) -> tuple[Json, str | None]:
        """The same for ``check``: what was read, or the sentence why it could not be."""
        try:
            answer = await self.ask(request)
            if answer.status == 200:
                return answer.json(), None
        except NoAnswer as error:
            why = f"cannot be reached ({error.code}); correct the host, or let this machine through to it"
            return None, str(self.wrong(why))
        except ValueError:
            return None, str(self.wrong(f"does not tell {what} (no JSON); correct the host of the connection"))
        found = f"{what} (HTTP {answer.status})"
        if answer.status in (401, 403):
            return None, str(self.wrong(f"does not let its key read {found}; {self.key_fix}"))
        return None, str(self.wrong(f"does not tell {found}; correct the host of the connection, or ask later"))

    async def page(self, request: Request, what: str) -> Json:
        """A page of what it lists, at its pace. Raises ``NotTold``."""
        for _ in range(_TRIES):
            if await self.room(1) == 0:
                break
            try:
                answer = await self.ask(request)
            except NoAnswer as error:
                raise NotTold(str(self.wrong(f"does not tell {what} ({error.code}); ask later"))) from None
            if answer.status == 429:
                wait = wait_of(answer.headers, datetime.now(UTC)) or _ALONE_UNASKED
                self._pace.leave_alone(time.monotonic(), wait)
                continue
            if answer.status in (401, 403):
                why = f"does not let its key read {what} (HTTP {answer.status}); {self.key_fix}"
                raise NotTold(str(self.wrong(why)))
            try:
                if 200 <= answer.status < 300:
                    return answer.json()
            except ValueError:
                raise NotTold(str(self.wrong(f"does not tell {what} (no JSON); ask later"))) from None
            raise NotTold(str(self.wrong(f"does not tell {what} (HTTP {answer.status}); ask later")))
        raise NotTold(str(self.wrong(f"has no time to tell {what}; ask later")))

    def rows(self, read: Json, what: str, *path: str) -> list[Json]:
        """The rows of a page. Raises ``NotTold`` where there are none to be found: a page that cannot be read may be
        full of noes."""
        for name in path:
            read = read.get(name) if isinstance(read, dict) else None
        if not isinstance(read, list):
            raise NotTold(str(self.wrong(f"tells {what} in a way that cannot be read; report this")))
        return read

    def too_much(self, what: str) -> NotTold:
        """The error for a list that does not end."""
        return NotTold(str(self.wrong(f"lists more of {what} than is read at once; report this")))

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_IDLE_SECONDS), timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, request_class=_Noted,
            json_serialize_bytes=msgspec.json.encode,
            headers={"Authorization": self.authorization(), "User-Agent": "reactivation"},
        )  # fmt: skip

    async def close(self) -> None:
        """End its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def own_id(said: Json) -> str:
    """The provider's own id of a message. Raises ``ValueError`` for what is none."""
    if not isinstance(said, str) or not said:
        raise ValueError("no id")
    return said


def _code_of(error: Exception) -> str:
    """How a call ended, as a code; the words of the error name hosts and are left behind."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "dns_failed"
        case aiohttp.ClientSSLError():
            return "tls_failed"
        case aiohttp.ClientConnectorError():
            return "connect_failed"
        case TimeoutError():
            return "timed_out"
        case _:
            return "connection_lost"
