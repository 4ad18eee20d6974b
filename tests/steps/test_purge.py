"""What is past its time goes, what is not stays, and the audit trail says what went."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import select
from tests.builders import case
from tests.sending import NOW, Ready
from tests.steps.six import Six

from reactivation.evidence import EvidenceError
from reactivation.ledger import holds, seals
from reactivation.ledger.engine import Ledger
from reactivation.ledger.runs import StepError
from reactivation.ledger.tables import audit
from reactivation.steps import purge as purging
from reactivation.steps.audit import verify_audit
from reactivation.steps.dispatch import dispatch
from reactivation.steps.explain import explain_customer
from reactivation.steps.folders import all_folders
from reactivation.steps.hold import begin_hold
from reactivation.steps.purge import Purged, purge

PLAYBOOK = "customer_reactivation"
SECOND = timedelta(seconds=1)


def ids(ready: Ready) -> tuple[str, str]:
    """The one snapshot and the one run."""
    snapshot, run = all_folders(ready.workspace)
    return snapshot.id, run.id


def as_of(ready: Ready) -> datetime:
    """Of the snapshot, and so of the run."""
    return all_folders(ready.workspace)[0].as_of


def read(ready: Ready, name: str) -> pa.Table:
    """A file of the snapshot or of the run."""
    snapshot_id, run_id = ids(ready)
    folder = ready.workspace.snapshot_folder(snapshot_id)
    return (folder if folder.has(name) else ready.workspace.run_folder(run_id)).read(name)


def trail(ready: Ready, *actions: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Subject, action and details of those rows of the audit trail."""
    query = select(audit.c.subject, audit.c.action, audit.c.details).where(audit.c.action.in_(actions))
    with ready.workspace.ledger.begin() as conn:
        return [(row.subject, row.action, json.loads(row.details)) for row in conn.execute(query.order_by(audit.c.seq))]


def on_hold(ready: Ready, customer_id: str | None) -> None:
    with ready.workspace.ledger.begin() as conn:
        assert holds.begin(conn, customer_id=customer_id, actor="cleo", now=NOW)


def customers(table: pa.Table) -> set[str]:
    return {one for one in table["customer_id"].to_pylist() if one}


def years(number: int, at: datetime) -> datetime:
    return at.replace(year=at.year + number)


class TestPeople:
    def test_names_and_addresses_go_after_thirty_days_and_not_before(self, ready: Ready) -> None:
        """Originals of rows set aside with them; the file verifies, and everything else of the snapshot is there."""
        end = as_of(ready) + timedelta(days=30)
        before = len(read(ready, "people"))
        assert purge(ready.workspace, end - SECOND).rows == 0
        assert len(read(ready, "people")) == before > 0
        done = purge(ready.workspace, end)
        assert [(one.file, one.reason, one.rows) for one in done.taken_out if one.file == "people"] == [
            ("people", "retention", before)
        ]
        assert len(read(ready, "people")) == 0
        ready.workspace.snapshot_folder(ids(ready)[0]).verify()
        assert "c-ann" in customers(read(ready, "contacts"))

    def test_those_of_a_customer_on_hold_stay(self, ready: Ready) -> None:
        """And nobody else's; when the hold has ended they go, too."""
        on_hold(ready, "c-ann")
        purge(ready.workspace, as_of(ready) + timedelta(days=30))
        assert customers(read(ready, "people")) == {"c-ann"}
        with ready.workspace.ledger.begin() as conn:
            assert holds.end(conn, customer_id="c-ann", actor="cleo", now=NOW)
        purge(ready.workspace, as_of(ready) + timedelta(days=31))
        assert len(read(ready, "people")) == 0

    def test_a_row_set_aside_of_nobody_knows_whom_stays_while_anybody_is_on_hold(
        self, tmp_path: Path, ledger: Ledger
    ) -> None:
        """It may be theirs; one that is somebody else's goes."""
        six = Six(tmp_path / "home", ledger)
        broken = {"opened_at": None}
        six.write(cases=[case("k-1", **broken), case("k-2", customer_id="c-ben", **broken)])
        six.snapshot()
        begin_hold(six.workspace, "c-ada", user="lea", now=NOW)
        (folder,) = all_folders(six.workspace)
        assert {"k-1", "k-2"} <= set(folder.read("people")["key"].to_pylist())
        purge(six.workspace, folder.as_of + timedelta(days=30))
        assert sorted(folder.read("people")["key"].to_pylist()) == ["c-ada", "k-1"]


class TestDrafts:
    def test_those_never_sent_go_thirty_days_after_their_window(self, ready: Ready) -> None:
        """Nobody can send them any more."""
        last = max(row["not_after"] for row in read(ready, "drafts").to_pylist())
        assert len(read(ready, "drafts")) > 0
        purge(ready.workspace, last + timedelta(days=30) - SECOND)
        assert last in {row["not_after"] for row in read(ready, "drafts").to_pylist()}
        purge(ready.workspace, last + timedelta(days=30))
        assert len(read(ready, "drafts")) == 0

    def test_those_that_went_out_are_proof_for_five_years(self, ready: Ready) -> None:
        """Counted from the last send to their person; what was not sent beside them goes at its own time."""
        dispatch(ready.workspace, NOW)
        sent = {row.draft_digest for row in ready.rows("sends")}
        ends = [row.finished_at for row in ready.rows("sends")]
        assert len(sent) == len(ready.files()) > 0
        purge(ready.workspace, years(5, min(ends)) - SECOND)
        assert set(read(ready, "drafts")["digest"].to_pylist()) == sent
        purge(ready.workspace, years(5, max(ends)))
        assert len(read(ready, "drafts")) == 0


class TestRecords:
    def test_what_is_said_of_those_not_enrolled_goes_after_two_years(self, ready: Ready) -> None:
        """In every file by customer, and by address key; the enrolled stay."""
        enrolled = set(ready.states())
        assert customers(read(ready, "decisions")) > enrolled
        purge(ready.workspace, years(2, as_of(ready)) - SECOND)
        assert customers(read(ready, "decisions")) > enrolled
        purge(ready.workspace, years(2, as_of(ready)))
        for name in ("decisions", "contacts", "consents", "plan", "purchase_summary"):
            assert customers(read(ready, name)) == enrolled, name
        assert customers(read(ready, "suppressions")) == set()

    def test_what_is_said_of_the_enrolled_goes_five_years_after_the_last_send(self, ready: Ready) -> None:
        """The proof of a send outlasts what was blocked."""
        dispatch(ready.workspace, NOW)
        ends = [row.finished_at for row in ready.rows("sends")]
        purge(ready.workspace, years(5, min(ends)) - SECOND)
        assert customers(read(ready, "decisions")) == set(ready.states())
        purge(ready.workspace, years(5, max(ends)))
        assert len(read(ready, "decisions")) == 0
        assert len(read(ready, "contacts")) == 0

    def test_what_is_said_of_a_customer_on_hold_stays(self, ready: Ready) -> None:
        """Though nobody enrolled her."""
        on_hold(ready, "c-dov")
        purge(ready.workspace, years(2, as_of(ready)))
        assert "c-dov" in customers(read(ready, "decisions"))
        assert "c-dov" in customers(read(ready, "contacts"))

    def test_the_ledger_keeps_every_row(self, ready: Ready) -> None:
        """They are ids, codes and HMACs: suppressions stand for ever, and the chain of seals is whole."""
        dispatch(ready.workspace, NOW)
        before = {name: len(ready.rows(name)) for name in ("suppressions", "sends", "touches", "measurement_events")}
        purge(ready.workspace, years(20, as_of(ready)))
        assert {name: len(ready.rows(name)) for name in before} == before


class TestAudit:
    def test_old_digest_new_digest_reason_and_counts_are_on_record_and_sealed(self, ready: Ready) -> None:
        """One row per file, and one for the whole."""
        snapshot_id, _ = ids(ready)
        folder = ready.workspace.snapshot_folder(snapshot_id)
        purge(ready.workspace, as_of(ready) + timedelta(days=30))
        (made,) = folder.rewrites
        (row,) = [row for row in trail(ready, "evidence_rewritten") if row[0] == snapshot_id]
        assert row[2] == {
            "kind": "snapshot", "file": "people.parquet", "old": folder.files["people.parquet"], "new": made.new,
            "reason": "retention", "rows_removed": made.rows_removed, "rows_left": 0,
        }  # fmt: skip
        ((_, _, whole),) = trail(ready, "purged")
        assert whole["folders"] == [snapshot_id]
        assert whole["rows"] == made.rows_removed
        with ready.workspace.ledger.begin() as conn:
            report = seals.verify(conn)
        assert (report.intact, report.unsealed_rows) == (True, 0)

    def test_again_it_takes_nothing_and_says_so(self, ready: Ready) -> None:
        """The files stay to the byte, and the trail has one more row, of nothing."""
        purge(ready.workspace, years(2, as_of(ready)))
        again = purge(ready.workspace, years(2, as_of(ready)))
        assert again == Purged(dry=False, stopped=False, on_hold=0, taken_out=(), problems=())
        rows = [details["rows"] for _, _, details in trail(ready, "purged")]
        assert len(rows) == 2
        assert rows[0] > rows[1] == 0

    def test_a_dry_run_counts_the_same_and_changes_nothing(self, ready: Ready) -> None:
        """Neither a file nor the audit trail."""
        told = purge(ready.workspace, years(2, as_of(ready)), dry=True)
        assert trail(ready, "purged", "evidence_rewritten") == []
        assert ready.workspace.snapshot_folder(ids(ready)[0]).rewrites == []
        assert purge(ready.workspace, years(2, as_of(ready))).taken_out == told.taken_out

    def test_a_hold_on_everything_stops_it_and_that_is_on_record(self, ready: Ready) -> None:
        """Nothing goes, whatever its time."""
        on_hold(ready, None)
        assert purge(ready.workspace, years(20, as_of(ready))) == Purged(False, True, 0, (), ())
        assert len(read(ready, "people")) > 0
        assert len(trail(ready, "purge_stopped")) == 1

    def test_a_hold_that_begins_meanwhile_stops_it_before_the_next_file(
        self, ready: Ready, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing is taken out on the word of a moment ago."""
        real = purging.behind

        def meanwhile(*args: Any, **named: Any) -> Any:
            on_hold(ready, "c-ann")
            return real(*args, **named)

        monkeypatch.setattr(purging, "behind", meanwhile)
        with pytest.raises(StepError, match="a legal hold began or ended meanwhile"):
            purge(ready.workspace, years(2, as_of(ready)))
        assert "c-ann" in customers(read(ready, "people"))
        assert trail(ready, "evidence_rewritten") == []

    def test_a_damaged_file_is_named_and_does_not_keep_the_others(self, ready: Ready) -> None:
        """What is not what it should be is not rewritten: that would make the damage evidence."""
        snapshot_id, run_id = ids(ready)
        file = Path(ready.workspace.snapshot_folder(snapshot_id).path.path) / "people.parquet"
        file.write_bytes(b"nothing")
        done = purge(ready.workspace, years(2, as_of(ready)))
        assert len(done.problems) == 1
        assert str(file) in done.problems[0]
        assert {run_id, snapshot_id} == {one.folder for one in done.taken_out}
        assert "people" not in {one.file for one in done.taken_out}
        with pytest.raises(EvidenceError, match="not everything could be purged"):
            done.require_whole()

    def test_names_go_although_another_file_of_the_folder_is_damaged(self, ready: Ready) -> None:
        """Where everybody goes it matters to nobody who is who."""
        snapshot_id, _ = ids(ready)
        (Path(ready.workspace.snapshot_folder(snapshot_id).path.path) / "contacts.parquet").write_bytes(b"nothing")
        purge(ready.workspace, as_of(ready) + timedelta(days=30))
        assert len(read(ready, "people")) == 0

    def test_a_rewritten_file_nobody_recorded_is_found_by_audit_verify(self, ready: Ready) -> None:
        """Who writes his own note beside a file he changed has not written the audit trail."""
        purge(ready.workspace, as_of(ready) + timedelta(days=30))
        assert verify_audit(ready.workspace).intact
        snapshot_id, _ = ids(ready)
        note = Path(ready.workspace.snapshot_folder(snapshot_id).path.path) / "rewrites.json"
        note.write_text(note.read_text().replace('"reason":"retention"', '"reason":"erasure"'))
        report = verify_audit(ready.workspace)
        assert report.problems == (f"people.parquet of {snapshot_id} was rewritten without a row in the audit trail",)


def test_explain_says_that_a_decision_is_past_its_time(ready: Ready) -> None:
    """Not that there is no such customer."""
    assert "c-dov" in customers(read(ready, "decisions"))
    purge(ready.workspace, years(2, as_of(ready)))
    told = explain_customer(ready.workspace, "c-dov", PLAYBOOK)
    assert f"what run {ids(ready)[1]} decided about c-dov is no longer kept" in told
