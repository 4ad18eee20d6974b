"""An SMTP server on loopback that keeps what it took and does wrong what it is told to.

In a process of its own: ``python -m tests.fakes.smtp --port 2525 --faults FILE --log FILE``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

LOGIN, PASSWORD = "win-back", "s3cret-0f-tests"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a conversation, once: at which command, and how. ``answer`` is a whole line; without one the
    line is cut (``drop``) or nobody answers (``hang``). ``after``: the message is taken first."""

    at: str
    answer: str | None = None
    hang: bool = False
    after: bool = False


@dataclass
class FakeSmtp:
    """``accepted``: sender, recipient and message of each it took. ``tls``: offered by STARTTLS, or from the first byte
    when ``implicit``; ``logs_in``: nobody may send without."""

    faults: list[Fault] = field(default_factory=list)
    log: Path | None = None
    fault_file: Path | None = None
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    logs_in: bool = False
    accepted: list[dict[str, Any]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ended = asyncio.Event()
        self._read = 0
        self._open: list[SMTP] = []

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[int]:
        """The port it is served at."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._protocol, "127.0.0.1", port, ssl=self.tls if self.implicit else None)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            self._ended.set()
            server.close()
            await asyncio.gather(*(_hung_up(one) for one in self._open))
            await server.wait_closed()  # newer Pythons wait for the last conversation here

    def _protocol(self) -> SMTP:
        with warnings.catch_warnings():
            # It warns of logins in the open, which some of the tests are about.
            warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS", UserWarning)
            protocol = self._made()
        self._open.append(protocol)
        return protocol

    def _made(self) -> SMTP:
        return SMTP(
            self, hostname="fake.example", loop=asyncio.get_running_loop(), enable_SMTPUTF8=False,
            tls_context=None if self.implicit else self.tls, auth_required=self.logs_in,
            auth_require_tls=False, authenticator=self._authenticate if self.logs_in else None,
            auth_exclude_mechanism=None if self.logs_in else ("LOGIN", "PLAIN"),
        )  # fmt: skip

    # --- what aiosmtpd calls ----------------------------------------------------------------------------------------
    async def handle_EHLO(
        self, server: SMTP, session: Session, _: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        said = await self._misbehave("EHLO", server)
        return responses if said is None else [said]

    async def handle_MAIL(self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        said = await self._misbehave("MAIL", server)
        if said is not None:
            return said
        envelope.mail_from, envelope.mail_options = address, options
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, _: Session, envelope: Envelope, address: str, __: list[str]) -> str:
        said = await self._misbehave("RCPT", server)
        if said is not None:
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        taken = {"sender": envelope.mail_from, "recipients": list(envelope.rcpt_tos), "message": content.decode()}
        fault = self._next("DATA")
        if fault is None or fault.after:
            self._take(taken)
        said = None if fault is None else await self._do(fault, server)
        return said or "250 2.0.0 OK"

    def _authenticate(self, _: SMTP, __: Session, ___: Envelope, ____: str, data: Any) -> AuthResult:
        fault = self._next("AUTH")
        if fault is not None:
            return AuthResult(success=False, handled=False, message=fault.answer)
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (LOGIN.encode(), PASSWORD.encode())
        return AuthResult(success=known, handled=False)

    # --- doing wrong ------------------------------------------------------------------------------------------------
    async def _misbehave(self, command: str, server: SMTP) -> str | None:
        fault = self._next(command)
        return None if fault is None else await self._do(fault, server)

    def _next(self, command: str) -> Fault | None:
        self.commands.append(command)
        if not self.faults and self.fault_file is not None and self.fault_file.exists():
            lines = self.fault_file.read_text(encoding="utf-8").splitlines()[self._read :]
            self._read += len(lines)
            self.faults += [Fault(**json.loads(line)) for line in lines]
        if self.faults and self.faults[0].at == command:
            return self.faults.pop(0)
        return None

    async def _do(self, fault: Fault, server: SMTP) -> str | None:
        if fault.answer is not None:
            return fault.answer
        if fault.hang:
            await self._ended.wait()
        assert server.transport is not None
        server.transport.abort()
        return "421 gone"

    def _take(self, taken: dict[str, Any]) -> None:
        self.accepted.append(taken)
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as out:
                out.write(json.dumps(taken) + "\n")

    def message(self, number: int = 0) -> EmailMessage:
        """One of those it took, read as a mail client does."""
        read = message_from_bytes(self.accepted[number]["message"].encode(), policy=policy.default)
        assert isinstance(read, EmailMessage)
        return read


async def _hung_up(protocol: SMTP) -> None:
    """The line of a conversation is cut, if it is not already, and whoever still listens to it is sent home."""
    if protocol.transport is not None:
        protocol.transport.abort()
    task = protocol._handler_coroutine
    if task is not None:
        task.cancel()
        await asyncio.wait([task])


def main() -> None:
    """Serve until the process is ended; the first line printed is the port."""
    parser = argparse.ArgumentParser(description=FakeSmtp.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--faults", type=Path, help="JSON lines, one fault each")
    parser.add_argument("--log", type=Path, help="where every message it takes is written, as JSON lines")
    given = parser.parse_args()

    async def serve() -> None:
        async with FakeSmtp(fault_file=given.faults, log=given.log).serving(given.port) as port:
            print(port, flush=True)  # noqa: T201
            await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
