"""Twilio's events: status callbacks, incoming messages, and the messages it lists.

Source: Twilio's specification (message, its status and direction); its reference of messaging webhooks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from reactivation.delivery.base import Consequence
from reactivation.delivery.provider_events import (
    UNKNOWN_KIND,
    UNREADABLE,
    Kind,
    ProviderEvent,
    Raw,
    Told,
    instant,
    own,
    words,
)
from reactivation.delivery.twilio_codes import CODES

NAME = "twilio"

_OF_CONSEQUENCE: Mapping[Consequence | None, Kind] = {
    "suppress": "unsubscribe", "drop_address": "bounce", "stop_channel": "filtered", None: "not_delivered",
}  # fmt: skip
_FAILED = ("failed", "undelivered")
#: On its way, or not to be sent by our own doing.
_OF_NO_INTEREST = ("accepted", "scheduled", "queued", "sending", "sent", "receiving", "canceled", "partially_delivered")
_INBOUND = ("inbound", "received")
#: What it calls an opt-out by a word of its own settings, which need not be one of our rules.
_STOP = "STOP"
_CODE = re.compile(r"[0-9]{5}")


def webhook_events(form: Mapping[str, Raw], received: datetime) -> Told:
    """One call: a status callback, or a message that came in. Which one, the form says."""
    sid = own(form.get("MessageSid")) or own(form.get("SmsSid"))
    status = words(form, "MessageStatus") or words(form, "SmsStatus")
    if status in ("received", "receiving") or (status is None and "Body" in form):
        stopped = (words(form, "OptOutType") or "").upper() == _STOP
        return Told.of([_inbound(sid, form.get("From"), form.get("Body"), received, received, stopped=stopped)])
    return Told.of([_status(sid, status, form.get("ErrorCode"), form.get("To"), received)])


def message_events(messages: Raw, received: datetime) -> Told:
    """The messages of one page of its list, in both directions."""
    if not isinstance(messages, list):
        return Told(problems={UNREADABLE: 1})
    return Told.of(_message(one, received) for one in messages)


def _message(one: Raw, received: datetime) -> ProviderEvent | str | None:
    if not isinstance(one, dict):
        return UNREADABLE
    sid, status = own(one.get("sid")), words(one, "status")
    at = instant(one.get("date_sent") or one.get("date_created"), received)
    if one.get("direction") in _INBOUND or status == "received":
        return _inbound(sid, one.get("from"), one.get("body"), at, received)
    return _status(sid, status, one.get("error_code"), one.get("to"), instant(one.get("date_updated"), received))


def _inbound(
    sid: str | None, sender: Raw, body: Raw, at: datetime, received: datetime, *, stopped: bool = False
) -> ProviderEvent:
    """A text of a person. One that cannot be read has no words, and so is recognised as nothing."""
    return ProviderEvent(
        event_id=sid or f"inbound:{at.isoformat()}", provider=NAME, channel="sms",
        kind="unsubscribe" if stopped else "inbound", at=min(at, received), address=_number(sender),
        text=body if isinstance(body, str) and not stopped else None, id_of_address=sid is None,
    )  # fmt: skip


def _status(sid: str | None, status: str | None, code: Raw, to: Raw, at: datetime) -> ProviderEvent | str | None:
    if status in _OF_NO_INTEREST:
        return None
    kind: Kind
    if status in _FAILED:
        known = CODES.get(int(code)) if _is_code(code) else None
        kind = _OF_CONSEQUENCE[known.consequence if known else None]
    elif status in ("delivered", "read"):
        status, kind = "delivered", "delivered"
    else:
        return UNKNOWN_KIND
    return ProviderEvent(
        event_id=f"{sid or status}:{status}", provider=NAME, channel="sms", kind=kind, at=at, reference=sid,
        address=_number(to), reason=str(code) if _is_code(code) else None, id_of_address=sid is None,
    )  # fmt: skip


def _is_code(code: Raw) -> bool:
    return _CODE.fullmatch(str(code)) is not None


def _number(address: Raw) -> str | None:
    """The number of an address, whatever it came over."""
    return address.rpartition(":")[2].strip() or None if isinstance(address, str) else None
