"""How a text message travels: in which alphabet, and in how many segments.

Source: 3GPP TS 23.038 (the alphabet, by ``gsm0338``) and TS 23.040 (160 septets alone, 153 in each part of several).
"""

from __future__ import annotations

import gsm0338  # noqa: F401  (importing it makes the codec known)

_ALONE, _OF_SEVERAL = 160, 153
#: Announces a letter of the extension table. The codec takes it for a letter too: a telephone would show another.
_ESCAPE = 0x1B


def segments(text: str) -> int | None:
    """How many segments a text needs; ``None`` when a letter is not in the GSM alphabet.

    A letter of the extension table is two septets, and both go into one segment.
    """
    if chr(_ESCAPE) in text:
        return None
    try:
        septets = text.encode("gsm03.38")
    except UnicodeEncodeError:
        return None
    if len(septets) <= _ALONE:
        return 1
    count, at = 0, 0
    while at < len(septets):
        at += _OF_SEVERAL
        if at < len(septets) and septets[at - 1] == _ESCAPE:
            at -= 1
        count += 1
    return count


def not_in_alphabet(text: str) -> str:
    """The letters that would turn a text into one of seventy letters a segment."""
    return "".join(letter for letter in dict.fromkeys(text) if segments(letter) is None)
