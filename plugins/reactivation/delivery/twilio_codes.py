"""What Twilio's codes say, when a message is handed over and when it is told of later.

Source: PROVIDERS.md, Sending (Twilio codes).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from reactivation.delivery.base import Result

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)

#: What its codes say about a message.
CODES: Mapping[int, Result] = {
    21610: Result("refused", reason="21610", consequence="suppress"),
    21211: Result("refused", reason="21211", consequence="drop_address"),
    21614: Result("refused", reason="21614", consequence="drop_address"),
    21635: Result("refused", reason="21635", consequence="drop_address"),
    30005: Result("refused", reason="30005", consequence="drop_address"),
    30006: Result("refused", reason="30006", consequence="drop_address"),
    30007: Result("refused", reason="30007", consequence="stop_channel"),
    30001: Result("not_sent", reason="30001", wait=_MINUTE),
    21611: Result("not_sent", reason="21611", wait=_MINUTE),
    30003: Result("not_sent", reason="30003", wait=_HOUR),
}

#: Its codes about the set-up, and the fix.
SET_UP: Mapping[int, str] = {
    30034: "register the sender's number for A2P 10DLC with an approved campaign",
    21601: "use a sender of this account that can send text messages",
    21660: "use a sender of this account that can send text messages",
    21606: "use a sender of this account that can send text messages",
    21408: "allow the countries you write to under Messaging Geo permissions",
    21603: "set the tenant's sms.sender",
    21703: "add the sender to the pool of the messaging service",
    21705: "correct messaging_service_sid in the extra",
    30002: "ask Twilio why the account is suspended",
    20404: "correct the account SID",
}
