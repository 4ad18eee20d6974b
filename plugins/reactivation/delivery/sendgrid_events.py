"""SendGrid's events: rows of its Event Webhook, and entries of its suppression lists.

Source: SendGrid's Event Webhook reference; its specification of suppressions.
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
    our_key,
    own,
    words,
)

NAME = "sendgrid"

#: Why SendGrid dropped a message it had accepted, and what follows.
DROPPED: Mapping[str, Consequence] = {
    "unsubscribed address": "suppress",
    "spam reporting address": "suppress",
    "bounced address": "drop_address",
    "invalid": "drop_address",
}
_DROPPED_AS: Mapping[str, Kind] = {
    "unsubscribed address": "unsubscribe", "spam reporting address": "complaint", "bounced address": "bounce",
    "invalid": "bounce",
}  # fmt: skip

_KINDS: Mapping[str, Kind] = {
    "delivered": "delivered", "deferred": "deferred", "bounce": "bounce", "dropped": "not_delivered",
    "spamreport": "complaint", "unsubscribe": "unsubscribe", "group_unsubscribe": "unsubscribe", "click": "click",
    "open": "open",
}  # fmt: skip
#: Nothing is known by them that was not known before; who comes back to a group has given no consent to us.
_OF_NO_INTEREST = ("processed", "group_resubscribe")

#: Its suppression lists, below ``/v3/suppression``, and what an entry says.
LISTS: Mapping[str, Kind] = {
    "unsubscribes": "unsubscribe", "spam_reports": "complaint", "bounces": "bounce", "invalid_emails": "bounce",
    "blocks": "deferred",
}  # fmt: skip
#: The list of everybody who left a group of its unsubscribe groups.
GROUPS = "asm"

#: What it appends to the id of a message in its events.
_APPENDED = re.compile(r"\.(filter|recv).*$")
_CODE = re.compile(r"\d\.\d{1,3}\.\d{1,3}")


def webhook_events(body: Raw, received: datetime) -> Told:
    """The rows of one call of the Event Webhook."""
    rows = body if isinstance(body, list) else [body]
    return Told.of(_row(row, received) for row in rows)


def list_events(name: str, rows: Raw, received: datetime) -> Told:
    """The entries of one of ``LISTS``, or of ``GROUPS``."""
    if not isinstance(rows, list):
        return Told(problems={UNREADABLE: 1})
    return Told.of(_entry(name, row, received) for row in rows)


def _row(row: Raw, received: datetime) -> ProviderEvent | str | None:
    if not isinstance(row, dict):
        return UNREADABLE
    event = words(row, "event") or ""
    if event in _OF_NO_INTEREST or row.get("sg_machine_open") is True:  # a machine opened it
        return None
    if event not in _KINDS:
        return UNKNOWN_KIND
    kind = _KINDS[event]
    reason = (words(row, "reason") or "").lower()
    if event == "dropped":
        kind = next((then for said, then in _DROPPED_AS.items() if reason.startswith(said)), kind)
    elif event == "bounce" and row.get("type") == "blocked":
        kind = "deferred"
    own_id, category = own(row.get("sg_event_id")), row.get("category")
    message = words(row, "sg_message_id")
    return ProviderEvent(
        event_id=own_id or f"{event}:{own(str(row.get('timestamp', '')))}", provider=NAME, channel="email", kind=kind,
        at=instant(row.get("timestamp"), received),
        send_id=our_key(row.get("key"), *(category if isinstance(category, list) else [category])),
        reference=None if message is None else own(_APPENDED.sub("", message)), address=words(row, "email"),
        reason=_code(row.get("status")) or ("dropped" if event == "dropped" else None), id_of_address=own_id is None,
    )  # fmt: skip


def _entry(name: str, row: Raw, received: datetime) -> ProviderEvent:
    """One that cannot be read is the no of somebody nobody knows."""
    row = row if isinstance(row, dict) else {}
    created = row.get("created_at" if name == GROUPS else "created")
    of_group = f":{row.get('group_id')}" if name == GROUPS else ""
    return ProviderEvent(
        event_id=f"{name}{of_group}:{created}"[:60], provider=NAME, channel="email",
        kind=LISTS.get(name, "unsubscribe"), at=instant(created, received), address=words(row, "email"),
        reason=_code(row.get("status")), id_of_address=True,
    )  # fmt: skip


def _code(value: Raw) -> str | None:
    """An enhanced status code; never the words beside it, which quote addresses."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None
