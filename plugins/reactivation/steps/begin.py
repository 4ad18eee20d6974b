"""Begins a run: the latest ready snapshot, this playbook, these rules, all by digest, under an id of our own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from reactivation.evidence import RunFolder
from reactivation.ledger import runs, seals
from reactivation.ledger.runs import Snapshot, StepError
from reactivation.playbooks.model import Playbook
from reactivation.steps.begun import BEFORE, before_digest

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

STEP = "begin"
#: The head of the audit trail when a run began: a trail cut off later than that shows.
AUDIT_HEAD = "audit_head"
#: A real run speaks of now; anything older is a dry run (ARCHITECTURE.md, invariant 10).
FRESH = timedelta(hours=24)


def begin_run(
    workspace: Workspace, playbook_name: str, *, now: datetime, dry: bool, segment: str | None = None,
    sample_size: int | None = None, triggered_by: str, snapshot_id: str | None = None,
) -> str:  # fmt: skip
    """A new run's id, its folder made and its beginning in the ledger. Raises ``StepError`` with the fix.

    The run is over the latest ready snapshot, or over the one named.
    """
    loaded = workspace.playbook(playbook_name)
    _check_request(loaded.playbook, segment, sample_size)
    with workspace.ledger.begin() as conn:
        found = runs.latest_ready_snapshot(conn) if snapshot_id is None else runs.snapshot_of(conn, snapshot_id)
        snapshot = _snapshot(found, now, dry)
    evidence = workspace.snapshot_folder(snapshot.snapshot_id)
    if evidence.manifest_digest != snapshot.manifest_digest:
        raise StepError(f"snapshot {snapshot.snapshot_id} is not what the ledger vouches for; take a new snapshot")
    run_id = str(uuid4())
    folder = RunFolder.create(
        workspace.run_folder(run_id).path, as_of=snapshot.as_of,
        inputs={"snapshot_id": snapshot.snapshot_id, "snapshot": snapshot.manifest_digest, "playbook": loaded.digest,
                BEFORE: before_digest(workspace.before(playbook_name)),
                "rules": workspace.rules.version, "owners": workspace.owners.digest,
                AUDIT_HEAD: seals.seal(workspace.ledger, now)},
    )  # fmt: skip
    digest = folder.add_file("playbook.yaml", loaded.path.read_bytes())
    if folder.files["playbook.yaml"] != loaded.digest:
        raise StepError(f"playbook {playbook_name} was changed while the run began; begin again")
    with workspace.ledger.begin() as conn:
        runs.begin_run(
            conn, run_id=run_id, playbook=playbook_name, snapshot_id=snapshot.snapshot_id, as_of=snapshot.as_of,
            playbook_digest=loaded.digest, rules_version=workspace.rules.version, dry=dry, segment=segment,
            sample_size=sample_size, triggered_by=triggered_by, started_at=now,
        )  # fmt: skip
        runs.record_step(conn, run_id, STEP, state="succeeded", manifest_digest=digest, counts={}, now=now)
    seals.seal(workspace.ledger, now)
    return run_id


def _check_request(playbook: Playbook, segment: str | None, sample_size: int | None) -> None:
    if segment is not None and segment not in playbook.windows:
        known = ", ".join(sorted(playbook.windows))
        raise StepError(f"playbook {playbook.playbook} knows no business segment {segment}; it has {known}")
    if sample_size is not None and sample_size < 1:
        raise StepError(f"a sample of {sample_size} enrolments is none; give 1 or more, or leave it out")


def _snapshot(snapshot: Snapshot | None, now: datetime, dry: bool) -> Snapshot:
    if snapshot is None:
        raise StepError("there is no snapshot that is ready; take one, and see its readiness report if it is not")
    if snapshot.as_of > now:
        raise StepError(
            f"snapshot {snapshot.snapshot_id} is as of {snapshot.as_of.isoformat()}, later than now "
            f"({now.isoformat()}); take one that is not in the future"
        )
    if not dry and now - snapshot.as_of > FRESH:
        raise StepError(
            f"snapshot {snapshot.snapshot_id} is as of {snapshot.as_of.isoformat()}, more than 24 hours ago: "
            "take a new snapshot, or ask for a dry run"
        )
    return snapshot
