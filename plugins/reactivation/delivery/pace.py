"""How fast a provider is called, and how long it is left alone when it asks for that.

Pure: whoever calls says what time it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

#: Longer than this nobody waits on the word of a header; the next dispatch asks again.
_LONGEST = timedelta(days=1)


class Pace:
    """A token bucket: at most ``burst`` calls at once, then ``per_second``. Times are seconds of one steady clock."""

    def __init__(self, per_second: float, burst: int = 1) -> None:
        self._between = 1 / per_second
        self._ahead = self._between * (burst - 1)
        self._next = float("-inf")
        self._alone_until = float("-inf")

    def take(self, now: float, patience: float) -> float:
        """How many seconds the caller must wait for its place; the place is its own only within ``patience``."""
        wait = max(0.0, self._next - self._ahead - now, self._alone_until - now)
        if wait <= patience:
            self._next = max(self._next, now + wait) + self._between
        return wait

    def leave_alone(self, now: float, wait: timedelta) -> None:
        """Nobody gets a place before ``wait`` is over."""
        self._alone_until = max(self._alone_until, now + wait.total_seconds())


def wait_of(headers: Mapping[str, str], at: datetime) -> timedelta | None:
    """How long an answer asks to be left alone; ``None`` where it does not say so in a way that can be read.

    ``Retry-After`` in seconds or as a date (RFC 9110); ``X-RateLimit-Reset`` as seconds of the epoch, as SendGrid gives
    it; ``RateLimit-Reset`` in seconds.
    """
    readings = (
        ("Retry-After", _seconds), ("Retry-After", lambda text: parsedate_to_datetime(text) - at),
        ("X-RateLimit-Reset", lambda text: _seconds(text) - timedelta(seconds=at.timestamp())),
        ("RateLimit-Reset", _seconds),
    )  # fmt: skip
    for name, read in readings:
        try:
            wait = read(headers[name])
        except (KeyError, ValueError, TypeError, OverflowError):
            continue
        return min(max(wait, timedelta(0)), _LONGEST)
    return None


def _seconds(text: str) -> timedelta:
    return timedelta(seconds=float(text))
