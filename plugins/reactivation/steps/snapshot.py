"""Takes a snapshot: everything the source says at one as-of, judged as tables before any playbook looks at it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from reactivation.ledger import runs, seals
from reactivation.ledger.runs import StepError
from reactivation.readiness import judge_tables
from reactivation.readiness.data_docs import data_docs
from reactivation.sources import extract
from reactivation.steps.forgetting import forget_again
from reactivation.steps.readiness import DATA_DOCS, REPORT, ROWS, NotReady

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace


def take_snapshot(workspace: Workspace, *, now: datetime, as_of: datetime | None = None) -> str:
    """The id of a new snapshot that is ready, vouched for in the ledger. ``as_of`` is ``now`` when not given.

    Raises ``StepError`` for an as-of in the future or without a zone, ``SourceError`` for a broken file (nothing is
    left behind), and ``NotReady`` when the tables cannot serve any playbook: the ledger then knows the snapshot as not
    ready, and its ``readiness.json`` says why.
    """
    at = now if as_of is None else as_of
    if at.tzinfo is None:
        raise StepError(f"as-of {at.isoformat()} has no time zone, so it is no instant; add one, Z for UTC")
    if at > now:
        raise StepError(f"as-of {at.isoformat()} is in the future (it is {now.isoformat()}): give an earlier one")
    snapshot_id = str(uuid4())
    source = workspace.source()
    folder = extract(
        source, into=workspace.snapshot_folder(snapshot_id).path, snapshot_id=snapshot_id, as_of=at, keys=workspace.keys
    )
    verdict = judge_tables(folder)
    manifest_digest = folder.add({
        REPORT: verdict.as_report(), ROWS: verdict.rows, DATA_DOCS: data_docs(verdict.said),
    })  # fmt: skip
    forget_again(workspace, folder, actor="take_snapshot", now=now)
    with workspace.ledger.begin() as conn:
        runs.record_snapshot(
            conn, snapshot_id=snapshot_id, as_of=at, taken_at=now, manifest_digest=manifest_digest,
            state="ready" if verdict.ready else "not_ready",
        )  # fmt: skip
    seals.seal(workspace.ledger, now)
    if not verdict.ready:
        raise NotReady("snapshot", snapshot_id, verdict.message, str(folder.path / REPORT))
    return snapshot_id
