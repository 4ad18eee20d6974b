"""How the last runs were judged."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update
from tests.ledgers import NOW, PLAYBOOK, RUN_ID, SNAPSHOT_ID, an_id, begin

from reactivation.contract.digests import digest
from reactivation.ledger import judged, questions, runs
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import questions as asked


def test_the_last_verdicts_of_a_playbook(ledger: Ledger) -> None:
    """Dry runs too, the newest first, no more than asked for, and none of a run that was not judged."""
    later = an_id("later")
    with ledger.begin() as conn:
        begin(conn)
        begin(conn, run_id=an_id("unjudged"))
        begin(conn, run_id=later, dry=True)
        for run_id, state in ((RUN_ID, "not_ready"), (later, "succeeded")):
            runs.record_step(
                conn, run_id, "readiness", state=state, manifest_digest=digest(run_id), counts={"remarks": 1}, now=NOW
            )
        found = judged.latest(conn, PLAYBOOK, 5)
        assert {(one.run_id, one.state, one.counts["remarks"]) for one in found} == {
            (RUN_ID, "not_ready", 1), (later, "succeeded", 1),
        }  # fmt: skip
        assert len(judged.latest(conn, PLAYBOOK, 1)) == 1
        assert judged.latest(conn, "another", 5) == []


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


def test_the_questions_of_a_kind_that_can_still_be_answered(ledger: Ledger) -> None:
    """The one that expires first at the top; no other kind, none that is closed or too late."""
    ends = {"q-late": 2, "q-soon": 1, "q-over": 0, "q-closed": 3}
    with ledger.begin() as conn:
        for question_id, hours in ends.items():
            questions.insert_question(
                conn, question_id=question_id, kind="waive", subject="run-1", opened_at=NOW - timedelta(days=1),
                expires_at=NOW + timedelta(hours=hours),
            )  # fmt: skip
        conn.execute(update(asked).where(asked.c.question_id == "q-closed").values(state="held", closed_at=NOW))
        found = questions.waiting_of_kind(conn, "waive", NOW)
        assert [one.question_id for one in found] == ["q-soon", "q-late"]
        assert questions.waiting_of_kind(conn, "another", NOW) == []
