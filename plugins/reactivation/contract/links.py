"""The token in a recipient's own link: a touch that nobody else can name, and nothing about the person.

A version byte, the sixteen bytes of the touch id, and the first sixteen of an HMAC-SHA256 over both: 44 letters that
fit into one part of a path. A token is valid for ever, since links stay in mailboxes for years. The same touch has the
same token as long as the newest key is the same, and so has a draft the same digest.

The keys are made of the address keys, each by an HMAC under a label of its own: there is one secret that must never be
lost, not two, and no token tells anything of it. With a new address key the newest one signs and every earlier one is
still believed.

Source: RFC 8058, section 3.1 (the link must be hard to forge); RULES.md, Content.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from uuid import UUID

_LABEL = b"key of recipients' own links, v1"
_VERSION = b"\x01"
_ID_BYTES = 16
_TAG_BYTES = 16
#: 33 bytes are 44 letters without any bit to spare: a token can be written in one way only.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{44}")


class LinkKeys:
    """The keys of recipients' links, made of the address keys, oldest first."""

    def __init__(self, address_keys: Sequence[bytes]) -> None:
        if not address_keys:
            raise ValueError("there is no address key to make the keys of links of")
        self._keys = tuple(hmac.digest(key, _LABEL, "sha256") for key in address_keys)

    def __repr__(self) -> str:
        return f"LinkKeys({len(self._keys)})"

    def token_of(self, touch_id: str) -> str:
        """The token of a touch (44 letters, digits, ``-`` and ``_``). ``ValueError`` for an id that is no UUID."""
        named = _VERSION + UUID(touch_id).bytes
        return urlsafe_b64encode(named + _tag(self._keys[-1], named)).decode("ascii")

    def touch_of(self, token: str) -> str | None:
        """The touch a token names, or ``None`` for whatever we never gave out; as long for one as for another."""
        if not _TOKEN.fullmatch(token):
            return None
        raw = urlsafe_b64decode(token)
        named, tag = raw[: 1 + _ID_BYTES], raw[1 + _ID_BYTES :]
        own = [hmac.compare_digest(tag, _tag(key, named)) for key in self._keys]
        if not any(own) or named[:1] != _VERSION:
            return None
        return str(UUID(bytes=named[1:]))


def _tag(key: bytes, named: bytes) -> bytes:
    return hmac.digest(key, named, "sha256")[:_TAG_BYTES]
