"""Segments of a text message: the alphabet, the boundaries, and the letters that count twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactivation.messages.sms import not_in_alphabet, segments

#: The letters of the extension table; each is an escape and a letter.
TWICE = "^{}\\[~]|€"
GSM = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCXYZÄÖÑÜ§¿abcxyzäöñüà"


@pytest.mark.parametrize(("text", "needed"), [
    ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3),
    ("€" * 80, 1), ("€" * 80 + "a", 2), ("€" * 152, 2), ("€" * 153, 3),
    ("£" * 160, 1), ("\n" * 160, 1), ("", 1),
])  # fmt: skip
def test_boundaries(text: str, needed: int) -> None:
    """160 septets alone; 153 in each of several; a letter of the extension table is two."""
    assert segments(text) == needed


def test_a_letter_that_counts_twice_is_never_cut() -> None:
    """Its escape would end one segment and its letter begin the next, so both move on."""
    assert segments("a" * 152 + "€" + "a" * 151) == 2
    assert segments("a" * 152 + "€" + "a" * 152) == 3


@pytest.mark.parametrize("letter", ["’", "“", "–", "…", "ê", "ş", "李", "🎁", "`", "\u00a0"])
def test_a_letter_outside_the_alphabet_is_none(letter: str) -> None:
    """One typographic quote would make a message of seventy letters a segment."""
    assert segments(f"Hello {letter}") is None
    assert not_in_alphabet(f"Hello {letter}{letter}") == letter


@given(st.text(st.sampled_from(GSM + TWICE), max_size=700))
def test_segments_hold_what_they_are_given(text: str) -> None:
    """Never fewer than the septets need; never more than one septet a segment is lost to a letter that moves on."""
    septets = len(text) + sum(letter in TWICE for letter in text)
    needed = segments(text)
    assert needed is not None
    assert needed == 1 if septets <= 160 else -(-septets // 153) <= needed <= -(-septets // 152)


@given(st.text(st.sampled_from(GSM + TWICE), min_size=1, max_size=400), st.integers(0, 399))
def test_less_text_never_needs_more(text: str, keep: int) -> None:
    """Taking letters away at the end makes no message longer."""
    shorter, whole = segments(text[:keep]), segments(text)
    assert shorter is not None
    assert whole is not None
    assert shorter <= whole
