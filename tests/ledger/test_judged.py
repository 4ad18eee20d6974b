"""What earlier runs were judged by, as the next one is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from tests.ledgers import NOW, PLAYBOOK, RUN_ID, a_send, add_touch, an_id, begin, enrol

from reactivation.contract.digests import digest
from reactivation.ledger import events, judged, runs, sends
from reactivation.ledger.engine import Ledger
from reactivation.ledger.events import Event


def judge(ledger: Ledger, name: str, *, state: str, days_ago: int, dry: bool = False, snapshot: str = "") -> None:
    """A run that was judged so many days ago, over a snapshot of its own unless it is named."""
    at, snapshot_id = NOW - timedelta(days=days_ago), an_id("snapshot", snapshot or name)
    with ledger.begin() as conn:
        if not snapshot:
            runs.record_snapshot(
                conn, snapshot_id=snapshot_id, as_of=at, taken_at=at, manifest_digest=digest(name), state="ready"
            )
        runs.begin_run(
            conn, run_id=an_id(name), playbook=PLAYBOOK, snapshot_id=snapshot_id, as_of=at,
            playbook_digest=digest("playbook"), rules_version="1", dry=dry, segment=None, sample_size=None,
            triggered_by="operator", started_at=at,
        )  # fmt: skip
        runs.record_step(
            conn, an_id(name), "readiness", state=state, manifest_digest=digest(name),
            counts={"rows": {"contacts": days_ago}}, now=at,
        )  # fmt: skip


def told(ledger: Ledger, **asked: Any) -> list[int]:
    """Rows of contacts in the runs found."""
    with ledger.begin() as conn:
        found = judged.earlier(conn, PLAYBOOK, **({"before": NOW, "most": 7, "went_on": True} | asked))
    return [one.counts["rows"]["contacts"] for one in found]


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


class TestEarlier:
    def test_only_real_runs_that_went_on_count(self, ledger: Ledger) -> None:
        """A stopped run's numbers are what stopped it, and a dry run is of any time; the last is first."""
        judge(ledger, "first", state="succeeded", days_ago=4)
        judge(ledger, "second", state="succeeded", days_ago=3)
        judge(ledger, "stopped", state="not_ready", days_ago=2)
        judge(ledger, "dry", state="succeeded", days_ago=1, dry=True)
        assert told(ledger) == [3, 4]
        assert told(ledger, went_on=False) == [2, 3, 4]
        assert told(ledger, before=NOW - timedelta(days=3)) == [4]
        assert told(ledger, most=1) == [3]

    def test_two_runs_over_one_snapshot_count_once(self, ledger: Ledger) -> None:
        """They read the same tables."""
        judge(ledger, "first", state="succeeded", days_ago=4)
        judge(ledger, "again", state="succeeded", days_ago=3, snapshot="first")
        assert told(ledger) == [3]


class TestMail:
    def test_counts_what_a_provider_took_and_what_came_back_of_it(self, ledger: Ledger) -> None:
        """Of our own messages since then: accepted ones, and those that bounced or were complained about, each once."""
        with ledger.begin() as conn:
            begin(conn)
            mail(conn, "C1", "accepted", 1, "bounce", "bounce", "complaint")
            mail(conn, "C2", "accepted", 1)
            mail(conn, "C3", "refused", 1, "bounce")
            mail(conn, "C4", "accepted", 40, "bounce")
            assert judged.mail_since(conn, NOW - timedelta(days=30)) == {"sent": 2, "bounced": 1, "complained": 1}


def mail(conn: Connection, customer: str, state: str, days_ago: int, *came_back: str) -> None:
    """One e-mail of so many days ago, how its call ended, and what came back."""
    at = NOW - timedelta(days=days_ago)
    touch_id = add_touch(conn, enrol(conn, customer), customer)
    send = a_send(touch_id, customer, "w", intended_at=at, lease_until=at + timedelta(minutes=10))
    sends.intend(conn, [send])
    sends.win_calls(conn, [send["send_id"]], worker="w", now=at)
    sends.finish(conn, [sends.Outcome(send["send_id"], state)], now=at)
    told = [Event(f"{customer}-{n}", customer, None, None, touch_id, kind, "email", NOW, "test")
            for n, kind in enumerate(came_back)]  # fmt: skip
    events.record(conn, told, stops=(), now=NOW)
