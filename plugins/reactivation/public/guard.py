"""What is the same for every answer to the outside: its headers, and one line in the log with nothing about anybody.

A line has the method, the route, the status and the time it took: no address, no token, no words of a request. What
goes wrong in us is told by its kind and its place in our code, since its text might quote somebody.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import PurePath

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger("reactivation.public")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
#: No answer may be kept, framed, sniffed, indexed, or tell where its reader came from; and after it the connection is
#: free for somebody else.
HEADERS: Mapping[str, str] = {
    "Connection": "close",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


class Guard:
    """The application with ``broken`` to answer in its place when it fails; ``route_of`` names a path in the log."""

    def __init__(self, app: ASGIApp, *, route_of: Callable[[str], str], broken: Callable[[], Response]) -> None:
        self._app, self._route_of, self._broken = app, route_of, broken

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            LOG.error("failed: %s", place_of(error))
            if not status:
                await self._broken()(scope, receive, sending)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            took = 1000 * (time.monotonic() - began)
            LOG.info("%s %s %d %.0f ms", method, self._route_of(scope["path"]), status, took)


def place_of(error: BaseException) -> str:
    """What kind of error it is and where it came up, without its words."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
