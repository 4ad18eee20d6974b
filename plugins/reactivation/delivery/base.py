"""What a provider is: it takes signed bytes under a stable key, and can be asked afterwards whether it had them.

Source: PROVIDERS.md, Sending: who is idempotent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from reactivation.approvals import SendableTouch
from reactivation.delivery.provider_events import Told

#: accepted: it has the message. refused: it will never send it. not_sent: it certainly does not have it, and may be
#: called again later. unknown: it may have it; never simply repeated.
State = Literal["accepted", "refused", "not_sent", "unknown"]

#: What follows from an answer beyond this one message. suppress: this person said no, to the provider.
#: drop_address: no message will ever reach this address. stop_channel: the provider filters or distrusts us, so a
#: person must look before anything else of the channel goes.
Consequence = Literal["suppress", "drop_address", "stop_channel"]


class DeliveryError(Exception):
    """A provider cannot work as it is set up; the message names it and the fix. Nothing was handed over."""


class NotTold(Exception):
    """A provider did not tell what came back; the message names it and the fix. Asked again later it may."""


@dataclass(frozen=True)
class Result:
    """How a call ended. ``reference`` is the provider's own id, ``reason`` a code; neither is personal.

    ``wait``: how long the provider wants to be left alone.
    """

    state: State
    reference: str | None = None
    reason: str | None = None
    consequence: Consequence | None = None
    wait: timedelta | None = None


@dataclass(frozen=True)
class Call:
    """A call that was made, to be looked up; ``recipient`` and ``text`` are gone when its draft was erased."""

    key: str
    called_at: datetime
    recipient: str | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)


class Provider(ABC):
    """One way out. No work is done before the first call; all calls are made in one event loop, then ``close``."""

    #: What the ledger calls it.
    name: ClassVar[str]
    #: Whether a second call under the same key is harmless for ever; then a call of which nothing is found is repeated.
    repeatable: ClassVar[bool]
    #: How many intents are committed before their calls are made: one where no look-up can tell what became of a call,
    #: and no more than are called together.
    batch: int = 25
    #: How long a call of unknown outcome may still turn up when it is looked up; then a person is asked.
    look_up_for: ClassVar[timedelta] = timedelta(0)
    #: Whether it can be asked what came back. Then it is a feed of opt-outs.
    tells: ClassVar[bool] = False

    @abstractmethod
    async def send(self, touch: SendableTouch, key: str, at: datetime) -> Result:
        """Hand over the bytes once. Never raises for what the provider answers; ends within ten seconds.

        Raises ``DeliveryError`` when it cannot work as it is set up.
        """

    @abstractmethod
    async def find(self, call: Call) -> Result | None:
        """What became of an earlier call; ``None`` when the provider does not know it (yet)."""

    async def room(self, wanted: int) -> int:
        """How many of the wanted calls are to be made next; waits for their turn, 0 when that is too far away."""
        return wanted

    def told(self, since: datetime, now: datetime) -> AsyncIterator[Told]:
        """What came back since an instant, page by page, at its pace; some of it may be older. Raises ``NotTold``."""
        return _nothing()

    async def problems(self) -> tuple[str, ...]:
        """What is wrong with its set-up, and every alteration of our bytes that is not switched off, as sentences."""
        return ()

    async def close(self) -> None:
        """End its connections."""
        return


async def _nothing() -> AsyncIterator[Told]:
    none: tuple[Told, ...] = ()
    for one in none:
        yield one
