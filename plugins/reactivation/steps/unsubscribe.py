"""A recipient used the link of a message: nobody writes to him again, and what waits for him is over at once.

It is taken in like everything else that says no; only whose it is, is known by our own token.

Source: RULES.md, Permission (opt-out: immediate, permanent, all channels of the brand); ARCHITECTURE.md, invariant 4.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reactivation.delivery.provider_events import ProviderEvent
from reactivation.ledger import touches
from reactivation.steps.provider_events import take_in_provider_events

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: Who told it, beside the providers.
SOURCE = "unsubscribe_link"


def unsubscribe(workspace: Workspace, touch_id: str, now: datetime, *, said_at: datetime | None = None) -> bool:
    """Commit the no of whoever got this touch; true once it is committed, also when it was before.

    ``said_at``: when, if not now.

    False for a touch the ledger does not know. Raises ``LedgerError``; then the same may be asked again.
    """
    with workspace.ledger.begin() as conn:
        found = touches.touches_of(conn, [touch_id])
    for touch in found:
        told = ProviderEvent(
            event_id=touch.touch_id, provider=SOURCE, channel="sms" if touch.channel == "sms" else "email",
            kind="unsubscribe", at=said_at or now, touch_id=touch.touch_id,
        )  # fmt: skip
        take_in_provider_events(workspace, [told], now)
    return bool(found)
