"""The ramp and the circuit of the sending domain, where touches are sent (RULES.md, Timing)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select
from tests.ledgers import an_id
from tests.sending import NOW, Ready, settings

from reactivation.ledger import audit, enrolments, events, sends, stops
from reactivation.ledger.events import Event
from reactivation.ledger.stops import Stop
from reactivation.ledger.tables import touches
from reactivation.ledger.touches import Touch
from reactivation.steps import deliverability
from reactivation.steps.claims import Case, claim
from reactivation.steps.deliverability import Domain
from reactivation.steps.dispatch import dispatch
from reactivation.steps.verdicts import Verdict
from reactivation.steps.workspace import Workspace, open_workspace

LATER = NOW + timedelta(minutes=10)
#: What the ledger tells is tested on both; what follows from it is the same.
on_one_ledger = pytest.mark.parametrize("ready", ["sqlite"], indirect=True)


def _written(conn: Connection) -> int:
    return conn.execute(audit.last()).scalar_one()


def begins_with(workspace: Workspace, daily_floor: int) -> None:
    """The domain is new, and may send so many a day."""
    tenant = workspace.tenant
    sender = tenant.sender.model_copy(update={"daily_floor": daily_floor})
    vars(workspace)["tenant"] = tenant.model_copy(update={"sender": sender})


def judges_from(workspace: Workspace, enough: int) -> None:
    """A share says something from so few messages on, which is a tighter rule."""
    rules = workspace.rules
    tighter = rules.deliverability.model_copy(update={"enough": enough})
    vars(workspace)["rules"] = replace(rules, deliverability=tighter)


def came_back(ready: Ready, kind: str, nth: int = 0, at: datetime = LATER, told: datetime | None = None) -> None:
    """What came back of the ``nth`` message that was sent."""
    with ready.workspace.ledger.begin() as conn:
        sent = select(touches.c.touch_id, touches.c.enrolment_id).where(touches.c.state == "accepted")
        touch = conn.execute(sent.order_by(touches.c.touch_id)).all()[nth]
        told_of = Event(
            f"engagements:{kind}-{nth}", "c-x", None, touch.enrolment_id, touch.touch_id, kind, "email", at, "source"
        )
        events.record(conn, [told_of], stops=(), now=told or at)


def standing(ready: Ready, now: datetime) -> list[tuple[str, str, str]]:
    with ready.workspace.ledger.begin() as conn:
        return [(one.scope, one.reason, one.actor) for one in deliverability.standing(conn, now)]


def resume(ready: Ready, now: datetime) -> None:
    """A person answers, and every stop of the domain ends."""
    with ready.workspace.ledger.begin() as conn:
        for one in deliverability.standing(conn, now):
            stops.resume(conn, stop_id=one.stop_id, actor="ada", answer_id=an_id("answer"), now=now)


def states(ready: Ready) -> Counter[tuple[str, str | None]]:
    return Counter(ready.states().values())


class TestRamp:
    """No more e-mails a day than the domain can carry."""

    def test_the_rest_waits_for_the_next_day(self, ready: Ready) -> None:
        """Five today however often it is asked; tomorrow 1.2 times as many, though its floor is five."""
        due = len(ready.states())
        begins_with(ready.workspace, 5)
        first = dispatch(ready.workspace, NOW)
        assert (first.accepted, first.reasons) == (5, {"ramp": due - 5})
        assert dispatch(ready.workspace, LATER).accepted == 0
        assert states(ready) == {("accepted", None): 5, ("signed", "ramp"): due - 5}
        tomorrow = NOW + timedelta(days=1)
        ready.say(as_of=tomorrow)
        assert dispatch(ready.workspace, tomorrow).accepted == 6

    def test_many_dispatchers_at_once_keep_it_together(self, ready: Ready) -> None:
        """Three of them have reserved four touches each, and the domain carries five."""
        begins_with(ready.workspace, 5)
        with dispatchers(ready, 3) as three, ThreadPoolExecutor(3) as at_once:
            done = list(at_once.map(lambda one: dispatch(one, NOW, limit=4), three))
        assert sum(one.accepted for one in done) == 5
        assert len(ready.files()) == 5

    @on_one_ledger
    def test_what_is_about_to_go_out_takes_its_place(self, ready: Ready) -> None:
        """An intent that somebody else has just written is one of the five."""
        begins_with(ready.workspace, 5)
        domain = Domain(ready.workspace)
        with ready.workspace.ledger.begin() as conn:
            assert domain.left(conn, NOW, 1, _written(conn)) == 5
            (touch, *_) = sends.reserve(conn, worker="else", gone=(), now=NOW, limit=1)
            sends.intend(conn, [an_intent(touch.touch_id, touch.address_key)])
            assert domain.left(conn, NOW, 5, _written(conn)) == 4

    @on_one_ledger
    def test_text_messages_are_not_ramped(self, ready: Ready) -> None:
        """Where an e-mail has no place any more, a text is judged as ever: here it lacks a signature."""
        begins_with(ready.workspace, 1)
        dispatch(ready.workspace, NOW, limit=1)
        with ready.workspace.ledger.begin() as conn:
            mailed, texted = sends.reserve(conn, worker="w", gone=(), now=NOW, limit=2)
            known = enrolments.enrolments_of(conn, [mailed.enrolment_id, texted.enrolment_id])
        playbook = ready.workspace.playbook(mailed.playbook).playbook
        rows = ready.workspace.run_folder(str(mailed.draft_run_id)).read("drafts").to_pylist()
        drafts = {row["touch_id"]: row | {"text": "unsigned"} for row in rows}

        def said(one: Touch) -> Verdict:
            case = Case(one, known[one.enrolment_id], frozenset(), drafts[one.touch_id])
            domain = Domain(ready.workspace)
            _, [(_, verdict)] = claim(ready.workspace, playbook, [case], domain=domain, worker="w", now=NOW)
            return verdict

        assert said(mailed) == Verdict("wait", "ramp")
        assert said(replace(texted, channel="sms")) == Verdict("hold", "content_not_signed")


@contextmanager
def dispatchers(ready: Ready, count: int) -> Iterator[list[Workspace]]:
    """So many workspaces on the same ledger, of the same tenant."""
    made = [open_workspace(settings(ready.home, ready.url)) for _ in range(count)]
    for one in made:
        vars(one)["tenant"] = ready.workspace.tenant
    yield made
    for one in made:
        one.ledger.close()


def an_intent(touch_id: str, address_key: str) -> dict[str, Any]:
    return {
        "send_id": an_id("else"), "touch_id": touch_id, "provider": "outbox", "channel": "email",
        "address_key": address_key, "draft_digest": "d" * 64, "answer_ids": [], "basis": {}, "gates": {},
        "local_time": "", "zone": "", "zone_source": "", "rules_version": "", "worker": "else", "intended_at": NOW,
        "lease_until": NOW + timedelta(minutes=10),
    }  # fmt: skip


class TestCircuit:
    """What comes back of our e-mail stops all of it."""

    def test_a_complaint_stops_all_e_mail_until_a_person_resumes_it(self, ready: Ready) -> None:
        """Of three messages one was complained of. One row, however often it is looked at; the same complaint does not
        stop again what a person has resumed."""
        due = len(ready.states())
        dispatch(ready.workspace, NOW, limit=3)
        came_back(ready, "complaint")
        stopped = dispatch(ready.workspace, LATER)
        assert (stopped.accepted, stopped.reasons) == (0, {"stopped": due - 3})
        assert dispatch(ready.workspace, LATER).accepted == 0
        assert standing(ready, LATER) == [("channel:email", "deliverability:few_and_a_complaint", "dispatch")]
        resume(ready, LATER)
        assert dispatch(ready.workspace, LATER + timedelta(minutes=1)).accepted == due - 3
        assert standing(ready, LATER + timedelta(hours=1)) == []

    def test_dispatchers_that_look_at_once_begin_one_stop(self, ready: Ready) -> None:
        """A person is asked once."""
        dispatch(ready.workspace, NOW, limit=3)
        came_back(ready, "complaint")
        with dispatchers(ready, 3) as three, ThreadPoolExecutor(3) as at_once:
            list(at_once.map(lambda one: Domain(one).look("dispatch", LATER), three))
        assert len(standing(ready, LATER)) == 1

    @on_one_ledger
    def test_a_complaint_told_after_it_was_resumed_stops_again(self, ready: Ready) -> None:
        """Though it is of the same day, and of before."""
        dispatch(ready.workspace, NOW, limit=3)
        came_back(ready, "complaint")
        dispatch(ready.workspace, LATER, limit=1)
        resume(ready, LATER)
        came_back(ready, "complaint", 1, told=LATER + timedelta(minutes=1))
        assert dispatch(ready.workspace, LATER + timedelta(minutes=2)).accepted == 0

    @on_one_ledger
    def test_an_open_circuit_stops_again_whoever_resumed_until_its_clean_days_are_over(self, ready: Ready) -> None:
        """One of three is more than 0.3 %; on the seventh clean day it still holds, on the eighth it does not."""
        judges_from(ready.workspace, 3)
        dispatch(ready.workspace, NOW, limit=3)
        came_back(ready, "complaint")
        for days, stands in ((0, True), (7, True), (8, False)):
            at = LATER + timedelta(days=days)
            Domain(ready.workspace).look("dispatch", at)
            assert [reason for _, reason, _ in standing(ready, at)] == ["deliverability:complaints"] * stands
            resume(ready, at)

    @on_one_ledger
    def test_bounces_stop_it_apart_from_complaints(self, ready: Ready) -> None:
        """One of three came back, and one was complained of: who has answered for the complaint is asked about the
        bounces too."""
        judges_from(ready.workspace, 3)
        dispatch(ready.workspace, NOW, limit=3)
        came_back(ready, "bounce")
        came_back(ready, "complaint", 1)
        seen = []
        for minutes in (1, 2, 3):
            at = LATER + timedelta(minutes=minutes)
            Domain(ready.workspace).look("dispatch", at)
            seen += [reason for _, reason, _ in standing(ready, at)]
            resume(ready, at)
        assert seen == ["deliverability:few_and_a_complaint", "deliverability:bounces"]

    @on_one_ledger
    def test_a_dispatcher_at_work_sees_what_another_was_told(self, ready: Ready) -> None:
        """It looks again when something has come back since it last looked."""
        dispatch(ready.workspace, NOW, limit=3)
        domain = Domain(ready.workspace)
        domain.look("dispatch", NOW + timedelta(minutes=1))
        assert standing(ready, LATER) == []
        came_back(ready, "complaint", at=NOW + timedelta(minutes=2))
        domain.look("dispatch", LATER)
        assert len(standing(ready, LATER)) == 1


@on_one_ledger
def test_the_stops_of_the_domain_are_told_from_others(ready: Ready) -> None:
    """By the beginning of their reason."""
    with ready.workspace.ledger.begin() as conn:
        stops.stop(conn, scope="channel:email", reason="owner_asked", actor="ada", now=NOW)
        ours = deliverability.stop(conn, deliverability.SOURCES, actor="readiness", now=NOW)
        assert isinstance(ours, Stop)
        assert deliverability.stop(conn, deliverability.SOURCES, actor="readiness", now=NOW) is None
        assert deliverability.standing(conn, NOW) == (ours,)
