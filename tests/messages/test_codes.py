"""Offer codes: readable, stable, different, and saying nothing."""

from __future__ import annotations

import re

from reactivation.messages.codes import offer_code


def test_a_code_can_be_read_aloud() -> None:
    """Two groups of four, without vowels or letters that are mistaken for digits."""
    assert re.fullmatch(r"[BCDFGHJKMNPQRSTVWXYZ2-9]{4}-[BCDFGHJKMNPQRSTVWXYZ2-9]{4}", offer_code("offer-1", "touch-1"))


def test_the_same_touch_gives_the_same_code() -> None:
    """Drafting again does not hand out a second code."""
    assert offer_code("offer-1", "touch-1") == offer_code("offer-1", "touch-1")


def test_touches_offers_and_attempts_differ() -> None:
    """Ten thousand touches, another offer and another attempt give as many codes."""
    codes = {offer_code("offer-1", f"touch-{n}") for n in range(10_000)}
    assert len(codes) == 10_000
    assert offer_code("offer-2", "touch-1") not in codes
    assert offer_code("offer-1", "touch-1", attempt=1) not in codes
