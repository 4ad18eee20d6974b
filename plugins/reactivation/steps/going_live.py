"""Going live: until compliance has signed it, the outbox is the only provider.

What is signed names the environment, the ledger and the sender of one channel, so that neither a copied database nor
another From inherits it. Source: ARCHITECTURE.md, invariant 12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from reactivation.delivery import Outbox
from reactivation.ledger import identity
from reactivation.ledger.settings import LIVE

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace


def live_settings(workspace: Workspace) -> tuple[str, ...]:
    """The settings without which a configured provider sends nothing, by name."""
    return tuple(
        LIVE[channel] for channel, one in sorted(workspace.providers.items())
        if not isinstance(one, Outbox) and channel in workspace.tenant.senders
    )  # fmt: skip


def live_value(workspace: Workspace, conn: Connection, name: str) -> dict[str, Any]:
    """What a signature is of: environment, ledger and sender."""
    (channel,) = (channel for channel, its in LIVE.items() if its == name)
    known = identity.known(conn)
    return {
        "environment": workspace.settings.environment, "ledger_id": None if known is None else known.ledger_id,
        "sender": workspace.tenant.senders.get(channel),
    }  # fmt: skip
