"""Taking a snapshot: read, judged, vouched for, or nothing at all."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.builders import AS_OF, suppression
from tests.steps.six import NOW, Six

from reactivation.ledger import runs, tables
from reactivation.ledger.engine import Ledger
from reactivation.ledger.runs import StepError
from reactivation.sources import SourceError
from reactivation.steps.readiness import NotReady
from reactivation.steps.snapshot import take_snapshot


@pytest.fixture
def six(tmp_path: Path, ledger: Ledger) -> Six:
    """The six customers, with a ledger that knows no snapshot."""
    return Six(tmp_path / "home", ledger)


def snapshots(six: Six) -> list[Path]:
    """The folders of snapshots, and whatever else lies beside them."""
    place = six.workspace.settings.evidence / "snapshots"
    return list(place.iterdir()) if place.exists() else []


class TestTakeSnapshot:
    def test_the_ledger_vouches_for_what_was_read(self, six: Six) -> None:
        """One ready snapshot: its manifest by digest, its as-of, when it was taken, and an audit row."""
        snapshot_id = take_snapshot(six.workspace, now=NOW, as_of=AS_OF)
        folder = six.workspace.snapshot_folder(snapshot_id)
        folder.verify()
        with six.ledger.begin() as conn:
            known = runs.snapshot_of(conn, snapshot_id)
            audited = conn.execute(select(tables.audit).where(tables.audit.c.subject == snapshot_id)).one()
        assert (known.as_of, known.taken_at, known.state) == (AS_OF, NOW, "ready")
        assert known.manifest_digest == folder.manifest_digest
        assert (audited.action, json.loads(audited.details)["manifest_digest"]) == (
            "snapshot_taken",
            folder.manifest_digest,
        )

    def test_as_of_is_now_when_nobody_says(self, six: Six) -> None:
        """A daily snapshot speaks of the moment it is taken."""
        assert six.workspace.snapshot_folder(take_snapshot(six.workspace, now=NOW)).as_of == NOW

    def test_the_same_source_and_as_of_give_the_same_files(self, six: Six) -> None:
        """Two snapshots, one content, the verdict included."""
        first, second = (take_snapshot(six.workspace, now=NOW, as_of=AS_OF) for _ in range(2))
        assert first != second
        assert six.workspace.snapshot_folder(first).files == six.workspace.snapshot_folder(second).files

    def test_an_as_of_in_the_future_is_refused(self, six: Six) -> None:
        """Nobody can know it: nothing is read and nothing is recorded."""
        with pytest.raises(StepError, match=r"2026-11-17T10:00:01\+00:00 is in the future"):
            take_snapshot(six.workspace, now=NOW, as_of=NOW + timedelta(seconds=1))
        assert snapshots(six) == []

    def test_an_as_of_without_a_zone_is_refused(self, six: Six) -> None:
        """A wall-clock time is no instant."""
        with pytest.raises(StepError, match="has no time zone"):
            take_snapshot(six.workspace, now=NOW, as_of=AS_OF.replace(tzinfo=None))

    def test_a_broken_file_leaves_nothing(self, six: Six) -> None:
        """No folder, no row: the ledger knows only what was whole."""
        six.write(cases="case_id,customer_id\nk-1\n")
        with pytest.raises(SourceError, match=r"cases\.csv line 2"):
            take_snapshot(six.workspace, now=NOW)
        assert snapshots(six) == []
        with six.ledger.begin() as conn:
            assert conn.execute(select(tables.snapshots)).all() == []

    def test_tables_that_are_not_ready(self, six: Six) -> None:
        """The snapshot is kept and known as not ready, its report says why, and no run can begin on it."""
        six.write(suppressions=[suppression("s-1")])  # an opt-out of nobody
        with pytest.raises(NotReady, match=r"suppressions.*readiness\.json"):
            take_snapshot(six.workspace, now=NOW)
        (folder,) = snapshots(six)
        report = six.workspace.snapshot_folder(folder.name).read_json("readiness.json")
        assert (report["ready"], "suppressions" in report["message"]) == (False, True)
        with six.ledger.begin() as conn:
            assert runs.snapshot_of(conn, folder.name).state == "not_ready"
            assert runs.latest_ready_snapshot(conn) is None
