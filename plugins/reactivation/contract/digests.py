"""One canonical form of JSON and its SHA-256: of draft items, of lists, of audit details and of manifests.

Keys sorted, no spaces, UTF-8, instants as ISO 8601 in UTC with microseconds, amounts as plain decimal text. The same
facts give the same digest on any machine and under any library version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

#: 2: the claims a draft makes, each with the digest of its words, are signed with it.
ITEM_SCHEMA = 2

_ENCODER = msgspec.json.Encoder(order="deterministic")

#: What a signature covers (RULES.md, Approval). Transport headers (Date, Message-ID, boundaries) are outside.
ITEM_FIELDS = (
    "touch_id", "address_key", "channel", "sender", "recipient", "subject", "text", "html", "headers", "claims",
    "offer_terms", "deadline", "code", "not_before", "not_after", "basis_records", "rules_version", "playbook_digest",
)  # fmt: skip


def canonical_json(value: object) -> bytes:
    """The canonical bytes of a JSON-like value; raises ``TypeError`` for anything that is none, floats included."""
    return _ENCODER.encode(_plain(value))


def digest(value: object) -> str:
    """Hex SHA-256 of ``canonical_json(value)``."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def item_digest(draft: Mapping[str, Any]) -> str:
    """The digest of one draft: ``ITEM_FIELDS`` of a row of ``drafts.parquet``; a ``KeyError`` names a missing one."""
    return digest({"schema": ITEM_SCHEMA, **{field: draft[field] for field in ITEM_FIELDS}})


def _plain(value: object) -> object:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError(f"naive datetime {value!r} has no canonical form")
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, (dict, Mapping)):  # a dict is known at once; what else is a mapping takes ten times as long
        return {str(k): v if type(v) is str else _plain(v) for k, v in value.items()}  # most are, and they are long
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    raise TypeError(f"{type(value).__name__} has no canonical form")
