"""Snapshots, runs and steps: a step begins only on what the step before left."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.ledgers import NOW, PLAYBOOK, RUN_ID, SNAPSHOT_ID, an_id, begin

from reactivation.contract.digests import digest
from reactivation.ledger import runs
from reactivation.ledger.engine import Ledger
from reactivation.ledger.runs import StepError

DIGEST = digest("the files after decide")


def _record(ledger: Ledger, state: str = "succeeded", step: str = "decide", manifest_digest: str = DIGEST) -> None:
    with ledger.begin() as conn:
        runs.record_step(
            conn, RUN_ID, step, state=state, manifest_digest=manifest_digest, counts={"candidates": 4}, now=NOW
        )


def _require(ledger: Ledger, manifest_digest: str = DIGEST, run_id: str = RUN_ID) -> runs.Step:
    with ledger.begin() as conn:
        return runs.require_step(conn, run_id, "decide", manifest_digest)


@pytest.fixture
def begun(ledger: Ledger) -> Ledger:
    """A ledger with one run."""
    with ledger.begin() as conn:
        begin(conn)
    return ledger


def test_a_run_is_found_again(begun: Ledger) -> None:
    """What was recorded of a run is what is read."""
    with begun.begin() as conn:
        run = runs.run_of(conn, RUN_ID)
        assert (run.playbook, run.snapshot_id, run.dry, run.triggered_by) == (PLAYBOOK, SNAPSHOT_ID, False, "operator")
        assert runs.latest_run(conn, PLAYBOOK) == run
        assert runs.latest_run(conn, PLAYBOOK, step="decide") is None
        assert runs.latest_run(conn, "another_playbook") is None


def test_the_newest_ready_snapshot_counts(begun: Ledger) -> None:
    """A later snapshot that is not ready does not replace a ready one."""
    with begun.begin() as conn:
        runs.record_snapshot(
            conn, snapshot_id=an_id("later"), as_of=NOW, taken_at=NOW, manifest_digest=DIGEST, state="not_ready"
        )
        found = runs.latest_ready_snapshot(conn)
    assert found is not None
    assert found.snapshot_id == SNAPSHOT_ID


def test_no_run_begins_on_a_snapshot_that_is_not_ready(ledger: Ledger) -> None:
    """Neither on one that is not ready nor on one nobody knows."""
    with ledger.begin() as conn:
        with pytest.raises(StepError, match="knows no snapshot"):
            runs.snapshot_of(conn, SNAPSHOT_ID)
        runs.record_snapshot(
            conn, snapshot_id=SNAPSHOT_ID, as_of=NOW, taken_at=NOW, manifest_digest=DIGEST, state="not_ready"
        )
        assert runs.latest_ready_snapshot(conn) is None
        with pytest.raises(StepError, match="is not ready"):
            begin_on_it = {"run_id": RUN_ID, "playbook": PLAYBOOK, "snapshot_id": SNAPSHOT_ID, "as_of": NOW}
            runs.begin_run(
                conn, **begin_on_it, playbook_digest=DIGEST, rules_version="r", dry=False, segment=None,
                sample_size=None, triggered_by="schedule", started_at=NOW,
            )  # fmt: skip


def test_a_step_that_succeeded_on_these_files_is_accepted(begun: Ledger) -> None:
    """The proof names its counts."""
    _record(begun)
    assert _require(begun).counts == {"candidates": 4}


def test_a_step_that_did_not_run_is_refused(begun: Ledger) -> None:
    """Whatever a task's state says."""
    with pytest.raises(StepError, match=f"run {RUN_ID}: step decide has not ended"):
        _require(begun)


def test_an_invented_run_is_refused(begun: Ledger) -> None:
    """A run id from a message or a form proves nothing."""
    with begun.begin() as conn, pytest.raises(StepError, match="knows no run"):
        runs.run_of(conn, an_id("invented"))
    with pytest.raises(StepError, match="has not ended"):
        _require(begun, run_id=an_id("invented"))


@pytest.mark.parametrize("state", ["not_ready", "failed"])
def test_a_step_that_did_not_succeed_is_refused(begun: Ledger, state: str) -> None:
    """And may be tried again."""
    _record(begun, state)
    with pytest.raises(StepError, match=f"step decide ended as {state}"):
        _require(begun)
    _record(begun)
    assert _require(begun).state == "succeeded"


def test_files_changed_since_are_refused(begun: Ledger) -> None:
    """The manifest must be the one the step recorded."""
    _record(begun)
    with pytest.raises(StepError, match="its files are not those that step decide left"):
        _require(begun, digest("another manifest"))


def test_a_step_succeeds_once(begun: Ledger) -> None:
    """A retried task must not do it twice."""
    _record(begun)
    with pytest.raises(StepError, match="has already succeeded"):
        _record(begun)
    with pytest.raises(StepError, match="has already succeeded"):
        _record(begun, "failed")


def test_the_latest_run_of_those_that_came_so_far(begun: Ledger) -> None:
    """A newer run that stopped early is not taken for one with decisions."""
    _record(begun)
    with begun.begin() as conn:
        run = runs.run_of(conn, RUN_ID)
        runs.begin_run(conn, **{**vars(run), "run_id": an_id("newer"), "started_at": NOW + timedelta(hours=1)})
        newest, decided = runs.latest_run(conn, PLAYBOOK), runs.latest_run(conn, PLAYBOOK, step="decide")
    assert newest is not None
    assert newest.run_id == an_id("newer")
    assert decided == run


def test_the_steps_of_a_run_in_the_order_they_ended(ledger: Ledger) -> None:
    """Each with the digest of the files it left."""
    with ledger.begin() as conn:
        begin(conn)
        for minutes, step in enumerate(("begin", "decide", "readiness")):
            now = NOW + timedelta(minutes=minutes)
            runs.record_step(conn, RUN_ID, step, state="succeeded", manifest_digest=digest(step), counts={}, now=now)
        assert [(s.step, s.manifest_digest) for s in runs.steps_of(conn, RUN_ID)] == [
            (step, digest(step)) for step in ("begin", "decide", "readiness")
        ]


def test_the_last_snapshots_ready_or_not(ledger: Ledger) -> None:
    """The newest first."""
    with ledger.begin() as conn:
        begin(conn)
        runs.record_snapshot(
            conn, snapshot_id="snap-2", as_of=NOW, taken_at=NOW, manifest_digest=digest("second"), state="not_ready"
        )
        assert [one.snapshot_id for one in runs.latest_snapshots(conn, 5)] == ["snap-2", SNAPSHOT_ID]
        assert [one.snapshot_id for one in runs.latest_snapshots(conn, 1)] == ["snap-2"]
