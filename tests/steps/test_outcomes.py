"""Recording what came back: noes first, events once, exits at once, no response in the end."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, select
from tests.builders import KEYS, Row, consent, contact, engagement, purchase, suppression
from tests.ledgers import a_send
from tests.sending import NOW, Ready, source_tables

from reactivation.contract.tables import ENGAGEMENT_KINDS
from reactivation.ledger import codes, seals, suppressions, tags
from reactivation.ledger.tables import audit, enrolment_keys, enrolments, events, sends, touches
from reactivation.sources import SourceError
from reactivation.steps.dispatch import dispatch
from reactivation.steps.outcomes import record_outcomes

LATER = NOW + timedelta(hours=3)
TAG = "customer_reactivation_no_response"


@pytest.fixture
def sent(ready: Ready) -> Ready:
    """The company after its first touches went out at ``NOW``."""
    dispatch(ready.workspace, NOW)
    ready.say(as_of=LATER)
    return ready


def _record(ready: Ready, at: datetime = LATER) -> dict[str, int]:
    return record_outcomes(ready.workspace, at)


def _people(ready: Ready) -> list[str]:
    return sorted(ready.states())


def _record_apart(ready: Ready) -> dict[str, int]:
    """Recorded by another process, as it were: with connections of its own."""
    other = Ready(ready.home, ready.url)
    try:
        return _record(other)
    finally:
        other.close()


def _until_the_end(ready: Ready) -> datetime:
    """Nothing more is sent; the last planned touch's window closes."""
    with ready.workspace.ledger.begin() as conn:
        ends = conn.scalars(select(enrolments.c.plan_ends_at)).all()
    end = max(ends)
    ready.say(as_of=end)
    dispatch(ready.workspace, end)
    return end


def _all_went_out(ready: Ready) -> datetime:
    """The last planned touch of each was accepted, too, as at the end of a whole sequence; returns when."""
    at = _until_the_end(ready) - timedelta(hours=1)
    (run_id,) = [folder.name for folder in (ready.home / "evidence" / "runs").iterdir()]
    plan = [row for row in ready.workspace.run_folder(run_id).read("plan").to_pylist() if row["state"] == "planned"]
    last = {row["enrolment_id"]: row["touch_id"] for row in plan}  # they stand by number
    known = {row.touch_id for row in ready.rows("touches")}
    rows = [
        {name: row[name] for name in row.keys() & set(touches.columns.keys())}
        | {"playbook": "customer_reactivation", "changed_at": at, "reason": None}
        | {"state": "accepted" if row["touch_id"] in last.values() else "expired"}
        for row in plan
        if row["touch_id"] not in known
    ]
    sent = [
        a_send(row["touch_id"], row["touch_id"], "w", address_key=row["address_key"], intended_at=at)
        | {"state": "accepted", "called_at": at, "finished_at": at}
        for row in rows
        if row["state"] == "accepted"
    ]
    with ready.workspace.ledger.begin() as conn:
        conn.execute(insert(touches), rows)
        conn.execute(insert(sends), sent)
    return at


def _did(ready: Ready, customer_id: str, kind: str, at: datetime = LATER - timedelta(hours=1), **more: object) -> Row:
    row = engagement(f"e-{kind}-{customer_id}", customer_id, at, kind, **more)
    ready.add("engagements", row)
    return row


class TestNoes:
    def test_every_way_of_saying_no_becomes_permanent(self, sent: Ready) -> None:
        """By form, link, complaint, objection, withdrawn consent, or under a second customer number."""
        ann, bob, cat, dan, edd, fred, *rest = _people(sent)
        said = LATER - timedelta(hours=1)
        consents = [
            *source_tables()["consents"],
            consent("r-object", dan, state="objected", occurred_at=said),
            consent("r-withdraw", edd, state="withdrawn", occurred_at=said),
        ]
        twin = contact("c-twin", email=f"{fred[2:]}.hart@gmail.com")
        sent.say(as_of=LATER, consents=consents, contacts=[*source_tables()["contacts"], twin])
        sent.add("suppressions", suppression("s-1b", address=f"{ann[2:]}.hart@gmail.com", occurred_at=said),
                 suppression("s-2b", customer_id="c-twin", address=twin["email"], occurred_at=said))  # fmt: skip
        _did(sent, bob, "unsubscribe")
        _did(sent, cat, "complaint")
        counts = _record(sent)
        expected = {
            ann: "opted_out", bob: "opted_out", cat: "complained", dan: "opted_out", edd: "opted_out", fred: "opted_out"
        }  # fmt: skip
        assert sent.exits() == expected
        keys = {customer: KEYS.key_of(f"{customer[2:]}.hart@gmail.com") for customer in expected}
        with sent.workspace.ledger.begin() as conn:
            standing = suppressions.standing(conn, keys.values(), brand="harbour_finch")
        assert set(standing) == set(keys.values())
        assert counts["exit:opted_out"] == 5
        assert rest, "the others go on"
        assert _record(sent)["suppressions"] == 0

    def test_a_no_is_committed_before_anything_else(self, sent: Ready) -> None:
        """Its audit row comes first, and everything planned later is cancelled."""
        who = _people(sent)[0]
        _did(sent, who, "unsubscribe")
        _record(sent)
        with sent.workspace.ledger.begin() as conn:
            written = (
                conn.execute(select(audit.c.action).where(audit.c.at == LATER).order_by(audit.c.seq)).scalars().all()
            )
            one = conn.scalar(select(enrolments.c.enrolment_id).where(enrolments.c.customer_id == who))
            states = set(conn.scalars(select(touches.c.state).where(touches.c.enrolment_id == one)))
            active = conn.scalars(select(enrolment_keys.c.active).where(enrolment_keys.c.enrolment_id == one)).all()
        assert written[0] == "suppressed"
        assert states == {"accepted", "cancelled"}
        assert not any(active)

    def test_one_that_crossed_the_send_is_marked_with_both_times(self, sent: Ready) -> None:
        """Said before the message was handed over, told only afterwards."""
        who, other = _people(sent)[:2]
        _did(sent, who, "unsubscribe", NOW - timedelta(minutes=1))
        _did(sent, other, "unsubscribe", LATER - timedelta(hours=1))
        _record(sent)
        with sent.workspace.ledger.begin() as conn:
            found = {row.customer_id: row for row in conn.execute(select(events).where(events.c.kind == "unsubscribe"))}
            crossed = conn.execute(select(audit).where(audit.c.action == "crossed")).all()
        assert (found[who].crossed, found[other].crossed) == (True, False)
        assert (found[who].occurred_at, found[who].recorded_at) == (NOW - timedelta(minutes=1), LATER)
        assert [row.subject for row in crossed] == [found[who].event_id]


class TestExits:
    @pytest.mark.parametrize("ready", ["sqlite"], indirect=True)
    @pytest.mark.parametrize(
        ("kind", "reason"),
        [
            ("click", "re_engaged"), ("visit", "re_engaged"), ("login", "re_engaged"), ("reply", "re_engaged"),
            ("browse", "re_engaged"), ("order", "reactivated"), ("booking", "reactivated"),
            ("subscription", "reactivated"), ("bounce", "unreachable"), ("open", None), ("usage", None),
            ("delivered", None),
        ],
    )  # fmt: skip
    def test_what_a_sign_of_life_does(self, sent: Ready, kind: str, reason: str | None) -> None:
        """Bought: reactivated. Came back without buying: re-engaged. A mere open is no exit of this playbook."""
        who = _people(sent)[0]
        if kind in ("order", "booking", "subscription"):
            sent.add("purchases", purchase("b-new", who, LATER - timedelta(hours=1), kind=kind))
        else:
            _did(sent, who, kind)
        counts = _record(sent)
        assert sent.exits().get(who) == reason
        assert counts["events"] == 1
        assert _record(sent, LATER + timedelta(hours=1))["events"] == 0

    def test_a_purchase_outweighs_a_click(self, sent: Ready) -> None:
        """Both on one day: reactivated, with both events kept."""
        who = _people(sent)[0]
        _did(sent, who, "click")
        sent.add("purchases", purchase("b-new", who, LATER - timedelta(minutes=5)))
        _record(sent)
        assert sent.exits() == {who: "reactivated"}

    def test_who_came_back_before_any_message_is_no_success_of_ours(self, ready: Ready) -> None:
        """Bought between the decision and the first touch: returned unprompted, and no message goes out."""
        who, *others = _people(ready)
        ready.say()
        ready.add("purchases", purchase("b-new", who, NOW - timedelta(minutes=30)))
        _record(ready, NOW)
        assert ready.exits() == {who: "returned_unprompted"}
        dispatch(ready.workspace, NOW)
        assert ready.written_to() == others

    def test_a_click_that_only_the_contact_shows_counts(self, sent: Ready) -> None:
        """Some systems keep just the date of the last click."""
        who = _people(sent)[0]
        rows = source_tables()["contacts"]
        clicked = {"last_email_link_clicked": LATER - timedelta(hours=1)}
        sent.say(as_of=LATER, contacts=[row | (clicked if row["customer_id"] == who else {}) for row in rows])
        _record(sent)
        assert sent.exits() == {who: "re_engaged"}

    def test_a_code_of_ours_that_was_used_is_a_redemption(self, sent: Ready) -> None:
        """It is told of the touch whose code it was, and counts for the caps."""
        who = _people(sent)[0]
        with sent.workspace.ledger.begin() as conn:
            third = conn.scalar(
                select(touches.c.touch_id)
                .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
                .where(enrolments.c.customer_id == who, touches.c.number == 3)
            )
            code = codes.codes_of(conn, "customer_reactivation")[str(third)]
        sent.add("purchases", purchase("b-new", who, LATER - timedelta(hours=1), offer_code=code))
        _record(sent)
        with sent.workspace.ledger.begin() as conn:
            redeemed = conn.execute(select(events).where(events.c.kind == "redeemed")).one()
        assert (redeemed.touch_id, redeemed.customer_id) == (third, who)
        assert redeemed.address_key == KEYS.key_of(f"{who[2:]}.hart@gmail.com")


class TestFinalCheck:
    def _a_week_after(self, sent: Ready, end: datetime) -> dict[str, int]:
        """What is recorded seven days after ``end``; not a moment before does anything end."""
        week = end + timedelta(days=7)
        for at in (week - timedelta(seconds=1), week):
            assert sent.exits() == {}
            sent.say(as_of=at)
            counts = _record(sent, at)
        return counts

    def test_silence_ends_seven_days_after_the_last_touch(self, sent: Ready) -> None:
        """After it was really sent, with the tag, once, and not a moment before."""
        people = _people(sent)
        end = _all_went_out(sent)
        counts = self._a_week_after(sent, end)
        assert set(sent.exits().values()) == {"no_response"}
        assert counts["tagged"] == len(people)
        with sent.workspace.ledger.begin() as conn:
            assert tags.standing(conn, TAG) == set(people)

    def test_who_was_not_sent_the_last_touch_bears_no_tag(self, sent: Ready) -> None:
        """The first went out and the rest did not: cut short, seven days after the last window closed."""
        people = _people(sent)
        end = _until_the_end(sent)
        counts = self._a_week_after(sent, end)
        assert sent.exits() == dict.fromkeys(people, "cut_short")
        assert "tagged" not in counts
        with sent.workspace.ledger.begin() as conn:
            assert tags.standing(conn, TAG) == set()

    def test_a_stale_source_ends_nothing_for_silence(self, sent: Ready) -> None:
        """What it does not say proves nothing."""
        end = _until_the_end(sent)
        assert "exit:no_response" not in _record(sent, end + timedelta(days=9))
        assert sent.exits() == {}

    def test_who_was_never_written_to_bears_no_tag(self, ready: Ready) -> None:
        """An unsent touch counts as not tried."""
        end = _until_the_end(ready)
        ready.say(as_of=end + timedelta(days=8))
        _record(ready, end + timedelta(days=8))
        assert set(ready.exits().values()) == {"not_contacted"}
        with ready.workspace.ledger.begin() as conn:
            assert tags.standing(conn, TAG) == set()

    def test_a_late_purchase_takes_the_tag_off(self, sent: Ready) -> None:
        """Weeks after the end, the customer is still asked about; the event is kept."""
        everybody = set(_people(sent))
        who = min(everybody)
        end = _all_went_out(sent) + timedelta(days=7)
        sent.say(as_of=end)
        _record(sent, end)
        much_later = end + timedelta(days=60)
        sent.say(as_of=much_later)
        sent.add("purchases", purchase("b-late", who, much_later - timedelta(days=1)))
        assert _record(sent, much_later)["untagged"] == 1
        with sent.workspace.ledger.begin() as conn:
            assert tags.standing(conn, TAG) == everybody - {who}
            assert conn.scalars(select(events.c.event_id)).all() == ["purchases:b-late"]
        assert sent.exits()[who] == "no_response"


class TestEveryKind:
    """Each kind of the contract, once, with its consequence, on both databases."""

    KINDS = ENGAGEMENT_KINDS

    def test_each_is_recorded_once_with_its_consequence(self, sent: Ready) -> None:
        """The noes forbid, the exits end, the rest goes on; told again, it is old."""
        did = list(zip(itertools.cycle(_people(sent)), self.KINDS, strict=False))
        touch = _touch_ids(sent)
        for who, kind in did:
            _did(sent, who, kind, touch_id=touch[who] if kind == "bounce" else None)
        counts = _record(sent)
        assert counts["events"] == len(self.KINDS)
        assert {(row.customer_id, row.kind) for row in _events(sent)} == set(did)
        ends = {
            "click": "re_engaged", "visit": "re_engaged", "login": "re_engaged", "reply": "re_engaged",
            "browse": "re_engaged", "cart_add": "re_engaged", "cart_abandon": "re_engaged", "bounce": "unreachable",
            "complaint": "complained", "unsubscribe": "opted_out",
        }  # fmt: skip
        assert sent.exits() == {who: ends[kind] for who, kind in did if kind in ends}
        reasons = {row.reason for row in sent.rows("suppressions") if row.recorded_at == LATER}
        assert reasons == {"complaint", "opt_out", "hard_bounce"}
        told = [(row.kind, row.outcome) for row in sent.rows("measurement_events") if row.occurred_at == LATER]
        assert sorted(outcome for kind, outcome in told if kind == "exit") == sorted(sent.exits().values())
        assert sorted(outcome for kind, outcome in told if kind == "suppression") == sorted(reasons)
        before = _everything(sent)
        again = _record(sent, LATER + timedelta(hours=1))
        assert (again["events"], again["suppressions"]) == (0, 0)
        assert _everything(sent) == before

    def test_two_recorders_at_once_record_it_once(self, sent: Ready) -> None:
        """Neither fails, nothing stands there twice."""
        for who in _people(sent)[:5]:
            _did(sent, who, "unsubscribe")
            _did(sent, who, "click")
        with ThreadPoolExecutor(2) as both:
            counts = list(both.map(lambda _: _record_apart(sent), range(2)))
        assert sum(one["events"] for one in counts) == 10
        assert sum(one.get("exit:opted_out", 0) for one in counts) == 5
        assert sum(one["suppressions"] for one in counts) == 5
        assert len(_events(sent)) == 10


@pytest.mark.parametrize("ready", ["sqlite"], indirect=True)
class TestWhatIsNotAsItSeems:
    def test_a_bounce_of_another_systems_message_forbids_nothing_for_ever(self, sent: Ready) -> None:
        """It may be of an address long corrected. Of our own message it is known which address is dead."""
        ours, theirs, arrived = _people(sent)[:3]
        touch = _touch_ids(sent)
        _did(sent, ours, "bounce", touch_id=touch[ours])
        _did(sent, theirs, "bounce")
        _did(sent, arrived, "bounce", LATER - timedelta(hours=2), touch_id=touch[arrived])
        _did(sent, arrived, "open", LATER - timedelta(hours=1), touch_id=touch[arrived])
        _record(sent)
        dead = [row.address_key for row in sent.rows("suppressions") if row.reason == "hard_bounce"]
        assert dead == [KEYS.key_of(f"{ours[2:]}.hart@gmail.com")]
        assert set(sent.exits().values()) == {"unreachable"}

    def test_an_opt_out_that_came_by_a_list_crossed_the_send_too(self, sent: Ready) -> None:
        """However it arrives: by a suppression, a withdrawn consent, or a twin's unsubscribe."""
        ann, bob, cat = _people(sent)[:3]
        said = NOW - timedelta(minutes=1)
        twin = contact("c-twin", email=f"{cat[2:]}.hart@gmail.com")
        consents = [*source_tables()["consents"], consent("r-late", bob, state="withdrawn", occurred_at=said)]
        sent.say(as_of=LATER, consents=consents, contacts=[*source_tables()["contacts"], twin])
        sent.add("suppressions", suppression("s-late", address=f"{ann[2:]}.hart@gmail.com", occurred_at=said))
        _did(sent, "c-twin", "unsubscribe", said)
        _record(sent)
        found = {row.customer_id: (row.kind, row.crossed) for row in _events(sent)}
        assert found == {ann: ("opt_out", True), bob: ("opt_out", True), cat: ("opt_out", True)}
        assert set(sent.exits()) == {ann, bob, cat}

    def test_an_open_that_came_before_crosses_nothing(self, sent: Ready) -> None:
        """It would have stopped nothing."""
        who = _people(sent)[0]
        _did(sent, who, "open", NOW - timedelta(minutes=1))
        _record(sent)
        assert [row.crossed for row in _events(sent)] == [False]

    def test_a_cancelled_purchase_reactivates_nobody(self, sent: Ready) -> None:
        """Its cancellation is kept; a subscription was bought, whatever came later."""
        order, booking, plan = _people(sent)[:3]
        at, undone = LATER - timedelta(hours=2), LATER - timedelta(hours=1)
        sent.add("purchases", purchase("b-1", order, at, cancelled_at=undone),
                 purchase("b-2", booking, at, cancelled_at=undone, kind="booking"),
                 purchase("b-3", plan, at, cancelled_at=undone, kind="subscription"))  # fmt: skip
        _record(sent)
        assert sent.exits() == {plan: "reactivated"}
        assert {row.event_id: row.about for row in _events(sent)} == {
            "cancelled:b-1": "purchases:b-1", "cancelled:b-2": "purchases:b-2", "purchases:b-3": None
        }  # fmt: skip

    def test_a_purchase_of_the_far_future_waits_for_its_day(self, sent: Ready) -> None:
        """Nothing is recorded of it and nothing ends; an unsubscribe counts by whatever clock."""
        who, other = _people(sent)[:2]
        sent.add("purchases", purchase("b-new", who, LATER + timedelta(days=900)))
        _did(sent, other, "unsubscribe", LATER + timedelta(days=900))
        _record(sent)
        assert sent.exits() == {other: "opted_out"}
        assert [row.kind for row in _events(sent)] == ["unsubscribe"]

    def test_a_kind_nobody_knows_may_be_a_no(self, sent: Ready) -> None:
        """It is kept as unreadable and opts nobody out for ever; its person is not written to while it stands."""
        who = _people(sent)[0]
        _did(sent, who, "unsubscribbed")
        _record(sent)
        assert [row.kind for row in _events(sent)] == ["unreadable"]
        assert sent.exits() == {}
        assert [row for row in sent.rows("suppressions") if row.recorded_at == LATER] == []

    def test_an_unsubscribe_without_a_readable_time_is_one_for_ever(self, sent: Ready) -> None:
        """What says no is believed as far as it can be read."""
        who = _people(sent)[0]
        sent.add("engagements", engagement("e-x", who, LATER, "unsubscribe") | {"occurred_at": "?"})
        _record(sent)
        assert sent.exits() == {who: "opted_out"}

    def test_who_has_left_the_crm_can_still_opt_out(self, sent: Ready) -> None:
        """The address we wrote to is remembered."""
        who = _people(sent)[0]
        sent.say(as_of=LATER, contacts=[row for row in source_tables()["contacts"] if row["customer_id"] != who])
        _did(sent, who, "unsubscribe")
        _record(sent)
        with sent.workspace.ledger.begin() as conn:
            key = KEYS.key_of(f"{who[2:]}.hart@gmail.com")
            assert suppressions.standing(conn, [key], brand="harbour_finch") == {key: "opt_out"}

    def test_a_purchase_told_too_late_takes_the_tag_off(self, sent: Ready) -> None:
        """It happened before the final check; the source said it afterwards."""
        who = _people(sent)[0]
        end = _all_went_out(sent) + timedelta(days=7)
        sent.say(as_of=end)
        _record(sent, end)
        later = end + timedelta(days=2)
        sent.say(as_of=later)
        sent.add("purchases", purchase("b-late", who, end - timedelta(days=1)))
        assert _record(sent, later)["untagged"] == 1
        told = [(row.subject, row.outcome) for row in sent.rows("measurement_events")
                if row.kind == "tag" and row.occurred_at == later]  # fmt: skip
        assert told == [(who, "removed")]

    def test_a_buyer_is_asked_about_for_a_year(self, sent: Ready) -> None:
        """What they are worth is counted for so long; who never came back is not asked for ever."""
        who = _people(sent)[0]
        sent.add("purchases", purchase("b-1", who, LATER - timedelta(hours=1)))
        _record(sent)
        much_later = LATER + timedelta(days=300)
        sent.say(as_of=much_later)
        sent.add("purchases", purchase("b-2", who, much_later - timedelta(days=1), amount=Decimal("75.50")))
        _record(sent, much_later)
        found = {row.event_id: (row.amount, row.currency) for row in _events(sent)}
        assert found["purchases:b-2"] == (Decimal("75.50"), "GBP")


def _touch_ids(ready: Ready) -> dict[str, str]:
    """The first touch of each customer."""
    query = select(enrolments.c.customer_id, touches.c.touch_id).join(
        touches, touches.c.enrolment_id == enrolments.c.enrolment_id
    )
    with ready.workspace.ledger.begin() as conn:
        return {row.customer_id: row.touch_id for row in conn.execute(query.where(touches.c.number == 1))}


def _events(ready: Ready) -> list[Any]:
    with ready.workspace.ledger.begin() as conn:
        return list(conn.execute(select(events).order_by(events.c.event_id)).all())


def _everything(ready: Ready) -> tuple[list[Any], ...]:
    """What recording may add to."""
    return (_events(ready), ready.rows("suppressions"), ready.rows("measurement_events"))


@pytest.mark.parametrize("ready", ["sqlite"], indirect=True)
def test_what_other_systems_sent_fills_the_cap(ready: Ready) -> None:
    """A newsletter of this morning: the touch waits, and goes out when two days have passed."""
    who, *others = _people(ready)
    ready.say()
    _did(ready, who, "sent", NOW - timedelta(hours=3))
    dispatch(ready.workspace, NOW)
    assert ready.written_to() == others
    assert ready.states()[who] == ("signed", "timing:cap")


def test_a_source_that_cannot_be_read_records_nothing(sent: Ready) -> None:
    """The error is told; the ledger is as it was."""
    (sent.source / "engagements.csv").unlink()
    (sent.source / "engagements.parquet").write_bytes(b"PAR1 truncated")
    with pytest.raises(SourceError):
        _record(sent)
    assert sent.exits() == {}


def test_an_empty_ledger_asks_nobody(ready: Ready) -> None:
    """And seals what there is."""
    with ready.workspace.ledger.begin() as conn:
        conn.execute(enrolments.update().values(state="ended", ended_at=NOW, exit_reason="test"))
    assert _record(ready) == {"asked": 0, "events": 0, "suppressions": 0}
    with ready.workspace.ledger.begin() as conn:
        assert seals.verify(conn).intact
