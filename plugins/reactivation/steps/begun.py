"""What a run began with, still the same: its playbook, its rules, its snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reactivation.contract.digests import digest
from reactivation.evidence import SnapshotFolder
from reactivation.ledger.runs import Run, StepError
from reactivation.playbooks.loader import LoadedPlaybook
from reactivation.playbooks.model import Playbook

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: Among the inputs of a run's folder: the playbooks that go first.
BEFORE = "playbooks_before"


def playbook_of(workspace: Workspace, run: Run) -> LoadedPlaybook:
    """The run's playbook. Raises ``StepError`` when it or the rules were changed since the run began."""
    loaded = workspace.playbook(run.playbook)
    if loaded.digest != run.playbook_digest:
        raise StepError(f"run {run.run_id}: playbook {run.playbook} was changed since the run began; begin a new run")
    if workspace.rules.version != run.rules_version:
        raise StepError(f"run {run.run_id}: the rules were changed since the run began; begin a new run")
    return loaded


def before_digest(before: Sequence[LoadedPlaybook]) -> str:
    """What a run keeps of the playbooks that go first: one digest of them all."""
    return digest([[one.playbook.playbook, one.digest] for one in before])


def before_of(workspace: Workspace, run: Run) -> tuple[Playbook, ...]:
    """The playbooks that go first where two want one person. Raises ``StepError`` when they are not those the run began
    with."""
    before = workspace.before(run.playbook)
    if before_digest(before) != workspace.run_folder(run.run_id).manifest["inputs"][BEFORE]:
        raise StepError(
            f"run {run.run_id}: a playbook that goes first was changed since the run began; begin a new run"
        )
    return tuple(one.playbook for one in before)


def snapshot_of(workspace: Workspace, run: Run) -> SnapshotFolder:
    """The run's snapshot. Raises ``StepError`` when its files are not those the run began with."""
    folder = workspace.snapshot_folder(run.snapshot_id)
    if folder.manifest_digest != workspace.run_folder(run.run_id).manifest["inputs"]["snapshot"]:
        raise StepError(f"snapshot {run.snapshot_id} was changed since the run began; take a new one and begin again")
    return folder
