"""Snapshots, runs and their steps: what the ledger vouches for, and whether the step before has succeeded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from reactivation.ledger import audit
from reactivation.ledger.tables import draft_edits, runs, snapshots, steps


class StepError(Exception):
    """A step may not begin; the message names the run, the step and the fix."""


@dataclass(frozen=True)
class Snapshot:
    """A snapshot folder the ledger vouches for."""

    snapshot_id: str
    as_of: datetime
    taken_at: datetime
    manifest_digest: str
    state: str


@dataclass(frozen=True)
class Run:
    """One pass over one snapshot for one playbook."""

    run_id: str
    playbook: str
    snapshot_id: str
    as_of: datetime
    playbook_digest: str
    rules_version: str
    dry: bool
    segment: str | None
    sample_size: int | None
    triggered_by: str
    started_at: datetime


@dataclass(frozen=True)
class Step:
    """How one step of a run ended."""

    run_id: str
    step: str
    state: str
    manifest_digest: str
    counts: Mapping[str, Any]
    ended_at: datetime


def record_snapshot(
    conn: Connection, *, snapshot_id: str, as_of: datetime, taken_at: datetime, manifest_digest: str, state: str
) -> None:
    """Vouch for a snapshot. ``state``: ready, or not_ready, which no run begins on."""
    conn.execute(
        insert(snapshots),
        {"snapshot_id": snapshot_id, "as_of": as_of, "taken_at": taken_at, "manifest_digest": manifest_digest,
         "state": state},
    )  # fmt: skip
    audit.write(
        conn, at=taken_at, actor="take_snapshot", action="snapshot_taken", subject=snapshot_id,
        details={"as_of": as_of, "manifest_digest": manifest_digest, "state": state},
    )  # fmt: skip


def snapshot_of(conn: Connection, snapshot_id: str) -> Snapshot:
    """The snapshot of that id; raises ``StepError``."""
    found = conn.execute(select(snapshots).where(snapshots.c.snapshot_id == snapshot_id)).one_or_none()
    if found is None:
        raise StepError(f"the ledger knows no snapshot {snapshot_id}; take a snapshot first")
    return Snapshot(**found._mapping)


def latest_snapshots(conn: Connection, most: int) -> list[Snapshot]:
    """The snapshots taken last, ready or not, the newest first."""
    query = select(snapshots).order_by(snapshots.c.taken_at.desc(), snapshots.c.snapshot_id).limit(most)
    return [Snapshot(**row._mapping) for row in conn.execute(query)]


def latest_ready_snapshot(conn: Connection) -> Snapshot | None:
    """The newest snapshot that passed table readiness."""
    wanted = select(snapshots).where(snapshots.c.state == "ready")
    order = (snapshots.c.as_of.desc(), snapshots.c.taken_at.desc(), snapshots.c.snapshot_id)
    found = conn.execute(wanted.order_by(*order).limit(1)).one_or_none()
    return None if found is None else Snapshot(**found._mapping)


def begin_run(
    conn: Connection, *, run_id: str, playbook: str, snapshot_id: str, as_of: datetime, playbook_digest: str,
    rules_version: str, dry: bool, segment: str | None, sample_size: int | None, triggered_by: str,
    started_at: datetime,
) -> Run:  # fmt: skip
    """Record that a run begins; raises ``StepError`` for a snapshot that is unknown or not ready."""
    snapshot = snapshot_of(conn, snapshot_id)
    if snapshot.state != "ready":
        raise StepError(f"snapshot {snapshot_id} is not ready; see its report, correct the source, take another")
    run = Run(run_id, playbook, snapshot_id, as_of, playbook_digest, rules_version, dry, segment, sample_size,
              triggered_by, started_at)  # fmt: skip
    conn.execute(insert(runs), vars(run))
    audit.write(
        conn, at=started_at, actor=triggered_by, action="run_begun", subject=run_id,
        details={"playbook": playbook, "snapshot_id": snapshot_id, "as_of": as_of, "dry": dry, "segment": segment,
                 "sample_size": sample_size, "playbook_digest": playbook_digest, "rules_version": rules_version},
    )  # fmt: skip
    return run


def run_of(conn: Connection, run_id: str) -> Run:
    """The run of that id; raises ``StepError``."""
    found = conn.execute(select(runs).where(runs.c.run_id == run_id)).one_or_none()
    if found is None:
        raise StepError(f"the ledger knows no run {run_id}; a task state or a message cannot stand in for it")
    return Run(**found._mapping)


def run_ids(conn: Connection) -> list[str]:
    """Every run there is, oldest first."""
    return list(conn.scalars(select(runs.c.run_id).order_by(runs.c.started_at, runs.c.run_id)))


def decided_since(conn: Connection, playbook: str, since: datetime) -> list[str]:
    """The ids of a playbook's real runs that began at or after an instant and were decided, oldest first."""
    wanted = (
        select(runs.c.run_id)
        .join(steps, steps.c.run_id == runs.c.run_id)
        .where(runs.c.playbook == playbook, runs.c.started_at >= since, runs.c.dry.is_(False))
        .where(steps.c.step == "decide", steps.c.state == "succeeded")
    )
    return list(conn.scalars(wanted.order_by(runs.c.started_at, runs.c.run_id)))


def latest_run(
    conn: Connection, playbook: str, *, step: str | None = None, until: datetime | None = None, real: bool = False
) -> Run | None:  # fmt: skip
    """The newest run of a playbook, of those in which ``step`` succeeded (by ``until``) when it is given; ``real``: no
    dry run. A draft that was changed is a run for its files alone, and never the newest."""
    edits = select(draft_edits.c.edit_id)
    wanted = select(runs).where(runs.c.playbook == playbook, runs.c.run_id.not_in(edits))
    if real:
        wanted = wanted.where(runs.c.dry.is_(False))
    if step is not None:
        succeeded = select(steps.c.run_id).where(steps.c.step == step, steps.c.state == "succeeded")
        if until is not None:
            succeeded = succeeded.where(steps.c.ended_at <= until)
        wanted = wanted.where(runs.c.run_id.in_(succeeded))
    found = conn.execute(wanted.order_by(runs.c.started_at.desc(), runs.c.run_id).limit(1)).one_or_none()
    return None if found is None else Run(**found._mapping)


def step_of(conn: Connection, run_id: str, step: str) -> Step | None:
    """How that step ended, or ``None`` when it did not."""
    found = conn.execute(select(steps).where(steps.c.run_id == run_id, steps.c.step == step)).one_or_none()
    return None if found is None else Step(**found._mapping)


def steps_of(conn: Connection, run_id: str) -> list[Step]:
    """How every step of a run that ended did, in that order."""
    query = select(steps).where(steps.c.run_id == run_id).order_by(steps.c.ended_at, steps.c.step)
    return [Step(**row._mapping) for row in conn.execute(query)]


def require_step(conn: Connection, run_id: str, step: str, manifest_digest: str) -> Step:
    """Proof that ``step`` succeeded and its files are still those it left; raises ``StepError``.

    ``manifest_digest``: of the run folder's manifest as it is now.
    """
    found = step_of(conn, run_id, step)
    if found is None:
        raise StepError(f"run {run_id}: step {step} has not ended; run it first")
    if found.state != "succeeded":
        raise StepError(f"run {run_id}: step {step} ended as {found.state}; see its report, then begin a new run")
    require_unchanged(found, manifest_digest)
    return found


def require_unchanged(step: Step, manifest_digest: str) -> None:
    """Proof that a step's files are still those it left, however it ended; raises ``StepError``."""
    if step.manifest_digest != manifest_digest:
        raise StepError(
            f"run {step.run_id}: its files are not those that step {step.step} left (manifest {manifest_digest[:12]}…, "
            f"the ledger has {step.manifest_digest[:12]}…); begin a new run"
        )


def record_step(
    conn: Connection, run_id: str, step: str, *, state: str, manifest_digest: str, counts: Mapping[str, Any],
    now: datetime,
) -> None:  # fmt: skip
    """Record how a step ended; one that succeeded stays so, one that did not may be tried again.

    Raises ``StepError`` when it has succeeded before: its effects must not happen twice.
    """
    run = run_of(conn, run_id)
    earlier = step_of(conn, run_id, step)
    if earlier is not None and earlier.state == "succeeded":
        raise StepError(f"run {run_id}: step {step} has already succeeded; begin a new run to do it again")
    conn.execute(delete(steps).where(steps.c.run_id == run_id, steps.c.step == step))
    conn.execute(
        insert(steps),
        {"run_id": run_id, "step": step, "state": state, "manifest_digest": manifest_digest, "counts": dict(counts),
         "ended_at": now},
    )  # fmt: skip
    audit.write(
        conn, at=now, actor=run.playbook, action=f"step_{state}", subject=run_id,
        details={"step": step, "manifest_digest": manifest_digest, "counts": counts},
    )  # fmt: skip
