"""One frozen canonical form of an address (``v1``) and its key.

E-mail: NFC and casefold of the local part, the domain in ASCII by IDNA. Phone: E.164. The key is an HMAC-SHA256 over
that form. A suppression must still be found in ten years, so the form never changes: test vectors hold it against any
upgrade of a library, and whether an address is *valid* is judged elsewhere (``emails``, ``phones``).

A new key wraps: every stored key becomes HMAC(new key, stored key), and a look-up applies the same chain.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Sequence

import idna
import phonenumbers

_LONGEST = 400
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"))
_BRACKETED = re.compile(r"[^<>]*<([^<>]*)>")
_ASCII_DOMAIN = re.compile(r"[a-z0-9._-]+")
_MARK = b"v1:"
_CHECK = b"check value of an address key, v1"
_SHORTEST_KEY = 16
_BLOCK = 64


class AddressKeyError(ValueError):
    """The address keys cannot be used; the message says why, never what they are."""


def canonical_email(text: str) -> str | None:
    """The form ``v1`` of an e-mail address, or ``None`` for text that is none.

    Reads through surrounding spaces, invisible marks, ``mailto:`` and ``Name <address>``. Merges nothing else: dots
    and ``+tags`` stay.
    """
    if len(text) > _LONGEST:
        return None
    address = text.translate(_INVISIBLE).strip()
    bracketed = _BRACKETED.fullmatch(address)
    if bracketed:
        address = bracketed[1].strip()
    if address[:7].lower() == "mailto:":
        address = address[7:].strip()
    local, _, domain = address.rpartition("@")
    ascii_domain = _ascii_domain(domain)
    if not local or not ascii_domain or any(c.isspace() or c == "@" for c in local):
        return None
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).casefold())
    return f"{folded}@{ascii_domain}"


def _ascii_domain(domain: str) -> str | None:
    lowered = unicodedata.normalize("NFC", domain).lower().removesuffix(".")
    if _ASCII_DOMAIN.fullmatch(lowered):
        return lowered
    try:
        return idna.encode(lowered, uts46=True).decode("ascii")
    except idna.IDNAError:
        return None


def canonical_phone(text: str, country: str | None) -> str | None:
    """The form ``v1`` of a phone number, or ``None``. ``country`` (ISO two letters) reads local notation."""
    try:
        number = phonenumbers.parse(text, country.upper() if country else None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class AddressKeys:
    """The chain of secret keys, oldest first, that turns canonical addresses into address keys."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise AddressKeyError("no address key: set the password of the connection reactivation_address_key")
        for position, key in enumerate(keys):
            if len(key) < _SHORTEST_KEY:
                raise AddressKeyError(
                    f"address key {position} has {len(key)} bytes; give at least {_SHORTEST_KEY}, from a random source"
                )
        self._first, *self._later = keys
        # HMAC-SHA256 by its definition, the two padded keys hashed once: a third of the time of hmac.digest.
        short = hashlib.sha256(self._first).digest() if len(self._first) > _BLOCK else self._first
        padded = short.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + _MARK)
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def __repr__(self) -> str:
        return f"AddressKeys({1 + len(self._later)})"

    def key_of(self, canonical: str) -> str:
        """The address key (64 hex digits) of one canonical address."""
        return self.keys_of([canonical])[0]

    def keys_of(self, canonicals: Iterable[str]) -> list[str]:
        """The address keys of many canonical addresses, in their order."""
        made = []
        for canonical in canonicals:
            inner, outer = self._inner.copy(), self._outer.copy()
            inner.update(canonical.encode())
            outer.update(inner.digest())
            made.append(outer.hexdigest())
        return [self.wrap(key, made_with=1) for key in made] if self._later else made

    def wrap(self, stored: str, *, made_with: int) -> str:
        """What an address key stored when there were ``made_with`` keys is under the whole chain."""
        wrapped = bytes.fromhex(stored)
        for key in self._later[made_with - 1 :]:
            wrapped = hmac.digest(key, wrapped, "sha256")
        return wrapped.hex()

    def check_values(self) -> tuple[str, ...]:
        """One value per key that proves it is the same key and gives nothing of it away."""
        return tuple(hmac.digest(key, _CHECK, "sha256").hex() for key in (self._first, *self._later))
