"""Every folder of evidence there is, as the place itself tells: one that a killed process left before the ledger
vouched for it has names and addresses in it, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reactivation.evidence import Folder, RunFolder, SnapshotFolder

if TYPE_CHECKING:
    from pathlib import Path

    from reactivation.steps.workspace import Workspace


def snapshot_folders(workspace: Workspace) -> list[SnapshotFolder]:
    """The folders of all snapshots, by id."""
    return [
        folder for folder in map(SnapshotFolder, _places(workspace.settings.evidence / "snapshots")) if folder.exists()
    ]


def run_folders(workspace: Workspace) -> list[RunFolder]:
    """The folders of all runs, by id."""
    return [folder for folder in map(RunFolder, _places(workspace.settings.evidence / "runs")) if folder.exists()]


def all_folders(workspace: Workspace) -> list[Folder]:
    """The folders of all snapshots, then those of all runs."""
    return [*snapshot_folders(workspace), *run_folders(workspace)]


def _places(root: Path) -> Iterator[Path]:
    if root.exists():
        yield from sorted(
            (place for place in root.iterdir() if not place.name.startswith(".")), key=lambda one: one.name
        )
