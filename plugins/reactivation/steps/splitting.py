"""How a playbook's variants are given out now: the shares, what is paused, and the batch that enrolments begin in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from reactivation.contract.digests import digest
from reactivation.ledger import batches, pauses, stops
from reactivation.ledger.batches import Batch
from reactivation.ledger.runs import Run
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.variants import part_of
from reactivation.policy.monitor import Split
from reactivation.policy.pausing import Halt, Part, standing_parts


def halts_of(conn: Connection, playbook: str) -> list[Halt]:
    """Everything of a playbook that was ever paused, the oldest first: by the monitor, or a variant by hand."""
    whole = [Halt(Part(), one.since, one.until) for one in pauses.of_playbook(conn, playbook) if one.variant is None]
    inside = [Halt(Part(*part_of(scope)), since, until) for scope, since, until in stops.of_variants(conn, playbook)]
    return sorted([*whole, *inside], key=lambda halt: halt.since)


def paused_parts(conn: Connection, playbook: str) -> list[Part]:
    """What of a playbook is paused."""
    return list(standing_parts(halts_of(conn, playbook)))


def batch_of(conn: Connection, run: Run, playbook: Playbook, now: datetime) -> str | None:
    """The batch that the run's enrolments begin in; ``None`` for a playbook without variants."""
    if not playbook.variants:
        return None
    return batches.enter(conn, run, _split(playbook, halts_of(conn, playbook.playbook)), now)


def splits_of(conn: Connection, playbook: str) -> list[Split]:
    """The batches of a playbook, the oldest first."""
    return [_as_split(one) for one in batches.of_playbook(conn, playbook)]


def _split(playbook: Playbook, halts: Sequence[Halt]) -> dict[str, Any]:
    """What the ledger keeps of it. What a variant writes is in its digest: with other words it is another variant."""
    touches = {
        one.variant: [touch.model_dump(mode="json") for touch in playbook.of_variant(one.variant).touches]
        for one in playbook.variants
    }
    paused = sorted({(part.variant or "", part.segment or "") for part in standing_parts(halts)})
    return {
        "variants": {one.variant: [one.share, digest(touches[one.variant])] for one in playbook.variants},
        "paused": [list(pair) for pair in paused],
        "resumed": sum(not halt.stands for halt in halts),
    }


def _as_split(batch: Batch) -> Split:
    arms = {name: (float(share), str(words)) for name, (share, words) in batch.split["variants"].items()}
    paused = [Part(variant or None, segment or None) for variant, segment in batch.split["paused"]]
    return Split(batch.batch_id, batch.began_at, arms, paused)
