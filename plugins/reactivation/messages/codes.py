"""Single-use offer codes: short, readable aloud, and saying nothing about who holds them."""

from __future__ import annotations

import hashlib

#: No vowels, so that no code spells a word; none of the letters and digits that are mistaken for one another.
_ALPHABET = "BCDFGHJKMNPQRSTVWXYZ23456789"
_LETTERS = 8


def offer_code(offer_id: str, touch_id: str, attempt: int = 0) -> str:
    """The code of one touch, such as ``K7QD-M2RX``; another one for each ``attempt``, when an earlier one is taken.

    Derived from the touch, which nobody outside can guess, so that drafting again gives the same code.
    """
    number = int.from_bytes(hashlib.sha256(f"{offer_id}:{touch_id}:{attempt}".encode()).digest())
    letters = []
    for _ in range(_LETTERS):
        number, position = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[position])
    return f"{''.join(letters[:4])}-{''.join(letters[4:])}"
