"""Single-use offer codes: short, readable aloud, and saying nothing about who holds them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping

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


def assign(wanting: Mapping[str, str], taken: Callable[[Collection[str]], set[str]]) -> dict[str, str]:
    """A code for each touch id of ``wanting`` (with its offer id), different from each other and from those ``taken``.

    ``taken`` says which of some codes anybody ever had.
    """
    given: dict[str, str] = {}
    attempt = 0
    while len(given) < len(wanting):
        tried = {
            touch_id: offer_code(offer_id, touch_id, attempt)
            for touch_id, offer_id in sorted(wanting.items())
            if touch_id not in given
        }
        times = Counter([*tried.values(), *given.values()])
        gone = taken(tried.values())
        given |= {touch_id: code for touch_id, code in tried.items() if times[code] == 1 and code not in gone}
        attempt += 1
    return given
