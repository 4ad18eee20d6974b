"""``make demo`` from an empty home, and the sums done again from its files alone, with none of the product's code."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tools.home import REPOSITORY

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Demo:
    """What a demo printed and left behind."""

    printed: str
    home: Path
    ledger: sqlite3.Connection

    def column(self, sql: str, *values: object) -> list[Any]:
        """The first column of a query over the ledger."""
        return [row[0] for row in self.ledger.execute(sql, values)]

    def printed_number(self, stage: str) -> int:
        """A number of the printed funnel."""
        found = re.search(rf"│ {re.escape(stage)}\s+│\s+(\d+)", self.printed)
        assert found, f"no {stage} in:\n{self.printed}"
        return int(found[1])

    @property
    def decisions(self) -> list[dict[str, Any]]:
        """The decisions of the one run."""
        (file,) = self.home.glob("evidence/runs/*/decisions.parquet")
        rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
        return rows

    @property
    def drafts(self) -> dict[str, dict[str, Any]]:
        """The drafts of the one run, by touch."""
        (file,) = self.home.glob("evidence/runs/*/drafts.parquet")
        return {row["touch_id"]: row for row in pq.read_table(file).to_pylist()}

    @property
    def outbox(self) -> dict[str, EmailMessage]:
        """The messages by the name of their file."""
        files = (self.home / "outbox").glob("*.eml")
        return {file.stem: message_from_bytes(file.read_bytes(), policy=policy.default) for file in files}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo, in a home and on a port of its own."""
    home = tmp_path_factory.mktemp("demo")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ended = subprocess.run(
        [sys.executable, "-m", "tools.demo"], cwd=REPOSITORY, capture_output=True, text=True, timeout=800, check=False,
        env={**os.environ, "REACTIVATION_HOME": str(home), "PORT": str(port)},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    ledger = sqlite3.connect(home / "demo" / "ledger" / "ledger.db")
    yield Demo(ended.stdout, home / "demo", ledger)
    ledger.close()


class TestFunnel:
    def test_decisions_are_what_the_file_says(self, demo: Demo) -> None:
        """Candidates fall into four decisions, and every number printed is the file's."""
        decided = Counter(row["decision"] for row in demo.decisions)
        assert demo.printed_number("candidates") == decided.total() == len({r["customer_id"] for r in demo.decisions})
        assert demo.printed_number("suppressed") == decided["suppress"]
        assert demo.printed_number("on hold") == decided["hold"]
        assert demo.printed_number("may be contacted") == decided["enrol"]
        assert demo.printed_number("may be contacted after review") == decided["review"]

    def test_who_may_be_contacted_is_enrolled_held_out_or_not_begun(self, demo: Demo) -> None:
        """Nobody disappears between the decision and the enrolment."""
        enrolled = set(demo.column("SELECT customer_id FROM enrolments"))
        allowed = {r["customer_id"]: r["holdout"] for r in demo.decisions if r["decision"] in ("enrol", "review")}
        held_out = {customer for customer, holdout in allowed.items() if holdout}
        not_begun = demo.printed_number("not begun (capacity, sample or segment)")
        assert enrolled <= set(allowed) - held_out
        assert demo.printed_number("enrolled") == len(enrolled)
        assert len(enrolled) + len(held_out) + not_begun == len(allowed)

    def test_every_decision_left_a_measurement_event(self, demo: Demo) -> None:
        """Suppressions too: one event each."""
        told = Counter(demo.column("SELECT subject FROM measurement_events WHERE kind = 'decision'"))
        assert told == Counter(row["customer_id"] for row in demo.decisions)

    def test_touches_are_all_accounted_for(self, demo: Demo) -> None:
        """The printed states are the ledger's and add up to its touches."""
        states = Counter(demo.column("SELECT state FROM touches"))
        assert {state: demo.printed_number(f"touches {state}") for state in states} == states
        assert {"held", "rejected", "accepted"} <= set(states)


class TestSends:
    def test_outbox_holds_exactly_the_accepted_sends(self, demo: Demo) -> None:
        """One file for each, none besides."""
        accepted = demo.column("SELECT send_id FROM sends WHERE state = 'accepted'")
        assert set(demo.outbox) == set(accepted)
        assert len(accepted) == demo.printed_number("touches accepted") > 0

    def test_only_what_was_signed_by_a_signer_went_out(self, demo: Demo) -> None:
        """Each has a signed verdict of an accepted answer of somebody who may sign it and did not write it."""
        unsigned = demo.column(
            """
            SELECT s.touch_id FROM sends s WHERE NOT EXISTS (
              SELECT 1 FROM item_verdicts v
              JOIN answers a ON a.answer_id = v.answer_id AND a.accepted
              JOIN lists l ON l.list_id = v.list_id AND l.kind = 'content'
              JOIN list_items i ON i.list_id = v.list_id AND i.touch_id = v.touch_id AND i.draft_digest = s.draft_digest
              JOIN list_signers g ON g.list_id = v.list_id AND g.user_id = a.responder
              WHERE v.touch_id = s.touch_id AND v.verdict = 'signed'
                AND NOT EXISTS (SELECT 1 FROM json_each(l.authors) w WHERE w.value = a.responder))
            """
        )
        assert unsigned == []

    def test_held_and_rejected_got_nothing(self, demo: Demo) -> None:
        """Neither by verdict nor by address."""
        got = {message["To"] for message in demo.outbox.values()}
        sent = set(demo.column("SELECT touch_id FROM sends"))
        refused = set(demo.column("SELECT touch_id FROM item_verdicts WHERE verdict <> 'signed'"))
        accepted = set(demo.column("SELECT touch_id FROM touches WHERE state = 'accepted'"))
        to_accepted = {demo.drafts[touch]["recipient"] for touch in accepted}
        assert not sent & refused
        assert got == to_accepted

    def test_bytes_are_the_drafted_ones(self, demo: Demo) -> None:
        """Recipient, subject and text of each message are those of its draft."""
        by_send = dict(demo.ledger.execute("SELECT send_id, touch_id FROM sends"))
        for send_id, message in demo.outbox.items():
            draft = demo.drafts[by_send[send_id]]
            plain = message.get_body(("plain",))
            assert plain is not None
            assert (message["To"], message["Subject"]) == (draft["recipient"], draft["subject"])
            assert plain.get_content().split() == draft["text"].split()

    def test_one_signed_one_signed_some_one_rejected(self, demo: Demo) -> None:
        """What the three people of the demo are there to show."""
        verdicts = set(
            demo.ledger.execute(
                "SELECT a.responder, v.verdict FROM item_verdicts v JOIN answers a ON a.answer_id = v.answer_id"
            )
        )
        assert verdicts == {("ada", "signed"), ("ben", "signed"), ("ben", "held"), ("olu", "rejected")}
