"""Segments of a text message: the alphabet, the boundaries, and the letters that count twice."""

from __future__ import annotations

import random

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


@pytest.mark.parametrize("letter", ["’", "“", "–", "…", "ê", "ş", "李", "🎁", "`", "\u00a0", "\x1b"])
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


#: The tables of GSM 03.38 in the order of their codes, as the standard prints them; 0x1B is the escape and no letter.
STANDARD = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"
FOREIGN = "`çê’–\u00a0\t\x1bşЖ李🎁👍🏽"


def counted(text: str) -> int | None:
    """The standard, letter by letter: each goes whole into the segment that is open, or opens the next."""
    if any(letter not in STANDARD + EXTENSION for letter in text):
        return None
    sizes = [1 if letter in STANDARD else 2 for letter in text]
    if sum(sizes) <= 160:
        return 1
    filled = [0]
    for size in sizes:
        if filled[-1] + size > 153:
            filled.append(0)
        filled[-1] += size
    return len(filled)


def random_text(chance: random.Random) -> str:
    """Of one table or both, now and then with a foreign letter; often as long as a segment or several, or nearly."""
    letters = chance.choice([STANDARD, EXTENSION, STANDARD + EXTENSION, STANDARD + EXTENSION * 10])
    edge = chance.choice([0, 70, 76, 80, 153, 160, 306, 459, 612]) + chance.randint(-2, 2)
    text = chance.choices(letters, k=max(0, chance.choice([edge, chance.randint(0, 700)])))
    if text and chance.random() < 0.1:
        text[chance.randrange(len(text))] = chance.choice(FOREIGN)
    return "".join(text)


def test_ten_thousand_texts_are_counted_as_the_standard_counts() -> None:
    """The same count, and none where a letter stands in neither table."""
    assert len(set(STANDARD + EXTENSION)) == 127 + 10
    chance = random.Random(20261126)  # noqa: S311  (nothing secret)
    texts = [random_text(chance) for _ in range(10_000)]
    assert {counted(text) for text in texts} >= {None, 1, 2, 3, 4, 5}
    assert [text for text in texts if segments(text) != counted(text)] == []


def test_every_letter_there_is_stands_in_the_tables_or_is_refused() -> None:
    """Of the whole basic plane, one letter at a time."""
    accepted = {letter for letter in map(chr, range(0x10000)) if segments(letter) == 1}
    assert accepted == {*STANDARD, *EXTENSION}
