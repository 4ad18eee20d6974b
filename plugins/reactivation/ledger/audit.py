"""The audit trail: who did what to which subject, as plain inserts that nothing can change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from reactivation.contract.digests import canonical_json
from reactivation.ledger.locks import SEALING, shared
from reactivation.ledger.tables import audit


def write(conn: Connection, *, at: datetime, actor: str, action: str, subject: str, details: Mapping[str, Any]) -> None:
    """Append one row. ``details`` are ids, codes, counts and instants, never anything personal."""
    write_many(conn, at=at, actor=actor, action=action, subjects=[(subject, details)])


def write_many(
    conn: Connection, *, at: datetime, actor: str, action: str, subjects: Iterable[tuple[str, Mapping[str, Any]]]
) -> None:
    """Append one row per subject, in the order given."""
    rows = [
        {"at": at, "actor": actor, "action": action, "subject": subject, "details": canonical_json(details).decode()}
        for subject, details in subjects
    ]
    if rows:
        shared(conn, SEALING)  # a seal waits for us, so that no row appears among rows already sealed
        conn.execute(insert(audit), rows)
