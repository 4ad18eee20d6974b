"""Resend's events: the body of a webhook, and entries of its list of suppressions.

Source: Resend's specification (webhook events, suppressions).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

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

NAME = "resend"

_KINDS: Mapping[str, Kind] = {
    "email.delivered": "delivered", "email.delivery_delayed": "deferred", "email.bounced": "bounce",
    "email.complained": "complaint", "email.opened": "open", "email.clicked": "click", "email.failed": "not_delivered",
    "email.suppressed": "bounce", "contact.updated": "unsubscribe", "contact.created": "unsubscribe",
}  # fmt: skip
_OF_NO_INTEREST = ("email.sent", "email.scheduled", "email.received", "contact.deleted")
_OF_NO_INTEREST_BEFORE = "domain."
#: Why somebody is on its list. Whoever was put there by hand is not to be written to.
_ORIGINS: Mapping[str | None, Kind] = {"bounce": "bounce", "complaint": "complaint"}


def webhook_events(body: Raw, delivery_id: str, received: datetime) -> Told:
    """The event of one call; ``delivery_id`` is the id it came with (``svix-id``), the same when it is repeated."""
    return Told.of(_events(body, delivery_id, received))


def suppression_events(rows: Raw, received: datetime) -> Told:
    """The entries of one page of its list of suppressions."""
    if not isinstance(rows, list):
        return Told(problems={UNREADABLE: 1})
    return Told.of(_entry(row, received) for row in rows)


def _events(body: Raw, delivery_id: str, received: datetime) -> list[ProviderEvent | str | None]:
    """One per recipient: of a message to several it does not say whose word it is, so it is everybody's."""
    if not isinstance(body, dict):
        return [UNREADABLE]
    type_ = words(body, "type") or ""
    if type_ in _OF_NO_INTEREST or type_.startswith(_OF_NO_INTEREST_BEFORE):
        return [None]
    kind, data, at = _KINDS.get(type_), body.get("data"), instant(body.get("created_at"), received)
    if kind is None:
        return [UNKNOWN_KIND]
    data = data if isinstance(data, dict) else {}
    if type_.startswith("contact."):
        # Only that somebody is subscribed makes it no "no"; we never take it for a permission.
        subscribed = data.get("unsubscribed") is False
        return [None if subscribed else _of(delivery_id, kind, at, address=words(data, "email"))]
    if type_ == "email.bounced" and _of_part(data, "bounce", "type") == "Transient":
        kind = "deferred"
    if type_ == "email.suppressed" and _of_part(data, "suppressed", "reason") == "previous_complaint":
        kind = "complaint"
    to = data.get("to")
    recipients = [one for one in to if isinstance(one, str)] if isinstance(to, list) else []
    return [
        _of(
            f"{delivery_id}:{number}" if number else delivery_id, kind, at, send_id=our_key(_tag(data.get("tags"))),
            reference=own(data.get("email_id")), address=address,
        )
        for number, address in enumerate(recipients or [None])
    ]  # fmt: skip


def _entry(row: Raw, received: datetime) -> ProviderEvent:
    """One that cannot be read is the no of somebody nobody knows."""
    row = row if isinstance(row, dict) else {}
    own_id, created = own(row.get("id")), row.get("created_at")
    return _of(
        f"suppressions:{own_id or created}"[:60], _ORIGINS.get(words(row, "origin"), "unsubscribe"),
        instant(created, received), reference=own(row.get("source_id")), address=words(row, "email"),
        id_of_address=own_id is None,
    )  # fmt: skip


def _of(
    event_id: str, kind: Kind, at: datetime, *, send_id: str | None = None, reference: str | None = None,
    address: str | None = None, id_of_address: bool = False,
) -> ProviderEvent:  # fmt: skip
    return ProviderEvent(
        event_id=event_id, provider=NAME, channel="email", kind=kind, at=at, send_id=send_id, reference=reference,
        address=address, id_of_address=id_of_address,
    )  # fmt: skip


def _of_part(data: Mapping[str, Raw], part: str, name: str) -> str | None:
    found = data.get(part)
    return words(found, name) if isinstance(found, dict) else None


def _tag(tags: Raw) -> Raw:
    """Our tag, in either of the two shapes that tags come in."""
    if isinstance(tags, dict):
        return tags.get("key")
    listed = tags if isinstance(tags, list) else []
    return next((one.get("value") for one in listed if isinstance(one, dict) and one.get("name") == "key"), None)
