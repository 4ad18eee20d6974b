"""Whoever erases or purges is killed (SIGKILL) at every point: nothing half-written stays, nobody erased is written to,
and doing it again finishes it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.faults.killing import ERASING, TAKING, forget, is_killed, noticed
from tests.sending import NOW, Ready

from reactivation.steps.audit import verify_audit
from reactivation.steps.dispatch import dispatch
from reactivation.steps.erase import erase
from reactivation.steps.folders import all_folders
from reactivation.steps.purge import purge

#: Points that a killed erasure comes to again with its second file.
SECOND = ("when the new file is noted", "when the new file has its name")
LATER = NOW + timedelta(days=31)


def said(ready: Ready) -> str:
    """What the personal files say; every file of every folder is what it should be."""
    for folder in all_folders(ready.workspace):
        folder.verify()
    named = [
        (folder, name) for folder in all_folders(ready.workspace) for name in ("people", "drafts") if folder.has(name)
    ]
    return "\n".join(str(folder.read(name).to_pylist()) for folder, name in named)


def _is_finished(ready: Ready) -> None:
    """Gone from every file, and from what half-written ones there were; the others stay; the books are whole."""
    assert "ann.hart" not in said(ready)
    assert "bob.hart" in said(ready)
    left = [file for folder in all_folders(ready.workspace) for file in Path(folder.path.path).iterdir()]
    assert [file.name for file in left if file.name.startswith(".tmp")] == []
    assert all(made.done for folder in all_folders(ready.workspace) for made in folder.rewrites)
    assert verify_audit(ready.workspace).intact
    recorded = len([made for folder in all_folders(ready.workspace) for made in folder.rewrites])
    assert recorded == 2


@pytest.mark.parametrize("point", [*ERASING, *TAKING])
def test_an_erasure_killed_at_a_point_is_finished_by_the_next(ready: Ready, point: str) -> None:
    """In the middle every file reads as before or as after, and verifies."""
    assert is_killed(forget(ready.home, ready.url, point)), "it must have died there"
    noticed(ready.workspace.ledger)
    assert "bob.hart" in said(ready)
    erase(ready.workspace, customer_id="c-ann", user="cleo", reason="person_asked", now=NOW)
    _is_finished(ready)
    assert ready.exits() == {"c-ann": "suppressed"}


@pytest.mark.parametrize("point", TAKING)
def test_so_it_is_by_the_next_purge(ready: Ready, point: str) -> None:
    """Nobody need remember that an erasure was cut short: it is on record before the first file is touched."""
    assert is_killed(forget(ready.home, ready.url, point, nth=2 if point in SECOND else 1))
    noticed(ready.workspace.ledger)
    purge(ready.workspace, NOW)
    _is_finished(ready)


@pytest.mark.parametrize("point", ["when nobody may write to them", *TAKING])
def test_whoever_is_killed_leaves_somebody_who_is_not_written_to(ready: Ready, point: str) -> None:
    """From the first commit on."""
    assert is_killed(forget(ready.home, ready.url, point))
    noticed(ready.workspace.ledger)
    dispatch(ready.workspace, NOW)
    assert "c-ann" not in ready.written_to()
    assert ready.written_to() == sorted(set(ready.states()) - {"c-ann"})


@pytest.mark.parametrize("point", TAKING)
def test_a_purge_killed_at_a_point_is_finished_by_the_next(ready: Ready, point: str) -> None:
    """Once, by the audit trail."""
    assert is_killed(forget(ready.home, ready.url, point, purge_at=LATER))
    noticed(ready.workspace.ledger)
    for folder in all_folders(ready.workspace):
        folder.verify()
    purge(ready.workspace, LATER)
    snapshot = all_folders(ready.workspace)[0]
    assert snapshot.read("people").num_rows == 0
    assert [made.done for made in snapshot.rewrites] == [True]
    assert verify_audit(ready.workspace).intact
    assert purge(ready.workspace, LATER).rows == 0
