"""What all fakes behind HTTP have in common: a server on loopback that keeps what it took, holds every request and its
own answers against the published specification, and does wrong what it is told to.

In a process of its own: ``python -m tests.fakes.twilio --port 8080 --faults FILE --log FILE``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web
from tests.fakes.faults import Fault, Faults
from tests.fakes.specification import Answered, Specification, specification

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Received:
    """A call that came in: its path, its headers, and its body read."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass
class Fake(ABC):
    """One provider. ``accepted``: the messages it has; ``received``: all calls; ``violations`` of the specification."""

    faults: Faults = field(default_factory=Faults)
    clock: Clock = lambda: datetime.now(UTC)
    log: Path | None = None
    accepted: list[dict[str, Any]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    #: What its settings are, by path, for the tests of ``check``.
    settings: dict[str, Any] = field(default_factory=dict)

    #: The documents it is built to, each with the paths it serves of it.
    documents: ClassVar[Mapping[str, tuple[str, ...]]]

    def __post_init__(self) -> None:
        self._ended = asyncio.Event()

    # --- what a provider does itself --------------------------------------------------------------------------------
    @abstractmethod
    def is_send(self, method: str, path: str) -> bool:
        """Whether this call hands over a message."""

    @abstractmethod
    def read(self, body: bytes) -> Any:
        """A body read."""

    @abstractmethod
    def take(self, call: Received) -> web.Response:
        """Take a message, or refuse it."""

    @abstractmethod
    def tell(self, call: Received) -> web.Response:
        """Answer any other call."""

    # --- serving ----------------------------------------------------------------------------------------------------
    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[str]:
        """The URL it is served at."""
        for file, paths in self.documents.items():
            specification(file, *paths)  # read before the first call, so that none waits for it
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            self._ended.set()
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        call = Received(request.method, request.path, dict(request.query), request.headers, self.read(raw))
        self.received.append(call)
        if wrong := self._judged(call, raw):
            self.violations += wrong
            return web.json_response({"violations": wrong}, status=400)
        if not self.is_send(call.method, call.path):
            return self._proven(call, raw, self.tell(call))
        fault = self.faults.next()
        if fault is not None and not fault.takes_it:
            return await self._misbehave(request, fault)
        before = len(self.accepted)
        own = self._proven(call, raw, self.take(call))
        self._remember(self.accepted[before:])
        return own if fault is None else await self._misbehave(request, fault)

    async def _misbehave(self, request: web.Request, fault: Fault) -> web.Response:
        if fault.kind.startswith("hang"):
            await self._ended.wait()
        elif fault.kind.startswith("drop"):
            assert request.transport is not None
            request.transport.abort()
        text = fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
        return web.Response(status=fault.status, headers=fault.headers, text=text, content_type="application/json")

    def _remember(self, taken: Iterable[dict[str, Any]]) -> None:
        """What it took, in its log, before anybody is answered."""
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as out:
                out.writelines(json.dumps(message) + "\n" for message in taken)

    # --- the specification ------------------------------------------------------------------------------------------
    def _judged(self, call: Received, raw: bytes) -> list[str]:
        return [
            wrong
            for document in self._of(call.path)
            for wrong in (*document.of_request(_asked(document, call, raw)), *self.more(document, call))
        ]

    def more(self, document: Specification, call: Received) -> Iterable[str]:
        """What is wrong with a request that a validator does not see."""
        return ()

    def _proven(self, call: Received, raw: bytes, answer: web.Response) -> web.Response:
        for document in self._of(call.path):
            data = answer.body if isinstance(answer.body, bytes) else b""
            answered = Answered(answer.status, data, answer.content_type)
            self.violations += [
                f"own answer: {one}" for one in document.of_answer(_asked(document, call, raw), answered)
            ]
        return answer

    def _of(self, path: str) -> list[Specification]:
        known = (specification(file, *paths) for file, paths in self.documents.items())
        return [document for document in known if document is not None and document.knows(path)]


def _asked(document: Specification, call: Received, raw: bytes) -> Any:
    return document.asked(call.method, call.path, call.query, call.headers, raw)


def answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer with its body read already, as a validator wants it."""
    return web.Response(
        status=status, body=json.dumps(body).encode(), content_type="application/json", headers=headers
    )  # fmt: skip


def main(kind: type[Fake]) -> None:
    """Serve a fake until the process is ended; the first line printed is its URL."""
    parser = argparse.ArgumentParser(description=kind.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--faults", type=Path, help="JSON lines, one fault (or null) per send")
    parser.add_argument("--log", type=Path, help="where every message it takes is written, as JSON lines")
    given = parser.parse_args()

    async def serve() -> None:
        async with kind(faults=Faults(file=given.faults), log=given.log).serving(given.port) as url:
            print(url, flush=True)  # noqa: T201
            await asyncio.Event().wait()

    asyncio.run(serve())
