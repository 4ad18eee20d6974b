"""Batches: how a playbook split people among its variants, for as long as nothing about the split changed.

An enrolment is of the batch it began in, so that each comparison is made with the share that chance really had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, insert, select

from reactivation.ledger import audit
from reactivation.ledger.runs import Run
from reactivation.ledger.tables import variant_batches


@dataclass(frozen=True)
class Batch:
    """``split``: the share and the digest of each variant by name, the pairs of variant and segment that were paused,
    and how often something was resumed before."""

    batch_id: str
    playbook: str
    split: Mapping[str, Any]
    began_at: datetime


def of_playbook(conn: Connection, playbook: str) -> list[Batch]:
    """Every batch of a playbook, the oldest first."""
    columns = (variant_batches.c[name] for name in ("batch_id", "playbook", "split", "began_at"))
    wanted = select(*columns).where(variant_batches.c.playbook == playbook)
    ordered = wanted.order_by(variant_batches.c.began_at, variant_batches.c.batch_id)
    return [Batch(**row._mapping) for row in conn.execute(ordered)]


def enter(conn: Connection, run: Run, split: Mapping[str, Any], now: datetime) -> str:
    """The batch that enrolments of a run begin in: the last one while its split is still this, else a new one."""
    before = of_playbook(conn, run.playbook)
    if before and before[-1].split == split:
        return before[-1].batch_id
    batch_id = str(uuid4())
    row = {"batch_id": batch_id, "playbook": run.playbook, "run_id": run.run_id, "split": dict(split), "began_at": now}
    conn.execute(insert(variant_batches), row)
    audit.write(conn, at=now, actor=run.playbook, action="variants_split", subject=run.run_id,
                details={"batch_id": batch_id, "shares": str(split)})  # fmt: skip
    return batch_id
