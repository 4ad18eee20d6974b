"""Random columns that are the same on every machine, in every library version and for every chunk size.

A draw is a hash (SplitMix64) of the seed, the name of the stream and the row's own number, so a customer's luck does
not depend on who was generated before, and only integer arithmetic and exact floating-point products are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PER_MILLE = 1000
_STRATUM = 100
_GOLDEN = 617
"""About the golden part of a thousand, and without a common divisor."""


class Dice:
    """Draws for one seed; every method is a pure function of the stream's name and the row numbers."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def below(self, stream: str, rows: Whole, limit: int | Whole) -> Whole:
        """Whole numbers in ``[0, limit)``, ``limit`` below 2**31 and at least 1, one for each row number."""
        high = self._bits(stream, rows) >> np.uint64(32)
        return ((high * np.asarray(limit, dtype=np.uint64)) >> np.uint64(32)).astype(np.int64)

    def chance(self, stream: str, rows: Whole, per_mille: int | Whole) -> Flags:
        """True for about ``per_mille`` of a thousand rows."""
        return np.less(self.below(stream, rows, PER_MILLE), per_mille)

    def pick(self, stream: str, rows: Whole, weights: Sequence[int]) -> Whole:
        """Codes ``0..len(weights)-1``; the weights are per mille and sum to 1000."""
        return ladder(tuple(weights))[self.below(stream, rows, PER_MILLE)]

    def spread(self, stream: str, rows: Whole, weights: Sequence[int]) -> Whole:
        """Like ``pick``, but each hundred consecutive rows hold the shares almost exactly: small samples look right.

        ``rows`` rise without gaps and begin at a multiple of 100.
        """
        stratum = rows // _STRATUM
        bits = self._bits(stream, rows)
        order = np.lexsort((bits, stratum))
        first = np.searchsorted(stratum, stratum)
        size = np.searchsorted(stratum, stratum, side="right") - first
        rank = np.empty(len(rows), dtype=np.int64)
        rank[order] = np.arange(len(rows))
        rank -= first
        step = PER_MILLE // np.maximum(size, 1)
        inside = (bits & np.uint64(0xFFFF)).astype(np.int64) * np.maximum(step, 1) >> 16
        place: Whole = np.minimum(rank * PER_MILLE // size + inside, PER_MILLE - 1).astype(np.int64)
        return ladder(tuple(weights))[place]

    def evenly(self, stream: str, rows: Whole) -> Whole:
        """Per mille places of rows that follow one another: any run of them covers the range evenly."""
        start = self.below(stream, np.zeros(1, dtype=np.int64), PER_MILLE)
        return (rows * _GOLDEN + start) % PER_MILLE

    def order(self, stream: str, rows: Whole) -> Whole:
        """Positions of ``rows`` in a shuffled order."""
        return np.argsort(self._bits(stream, rows), kind="stable").astype(np.int64)

    def _bits(self, stream: str, rows: Whole) -> npt.NDArray[np.uint64]:
        key = np.uint64(_key(self._seed, stream))
        bits = rows.astype(np.uint64)
        bits *= np.uint64(0x9E3779B97F4A7C15)
        bits += key
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            bits ^= bits >> np.uint64(shift)
            bits *= np.uint64(factor)
        bits ^= bits >> np.uint64(31)
        return bits


@cache
def ladder(weights: tuple[int, ...]) -> Whole:
    """A table of 1000 codes in which code ``i`` fills ``weights[i]`` places."""
    if sum(weights) != PER_MILLE:
        raise ValueError(f"weights must sum to {PER_MILLE}, got {sum(weights)}: {weights}")
    return np.repeat(np.arange(len(weights), dtype=np.int64), weights)


@cache
def _key(seed: int, stream: str) -> int:
    return int.from_bytes(blake2b(f"{seed}:{stream}".encode(), digest_size=8).digest(), "little")
