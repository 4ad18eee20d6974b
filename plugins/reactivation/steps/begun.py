"""What a run began with, still the same: its playbook, its rules, its snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivation.evidence import SnapshotFolder
from reactivation.ledger.runs import Run, StepError
from reactivation.playbooks.loader import LoadedPlaybook

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace


def playbook_of(workspace: Workspace, run: Run) -> LoadedPlaybook:
    """The run's playbook. Raises ``StepError`` when it or the rules were changed since the run began."""
    loaded = workspace.playbook(run.playbook)
    if loaded.digest != run.playbook_digest:
        raise StepError(f"run {run.run_id}: playbook {run.playbook} was changed since the run began; begin a new run")
    if workspace.rules.version != run.rules_version:
        raise StepError(f"run {run.run_id}: the rules were changed since the run began; begin a new run")
    return loaded


def snapshot_of(workspace: Workspace, run: Run) -> SnapshotFolder:
    """The run's snapshot. Raises ``StepError`` when its files are not those the run began with."""
    folder = workspace.snapshot_folder(run.snapshot_id)
    if folder.manifest_digest != workspace.run_folder(run.run_id).manifest["inputs"]["snapshot"]:
        raise StepError(f"snapshot {run.snapshot_id} was changed since the run began; take a new one and begin again")
    return folder
