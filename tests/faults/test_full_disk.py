"""A disk is really full in the middle of a batch. That of the outbox: no file is half a message, what could not be
written is given back, and goes out once there is room. That of the ledger: an error, and when there is room everybody
has his message once."""

from __future__ import annotations

import email
import email.policy
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from tests.faults.agreeing import each_exactly_once
from tests.faults.killing import meanwhile
from tests.sending import NOW, Ready

from reactivation.delivery import DeliveryError, outbox
from reactivation.ledger.engine import LedgerError
from reactivation.steps.dispatch import dispatch

MakeRoom = Callable[[], None]
#: Room for some of the messages, and less than a message needs.
_ROOM, _PART = 36 << 10, 1 << 10


@pytest.fixture
def small_disk(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeRoom]:
    """The outbox on a file system of its own that is soon full; where none may be mounted, this process can write
    parts of messages only, after the first few. Called, it makes room."""
    folder = ready.workspace.settings.outbox
    folder.mkdir(parents=True, exist_ok=True)
    if _mount(folder, "-t", "tmpfs", "-o", f"size={_ROOM}"):
        yield lambda: _enlarge(folder)
        subprocess.run(["umount", str(folder)], check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    full = (_PART, before[1])
    point = (outbox.Outbox, "_send", "before")
    meanwhile(point, 4, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, full), monkeypatch.setattr)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _mount(folder: Path, *how: str) -> bool:
    if shutil.which("mount") is None:
        return False
    return subprocess.run(["mount", *how, "outbox", str(folder)], check=False, capture_output=True).returncode == 0


def _enlarge(folder: Path) -> None:
    assert _mount(folder, "-o", "remount,size=1m")


def _whole(ready: Ready) -> bool:
    """Whether there are whole messages in the outbox, and nothing else."""
    folder = ready.workspace.settings.outbox
    read = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in folder.iterdir()]
    return len(read) == len(ready.files()) and not any(part.defects for one in read for part in one.walk())


@pytest.mark.parametrize("ready", ["postgresql"], indirect=True)
def test_what_does_not_fit_goes_out_when_there_is_room(ready: Ready, small_disk: MakeRoom) -> None:
    """An error that says what to do; some have their message, the others are as if nobody had begun."""
    with pytest.raises(DeliveryError, match=r"outbox .* cannot be written .*; make room"):
        dispatch(ready.workspace, NOW)
    assert _whole(ready)
    written = ready.written_to()
    assert len(written) < len(ready.states())
    assert ready.states() == {who: ("accepted" if who in written else "signed", None) for who in ready.states()}
    assert {f"{row.send_id}.eml" for row in ready.rows("sends")} == set(ready.files())
    small_disk()
    assert dispatch(ready.workspace, NOW + timedelta(minutes=1)).accepted == len(ready.states()) - len(written)
    assert _whole(ready)
    assert ready.written_to() == sorted(ready.states())
    assert set(ready.states().values()) == {("accepted", None)}


@pytest.mark.parametrize("ready", ["sqlite"], indirect=True)
def test_a_ledger_without_room(ready: Ready) -> None:
    """The error names the fix; whatever was recorded by then, nothing is lost and nothing goes out twice."""
    engine = ready.workspace.ledger.engine

    def no_more_pages(conn: Connection) -> None:
        conn.exec_driver_sql("PRAGMA max_page_count = 1")  # no more than it has

    event.listen(engine, "begin", no_more_pages)
    with pytest.raises(LedgerError, match="Make room on its disk"):
        dispatch(ready.workspace, NOW)
    event.remove(engine, "begin", no_more_pages)
    engine.dispose()
    dispatch(ready.workspace, NOW + timedelta(minutes=1))
    each_exactly_once(ready)
