"""Seals over the audit trail: a hash over rows in order, chained to the seal before.

Sealing is apart from writing: a chain per row would be one lock around everything. Rows not sealed yet are counted,
not vouched for. A cut at the very end (seals and rows both gone) shows only against a head kept elsewhere, in the
manifest of a run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, text

from reactivation.contract.digests import canonical_json, digest
from reactivation.ledger.engine import Ledger
from reactivation.ledger.locks import SEALING, exclusive
from reactivation.ledger.tables import APPEND_ONLY, CHANGES_ONLY, audit, seals

FIRST = "0" * 64
_FIELDS = ("number", "from_seq", "to_seq", "rows", "root", "previous", "sealed_at")


@dataclass(frozen=True)
class Report:
    """What a check of the trail found; ``problems`` is empty when it is intact."""

    seals: int
    sealed_rows: int
    unsealed_rows: int
    head: str
    problems: tuple[str, ...]

    @property
    def intact(self) -> bool:
        return not self.problems

    def __str__(self) -> str:
        counted = f"{self.seals} seals over {self.sealed_rows} rows, {self.unsealed_rows} rows not sealed yet"
        if self.intact:
            return f"the audit trail is intact: {counted}; head {self.head}"
        return "\n".join([f"the audit trail is NOT intact: {counted}", *(f"- {p}" for p in self.problems)])


def seal(ledger: Ledger, now: datetime) -> str:
    """Seal all rows committed so far and return the head; nothing new, the old head.

    A transaction of its own: one that had written audit rows itself could wait for another that does the same.
    """
    with ledger.begin() as conn:
        exclusive(conn, SEALING)
        last = conn.execute(select(seals).order_by(seals.c.number.desc()).limit(1)).one_or_none()
        hashed = _Root()
        first = final = None
        for row in _rows(conn, after=last.to_seq if last else None):
            first = row.seq if first is None else first
            final = row.seq
            hashed.add(row)
        if first is None:
            return str(last.head) if last else FIRST
        fields = {
            "number": last.number + 1 if last else 1, "from_seq": first, "to_seq": final, "rows": hashed.rows,
            "root": hashed.hexdigest(), "previous": last.head if last else FIRST, "sealed_at": now,
        }  # fmt: skip
        head = digest(fields)
        conn.execute(insert(seals), {**fields, "head": head})
        return head


def verify(conn: Connection, heads: Collection[str] = ()) -> Report:
    """Recompute every seal. ``heads`` are those that manifests remember; each must still be there."""
    problems = [f"the trigger {name} is missing: rows could be changed" for name in _missing_triggers(conn)]
    previous, after, number, sealed = FIRST, None, 0, 0
    known = {FIRST}
    for found in conn.execute(select(seals).order_by(seals.c.number)).all():
        if found.number != number + 1:
            problems.append(f"seal {number + 1} is missing before seal {found.number}")
        if found.previous != previous:
            problems.append(f"seal {found.number} does not continue the seal before it")
        if digest({f: getattr(found, f) for f in _FIELDS}) != found.head:
            problems.append(f"seal {found.number} itself was changed")
        problems += _compare(conn, found, after)
        previous, after, number, sealed = found.head, found.to_seq, found.number, sealed + found.rows
        known.add(found.head)
    problems += [f"no seal has the head {h[:16]}… that a manifest remembers" for h in sorted(set(heads) - known)]
    unsealed = select(func.count()).select_from(audit)
    if after is not None:
        unsealed = unsealed.where(audit.c.seq > after)
    return Report(number, sealed, conn.execute(unsealed).scalar_one(), previous, tuple(problems))


def _compare(conn: Connection, found: Row[Any], after: int | None) -> list[str]:
    """What is wrong with the rows under one seal: those after the seal before, up to its last."""
    hashed = _Root()
    for row in _rows(conn, after=after, to=found.to_seq):
        hashed.add(row)
    span = f"rows {found.from_seq} to {found.to_seq} (seal {found.number})"
    if hashed.rows < found.rows:
        return [f"{found.rows - hashed.rows} of the {found.rows} audit rows were removed from {span}"]
    if hashed.rows > found.rows:
        return [f"{hashed.rows - found.rows} audit rows were inserted into {span}"]
    return [f"audit rows were changed in {span}"] if hashed.hexdigest() != found.root else []


class _Root:
    """The hash over rows in order."""

    def __init__(self) -> None:
        self.rows = 0
        self._hash = hashlib.sha256()

    def add(self, row: Row[Any]) -> None:
        self.rows += 1
        self._hash.update(canonical_json([row.seq, row.at, row.actor, row.action, row.subject, row.details]) + b"\n")

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def _rows(conn: Connection, *, after: int | None, to: int | None = None) -> Iterator[Row[Any]]:
    wanted = select(audit).order_by(audit.c.seq)
    if after is not None:
        wanted = wanted.where(audit.c.seq > after)
    if to is not None:
        wanted = wanted.where(audit.c.seq <= to)
    return iter(conn.execute(wanted, execution_options={"yield_per": 5_000}))


def _missing_triggers(conn: Connection) -> list[str]:
    if conn.dialect.name == "postgresql":
        asked = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    else:
        asked = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    there = set(conn.execute(text(asked)).scalars())
    needed = {f"{table}_{kind}" for table in APPEND_ONLY for kind in ("no_update", "no_delete")}
    needed |= {f"{table}_frozen" for table in CHANGES_ONLY}
    return sorted(needed - there)
