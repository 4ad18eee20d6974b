"""What a provider is: it takes signed bytes under a stable key, and can be asked afterwards whether it had them.

Source: PROVIDERS.md, Sending: who is idempotent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from reactivation.approvals import SendableTouch

#: accepted: it has the message. refused: it will never send it. unknown: it may have it; never simply repeated.
State = Literal["accepted", "refused", "unknown"]


class DeliveryError(Exception):
    """A provider cannot work as it is set up; the message names it and the fix. Nothing was handed over."""


@dataclass(frozen=True)
class Result:
    """How a call ended. ``reference`` is the provider's own id, ``reason`` a code; neither is personal."""

    state: State
    reference: str | None = None
    reason: str | None = None


class Provider(ABC):
    """One way out. ``name`` is what the ledger calls it; no work is done before the first send."""

    name: ClassVar[str]
    #: Whether a second call under the same key is harmless; then an unknown outcome is settled by repeating it.
    repeatable: ClassVar[bool]

    @abstractmethod
    def send(self, touch: SendableTouch, key: str, at: datetime) -> Result:
        """Hand over the bytes once. Never raises for what the provider answers; ends within ten seconds."""

    @abstractmethod
    def find(self, key: str) -> Result | None:
        """What became of an earlier call under this key; ``None`` when the provider never had it."""
