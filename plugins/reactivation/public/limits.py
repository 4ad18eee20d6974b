"""How much and how fast a stranger may ask, in memory that has a bound.

Nothing is written down: a process that starts anew has forgotten everybody.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from starlette.requests import ClientDisconnect, Request

#: Whoever has one IPv6 address has the other addresses of its network, too.
_NETWORK_BITS = 64


class TooMuch(Exception):
    """A body is longer than it may be."""


class TooSlow(Exception):
    """A body did not come in time, or its sender left."""


class Pace:
    """A bucket for each key: ``burst`` at once, then ``per_second``. For one event loop.

    Of more than ``at_most`` keys the one that has been away longest is forgotten.
    """

    def __init__(
        self, per_second: float, burst: int, *, at_most: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second, self._burst, self._at_most, self._clock = per_second, burst, at_most, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def wait(self, key: str) -> float:
        """Zero when the key may go on, which is counted; else how many seconds it has to wait, which is not."""
        now = self._clock()
        left, at = self._left.pop(key, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._per_second)
        may = left >= 1
        self._left[key] = (left - 1 if may else left, now)
        while len(self._left) > self._at_most:
            self._left.popitem(last=False)
        return 0.0 if may else (1 - left) / self._per_second


def client_of(request: Request) -> str:
    """Who asks, as far as a limit is concerned: an IPv4 address, or the network of an IPv6 one."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(int(address) >> (128 - _NETWORK_BITS))


async def read_body(request: Request, *, longest: int, within: float) -> bytes:
    """The body, raw, of at most ``longest`` bytes; no more is ever held. Raises ``TooMuch`` and ``TooSlow``."""
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > longest:
        raise TooMuch
    body = bytearray()
    try:
        async with asyncio.timeout(within):
            async for part in request.stream():
                body += part
                if len(body) > longest:
                    raise TooMuch
    except (TimeoutError, ClientDisconnect):
        raise TooSlow from None
    return bytes(body)
