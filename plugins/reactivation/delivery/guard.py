"""Until somebody signed that this ledger goes live, the outbox is the only provider."""

from __future__ import annotations

from reactivation.delivery.base import Provider
from reactivation.delivery.outbox import Outbox
from reactivation.ledger.settings import Licence


def may_send(licence: Licence | None, provider: Provider, *, environment: str, sender: str) -> str | None:
    """Why this provider may not send for a ledger with this licence, as a code; ``None`` when it may.

    An unknown ledger sends nothing at all. The setting names environment, ledger id and sender, so that neither a
    copied database nor another From inherits it.
    """
    if licence is None:
        return "ledger_unknown"
    if licence.environment != environment:
        return "environment_differs"
    signed = licence.is_live(sender)
    if isinstance(provider, Outbox):  # what lies there counts as sent, and a lost connection must not look like that
        return "live_without_provider" if signed else None
    return None if signed else "not_live"
