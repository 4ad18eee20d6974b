"""Stable ids: the same for a few texts as for many, and as Python's own functions make them."""

from __future__ import annotations

import hashlib

import pyarrow as pa

from reactivation.evidence.ids import digests

TEXTS = ["", "a", "Zoë\x1f2026", None, "😀"]


def test_a_digest_does_not_depend_on_how_many_are_asked_for() -> None:
    """A few are made without the engine."""
    few, many = digests(pa.array(TEXTS)).to_pylist(), digests(pa.array(TEXTS * 100)).to_pylist()
    assert few == [None if text is None else hashlib.sha256(text.encode()).hexdigest() for text in TEXTS]
    assert many == few * 100
