"""The process: one socket, one event loop, an orderly end.

What uvicorn would take from the environment or a client's headers by itself is switched off: nobody says by a header
who he is, unless the proxy before us is named.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from reactivation.steps.settings import ConfigurationError

#: Together with the longest body that is taken, a bound of what strangers can make us hold.
CONNECTIONS = 100
_HEADERS_LONGEST = 16 * 1024
#: How long those who are being answered have when the process is told to end.
GRACE = 20
_BACKLOG = 128


class Impatient(H11Protocol):
    """One request for each connection, whose head has to be there in time: nobody keeps a place without asking.

    A body has a time of its own (``limits.read_body``).
    """

    patience = 10.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(self.patience, self._give_up)

    def _give_up(self) -> None:
        begun: object = self.cycle
        if begun is None and not self.transport.is_closing():
            self.transport.close()


def serve(app: ASGIApp, *, host: str, port: int, behind: str | None, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. ``say`` is told where it listens; port 0 is any free one.

    ``behind``: addresses of proxies whose ``X-Forwarded-For`` is believed, commas between. Raises
    ``ConfigurationError`` when it cannot listen there.
    """
    _log_to_standard_error()
    listening = _listen(host, port)
    at_host, at_port = listening.getsockname()[:2]
    say(f"listening on http://{f'[{at_host}]' if ':' in at_host else at_host}:{at_port}")
    server = uvicorn.Server(configured(app, behind))

    def end(*_: object) -> None:
        server.should_exit = True

    # Before uvicorn listens to signals itself; and after it, since it sends itself again those that ended it in order.
    before = {one: signal.signal(one, end) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.run(sockets=[listening])
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def configured(app: ASGIApp, behind: str | None) -> uvicorn.Config:
    """How it is served. ``behind``: as in ``serve``."""
    return uvicorn.Config(
        app, loop="asyncio", http=Impatient, ws="none", lifespan="on", log_config=None, access_log=False,
        proxy_headers=behind is not None, forwarded_allow_ips=behind or "", server_header=False,
        limit_concurrency=CONNECTIONS, backlog=_BACKLOG, timeout_keep_alive=5, timeout_graceful_shutdown=GRACE,
        h11_max_incomplete_event_size=_HEADERS_LONGEST,
    )  # fmt: skip


def _listen(host: str, port: int) -> socket.socket:
    made: socket.socket | None = None
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, proto)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(_BACKLOG)
    except OSError as error:
        if made is not None:
            made.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}; give another --host or --port"
        ) from None
    return made


def _log_to_standard_error() -> None:
    handler = logging.StreamHandler(sys.stderr)
    form = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    form.converter = time.gmtime
    handler.setFormatter(form)
    for name, level in (("reactivation.public", logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
