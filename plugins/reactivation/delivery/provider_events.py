"""What providers tell afterwards, in one shape: how a message fared, and what its reader did or said.

Readers of what a provider sends (``sendgrid_events``, ``twilio_events``, ``resend_events``) are pure and never raise: a
row that cannot be read is told as a problem, and a *no* stays a *no* whatever else of its row is broken.

Source: DATA_CONTRACT.md (engagements); ARCHITECTURE.md, invariants 3 and 4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

#: delivered, bounce (the address is dead), complaint, unsubscribe, click and open are the contract's. deferred: not
#: now, and perhaps never. not_delivered: never, for a reason that says nothing of the address. filtered: the provider
#: or a carrier distrusts us. inbound: a text message from a person.
Kind = Literal[
    "delivered", "deferred", "not_delivered", "filtered", "bounce", "complaint", "unsubscribe", "click", "open",
    "inbound",
]  # fmt: skip

#: What was read of JSON or a form: of any shape.
Raw: TypeAlias = Any

#: Problems, as codes. A row in which nothing can be made out, and one of a kind nobody knows.
UNREADABLE, UNKNOWN_KIND = "row_unreadable", "kind_unknown"
_LONGEST_ID = 80


@dataclass(frozen=True)
class ProviderEvent:
    """One thing a provider told.

    ``event_id`` is the provider's own id, once per provider; where it gives none it says what was told and when, and is
    unique only together with the address (``id_of_address``). ``send_id`` is our key, where the provider echoes it;
    ``reference`` its own id of the message; ``touch_id`` is of our own link. ``address`` and ``text`` are personal.
    """

    event_id: str
    provider: str
    channel: Literal["email", "sms"]
    kind: Kind
    at: datetime
    send_id: str | None = None
    reference: str | None = None
    address: str | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)
    reason: str | None = None
    id_of_address: bool = False
    touch_id: str | None = None


@dataclass(frozen=True)
class Told:
    """What was read of a provider's words: events, and how often which problem was met."""

    events: tuple[ProviderEvent, ...] = ()
    problems: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, read: Iterable[ProviderEvent | str | None]) -> Told:
        """Of events, codes of problems, and ``None`` for what is of no interest."""
        found = list(read)
        return cls(
            tuple(one for one in found if isinstance(one, ProviderEvent)),
            Counter(one for one in found if isinstance(one, str)),
        )


def words(row: Mapping[str, Raw], name: str) -> str | None:
    """A text of a row, or ``None`` where there is none."""
    value = row.get(name)
    return value.strip() or None if isinstance(value, str) else None


def own(value: Raw) -> str | None:
    """An id of the provider's that can be kept, or ``None``."""
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable() else None


def our_key(*candidates: Raw) -> str | None:
    """The first that is a key of ours: the id of a send."""
    for one in candidates:
        try:
            return str(UUID(one))
        except (ValueError, TypeError, AttributeError):
            continue
    return None


_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def instant(value: Raw, received: datetime) -> datetime:
    """A time in seconds, in ISO 8601 or as in e-mail; when it was received where none can be read, one to come, or one
    from before there were such providers: what is empty is told as the year 1."""
    try:
        read = _instant(value)
        at = (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
        return min(at, received) if at >= _EARLIEST else received
    except (ValueError, TypeError, LookupError, OverflowError, OSError):
        return received


def _instant(value: Raw) -> datetime:
    if isinstance(value, bool) or value is None:
        raise TypeError("no time")
    if isinstance(value, int | float) or str(value).isdigit():
        return datetime.fromtimestamp(float(value), UTC)
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return parsedate_to_datetime(str(value))
