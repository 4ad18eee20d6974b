"""The monitor at work: it pauses with evidence that can be counted again, tells people, and only an owner resumes."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import betainc, betaln
from sqlalchemy import select
from tests.ledgers import a_key, a_send, a_touch, an_enrolment, an_id, begin
from tests.steps.arms import VARIANTS
from tests.steps.six import NOW, PLAYBOOK, Six

from reactivation.approvals.form import HOLD_ALL
from reactivation.ledger import audit, pauses, questions, stops
from reactivation.ledger.bulk import insert_rows
from reactivation.ledger.engine import Ledger
from reactivation.ledger.pauses import Pause
from reactivation.ledger.questions import RequestId
from reactivation.ledger.tables import enrolments, sends, touches
from reactivation.ledger.tables import events as events_table
from reactivation.policy.pausing import Part
from reactivation.steps.answers import bind_request, questions_to_ask, record_answer
from reactivation.steps.monitoring import ALERTED, Report, as_document, monitor, shown
from reactivation.steps.resuming import KIND, RESUME, asked_stop
from reactivation.steps.splitting import batch_of

REQUEST = RequestId("ask_people", "asset__1", "ask", 0)
BEGAN = NOW - timedelta(days=40)
TWO = [{"variant": "control", "share": 0.5}, {**VARIANTS[1], "share": 0.5}]


class Watched:
    """A company whose playbook has a control and ``plain``, and what came of it."""

    def __init__(self, six: Six) -> None:
        self.six, self.ledger, self.people = six, six.ledger, 0
        six.change(f"playbooks/{PLAYBOOK}.yaml", {"variants": TWO})
        with self.ledger.begin() as conn:
            run = begin(conn)
            playbook = six.workspace.playbook(PLAYBOOK).playbook
            self.batch_id = batch_of(conn, run, playbook, BEGAN)

    def wrote(
        self, variant: str, people: int, *, came_back: int = 0, complained: int = 0, segment: str = "household",
        at: datetime = BEGAN + timedelta(hours=1),
    ) -> None:  # fmt: skip
        """So many people of a variant got one message; the first of them came back, the last complained."""
        ids = [f"P{number:05}" for number in range(self.people, self.people + people)]
        self.people += people
        known = {"segment": segment, "variant": variant, "batch_id": self.batch_id, "enrolled_at": at}
        begun = [an_enrolment(one, **known) for one in ids]
        mine = [a_touch(row["enrolment_id"], row["customer_id"], state="accepted") for row in begun]
        went = {"intended_at": at, "called_at": at, "finished_at": at, "state": "accepted"}
        sent = [a_send(row["touch_id"], one, "w", **went) for row, one in zip(mine, ids, strict=True)]
        told = [(one, "order", at + timedelta(days=2)) for one in ids[:came_back]]
        told += [(one, "complaint", at + timedelta(days=1)) for one in ids[people - complained :]]
        with self.ledger.begin() as conn:
            for table, rows in ((enrolments, begun), (touches, mine), (sends, sent)):
                for begin_at in range(0, len(rows), 1000):
                    insert_rows(conn, table, rows[begin_at : begin_at + 1000])
            insert_rows(conn, events_table, [
                {"event_id": an_id(one, kind), "customer_id": one, "address_key": a_key(one), "enrolment_id": None,
                 "touch_id": None, "kind": kind, "channel": "email", "occurred_at": when, "recorded_at": when,
                 "source": "t", "crossed": False, "amount": None, "currency": None, "discount": None, "about": None}
                for one, kind, when in told
            ])  # fmt: skip

    def look(self, now: datetime = NOW, **asked: Any) -> Report:
        return monitor(self.six.workspace, PLAYBOOK, now, **asked)

    def paused(self) -> list[Pause]:
        with self.ledger.begin() as conn:
            return pauses.standing(conn, PLAYBOOK)

    def states(self, report: Report) -> dict[tuple[str | None, str | None], str]:
        found = (one.finding for one in report.watched)
        return {(one.part.variant, one.part.segment): one.state for one in found}


@pytest.fixture
def watched(tmp_path: Path, ledger: Ledger) -> Watched:
    return Watched(Six(tmp_path / "home", ledger))


@pytest.fixture
def worse(watched: Watched) -> Watched:
    """Of three hundred people each, sixty came back of the control and fifteen of ``plain``."""
    watched.wrote("control", 300, came_back=60)
    watched.wrote("plain", 300, came_back=15)
    return watched


class TestPauses:
    def test_what_is_worse_is_paused_with_evidence_that_counts_again(self, worse: Watched) -> None:
        """From the rows of the ledger themselves, by the formula written out."""
        report = worse.look()
        (pause,) = worse.paused()
        assert report.paused == (pause,)
        assert (pause.variant, pause.segment, pause.because) == ("plain", None, "worse")
        assert (pause.as_of, pause.rules_version) == (NOW, worse.six.workspace.rules.version)
        arms = {variant: counted(worse, variant) for variant in ("plain", "control")}
        assert arms == {"plain": (300, 15), "control": (300, 60)}
        told = pause.evidence
        (batch,) = told["batches"]
        assert (batch["batch_id"], batch["share"]) == (worse.batch_id, 0.5)
        assert [tuple(batch[arm].values()) for arm in ("variant", "control")] == [arms["plain"], arms["control"]]
        assert told["log_e"] == pytest.approx(formula(15, 60, 0.5))
        assert told["threshold"] == pytest.approx(math.log(1 / 0.05))
        assert told["log_e"] > told["threshold"]
        with worse.ledger.begin() as conn:
            (stop,) = stops.standing(conn, NOW)
        assert (stop.scope, stop.reason, stop.actor) == (f"variant:{PLAYBOOK}/plain", "monitor:worse", "monitor")

    def test_harm_is_paused_with_its_counts(self, watched: Watched) -> None:
        """What was sent, how many complained, the limit, and whether it was evidence or three times the limit."""
        watched.wrote("control", 1200)
        watched.wrote("plain", 1200, complained=9)
        watched.look()
        (pause,) = watched.paused()
        assert (pause.variant, pause.because) == ("plain", "complaints")
        told = {name: pause.evidence[name] for name in ("events", "sends", "rate", "limit", "stop", "since")}
        assert told == {
            "events": 9, "sends": 1200, "rate": 9 / 1200, "limit": 0.001, "stop": "absolute", "since": {},
        }  # fmt: skip
        bets = [9 * math.log(q) + 1191 * math.log((1 - q * 0.001) / 0.999) for q in (1.5, 2, 3, 5)]
        assert pause.evidence["log_e"] == pytest.approx(math.log(np.mean(np.exp(bets))))

    def test_one_segment_alone(self, watched: Watched) -> None:
        """Where the others do well."""
        watched.wrote("control", 1200)
        watched.wrote("plain", 1200, complained=9, segment="business")
        watched.wrote("plain", 1200)
        report = watched.look()
        assert [(one.variant, one.segment) for one in watched.paused()] == [("plain", "business")]
        states = watched.states(report)
        assert (states["plain", "business"], states["plain", "household"]) == ("paused", "not_better")

    def test_a_playbook_without_variants(self, tmp_path: Path, ledger: Ledger) -> None:
        """Is watched for harm as a whole."""
        watched = Watched(Six(tmp_path / "home", ledger))
        watched.six.change(f"playbooks/{PLAYBOOK}.yaml", {"variants": []})
        watched.wrote("plain", 1200, complained=9)
        watched.look()
        assert [(one.variant, one.because) for one in watched.paused()] == [(None, "complaints")]

    def test_as_good_as_its_control_it_is_never_paused(self, watched: Watched) -> None:
        """Seeded, and looked at every day for four weeks."""
        random = np.random.default_rng(11)
        for number in range(28):
            at = BEGAN + timedelta(days=number, hours=1)
            for variant in ("control", "plain"):
                watched.wrote(variant, 40, came_back=int(random.binomial(40, 0.1)), at=at)
        for number in range(28):
            assert watched.look(BEGAN + timedelta(days=31 + number)).paused == ()

    def test_only_to_look_changes_nothing(self, worse: Watched) -> None:
        """It is said what stands to be paused, and nothing is."""
        report = worse.look(only_look=True)
        assert [one.finding.because for one in report.watched if one.finding.because] == ["worse"]
        assert (worse.paused(), report.paused) == ([], ())

    def test_nothing_is_paused_twice(self, worse: Watched) -> None:
        """Looked at again, it is paused."""
        worse.look()
        assert worse.look(NOW + timedelta(hours=1)).paused == ()
        assert len(worse.paused()) == 1


class TestAlerts:
    def test_a_person_is_told_once(self, watched: Watched) -> None:
        """More than the limit of two thousand messages, and no evidence yet."""
        watched.wrote("control", 2100)
        watched.wrote("plain", 2100, complained=4)
        first, again = watched.look(), watched.look(NOW + timedelta(hours=1))
        mine = next(one for one in first.alerted if one.part == Part("plain"))
        assert (mine.measure, mine.people) == ("complaints", {"ada", "ben"})
        assert mine.message == f"variant:{PLAYBOOK}/plain: 4 complaints of 2100 messages, the limit is 0.10%"
        assert again.alerted == ()
        assert watched.states(again)["plain", None] == "alert"
        with watched.ledger.begin() as conn:
            (row,) = audit.about(conn, f"variant:{PLAYBOOK}/plain", [ALERTED])
        assert (row.details["events"], row.details["sends"]) == (4, 2100)


class TestResuming:
    @pytest.fixture
    def business(self, watched: Watched) -> Watched:
        """The business segment of ``plain`` is paused: it is Ben's, who has no delegate."""
        watched.wrote("control", 1200)
        watched.wrote("plain", 1200, complained=9, segment="business")
        watched.wrote("plain", 1200)
        watched.look()
        return watched

    def test_only_an_owner_of_what_is_paused_resumes_it(self, business: Watched) -> None:
        """A marketing owner of other people does not."""
        answer = asked(business)
        assert answer(by="ada") == f"stop {business.paused()[0].stop_id} stands (not_a_signer)"
        assert len(business.paused()) == 1

    def test_its_owner_does(self, business: Watched) -> None:
        """With the code and a reason; and what he has read does not pause it again."""
        stop_id = business.paused()[0].stop_id
        assert asked(business)(by="ben") == f"stop {stop_id} has ended"
        assert business.paused() == []
        later = NOW + timedelta(hours=2)
        assert business.look(later).paused == ()
        business.wrote("plain", 1200, complained=9, segment="business", at=later)
        report = business.look(later + timedelta(days=2))
        assert [(one.variant, one.segment) for one in report.paused] == [("plain", "business")]
        assert report.paused[0].evidence["events"] == 9
        assert set(report.paused[0].evidence["since"]) == {"plain/business"}

    @pytest.mark.parametrize("changes", [
        {"option": HOLD_ALL}, {"signing_code": "00000000"}, {"reason": ""}, {"by": "operator"},
    ])  # fmt: skip
    def test_nothing_else_does(self, business: Watched, changes: dict[str, str]) -> None:
        """Silence least of all."""
        asked(business)(**({"by": "ben"} | changes))
        assert len(business.paused()) == 1

    def test_a_whole_variant_is_every_owners(self, worse: Watched) -> None:
        """Of whichever segment."""
        worse.look()
        (question_id,) = questions_to_ask(worse.six.workspace, NOW)
        shown_to = bind_request(worse.six.workspace, REQUEST, question_id, NOW).signers
        assert [one.user_id for one in shown_to] == ["ada", "ben"]

    @pytest.mark.parametrize("text", [None, "playbook: ["])
    def test_a_playbook_that_nobody_can_read_has_no_owner(self, business: Watched, text: str | None) -> None:
        """Gone or broken: nobody is asked, and nothing of it can be sent."""
        file = business.six.home / "playbooks" / f"{PLAYBOOK}.yaml"
        file.unlink() if text is None else file.write_text(text)
        assert questions_to_ask(business.six.workspace, NOW) == []
        assert len(business.paused()) == 1


class TestShown:
    def test_every_part_has_its_row(self, worse: Watched) -> None:
        """The playbook, its variants, and each segment of them, with state and evidence."""
        report = worse.look()
        rows = {(row[0], row[1]): row for row in shown(report)}
        assert len(rows) == 1 + 2 * (1 + 3)
        stop_id = worse.paused()[0].stop_id
        assert rows["plain", "all"][4:6] == ("300 : 300", "15 : 60")
        assert rows["plain", "all"][-2:] == ("paused", f"worse, {stop_id}")
        assert rows["control", "all"][-2:] == ("watched", "")

    def test_the_document_has_the_evidence(self, worse: Watched) -> None:
        """As the ledger keeps it."""
        found = {(one["variant"], one["segment"]): one for one in as_document(worse.look())}
        assert found["plain", None]["pause"]["evidence"] == worse.paused()[0].evidence
        assert found["plain", None]["comparison"]["batches"] == worse.paused()[0].evidence["batches"]


def asked(watched: Watched) -> Callable[..., str]:
    """A request shows the question about the one pause there is; what an answer to it comes to."""
    workspace, stop_id = watched.six.workspace, watched.paused()[0].stop_id
    (question_id,) = questions_to_ask(workspace, NOW)
    bind_request(workspace, REQUEST, question_id, NOW)
    with watched.ledger.begin() as conn:
        question = questions.question_about(conn, KIND, stop_id)
        assert question is not None
        code = asked_stop(workspace, conn, question, NOW).signing_code

    def answer(*, by: str, option: str = RESUME, signing_code: str = code, reason: str = "cause_removed") -> str:
        event = {
            "chosen_options": [option], "params_input": {"signing_code": signing_code, "reason": reason},
            "responded_at": NOW, "responded_by_user": {"id": by, "name": by}, "timedout": False,
        }  # fmt: skip
        return record_answer(workspace, REQUEST, event, NOW + timedelta(hours=1))

    return answer


def counted(watched: Watched, variant: str) -> tuple[int, int]:
    """Enrolments of the variant that were written to, and those whose customer bought in the thirty days after."""
    with watched.ledger.begin() as conn:
        written = conn.execute(
            select(enrolments.c.customer_id, sends.c.finished_at)
            .join(touches, touches.c.enrolment_id == enrolments.c.enrolment_id)
            .join(sends, sends.c.touch_id == touches.c.touch_id)
            .where(enrolments.c.variant == variant)
        ).all()
        orders = dict(conn.execute(
            select(events_table.c.customer_id, events_table.c.occurred_at).where(events_table.c.kind == "order")
        ).all())  # fmt: skip
    back = [one for one in written if one[0] in orders and one[1] < orders[one[0]] <= one[1] + timedelta(days=30)]
    return len(written), len(back)


def formula(t: int, c: int, s: float) -> float:
    """METHODS.md section 3."""
    before = betaln(10, 10) + math.log(betainc(10, 10, s))
    return float(
        betaln(10 + t, 10 + c) + math.log(betainc(10 + t, 10 + c, s)) - before - t * math.log(s) - c * math.log(1 - s)
    )
