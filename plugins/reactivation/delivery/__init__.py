"""Hands signed bytes to a provider, exactly once, and knows what it may not send through."""

from reactivation.delivery.base import Call, DeliveryError, NotTold, Provider, Result
from reactivation.delivery.guard import may_send
from reactivation.delivery.handover import Intent, hand_over, recover
from reactivation.delivery.outbox import Outbox

__all__ = [
    "Call",
    "DeliveryError",
    "Intent",
    "NotTold",
    "Outbox",
    "Provider",
    "Result",
    "hand_over",
    "may_send",
    "recover",
]
