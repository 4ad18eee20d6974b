"""What is paused: a playbook, a variant of it, or one segment of a variant. Pure; whole columns at a time.

Nobody is moved to another variant because his own is paused: he waits. Source: docs/decisions/0026.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TEXT

#: Why somebody is not enrolled, or a touch of his not drafted.
VARIANT_PAUSED, PLAYBOOK_PAUSED = "variant_paused", "playbook_paused"


@dataclass(frozen=True)
class Part:
    """What is watched, and may be paused: ``variant`` is ``None`` for the whole playbook, ``segment`` for all of the
    variant."""

    variant: str | None = None
    segment: str | None = None

    def covers(self, other: Part) -> bool:
        """Whether all of the other is in this one."""
        if self.variant is None:
            return True
        return self.variant == other.variant and self.segment in (None, other.segment)


@dataclass(frozen=True)
class Halt:
    """A part that was paused, and until when: ``None`` while it is."""

    part: Part
    since: datetime
    until: datetime | None = None

    @property
    def stands(self) -> bool:
        return self.until is None


def why_paused(variants: pa.ChunkedArray, segments: pa.ChunkedArray, paused: Collection[Part]) -> pa.ChunkedArray:
    """For each person of such a variant and segment the reason why nothing new is begun with him; null where none."""
    reason = pa.chunked_array([pa.nulls(len(variants), TEXT)])
    for part in paused:
        if part.variant is None:
            return pa.chunked_array([pa.repeat(PLAYBOOK_PAUSED, len(variants)).cast(TEXT)])
        within = pc.equal(variants, part.variant)
        if part.segment is not None:
            within = pc.and_(within, pc.equal(segments, part.segment))
        reason = pc.if_else(pc.fill_null(within, False), VARIANT_PAUSED, reason)
    return reason


def paused_ids(
    ids: pa.ChunkedArray, variants: pa.ChunkedArray, segments: pa.ChunkedArray, paused: Collection[Part]
) -> dict[str, str]:
    """The reason of ``why_paused`` by id, for those alone who have one."""
    reason = why_paused(variants, segments, paused)
    held = pc.is_valid(reason)
    return dict(zip(ids.filter(held).to_pylist(), reason.filter(held).to_pylist(), strict=True))


def standing_parts(halts: Collection[Halt]) -> Iterator[Part]:
    """What is paused now."""
    return (halt.part for halt in halts if halt.stands)
