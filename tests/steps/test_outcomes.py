"""Recording what came back: noes first, exits at once, no response in the end."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from tests.builders import KEYS, consent, contact, purchase, suppression
from tests.sending import NOW, Ready, source_tables
from tests.steps.recording import (
    LATER,
    TAG,
    acts,
    all_went_out,
    customers_of,
    recorded,
    until_the_end,
    went_out,
)

from reactivation.ledger import codes, seals, suppressions, tags
from reactivation.ledger.tables import audit, enrolment_keys, enrolments, events, touches
from reactivation.sources import SourceError
from reactivation.steps.dispatch import dispatch


@pytest.fixture
def sent(ready: Ready) -> Ready:
    return went_out(ready)


class TestNoes:
    def test_every_way_of_saying_no_becomes_permanent(self, sent: Ready) -> None:
        """By form, link, complaint, objection, withdrawn consent, or under a second customer number."""
        ann, bob, cat, dan, edd, fred, *rest = customers_of(sent)
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
        acts(sent, bob, "unsubscribe")
        acts(sent, cat, "complaint")
        counts = recorded(sent)
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
        assert recorded(sent)["suppressions"] == 0

    def test_a_no_is_committed_before_anything_else(self, sent: Ready) -> None:
        """Its audit row comes first, and everything planned later is cancelled."""
        who = customers_of(sent)[0]
        acts(sent, who, "unsubscribe")
        recorded(sent)
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
        who, other = customers_of(sent)[:2]
        acts(sent, who, "unsubscribe", NOW - timedelta(minutes=1))
        acts(sent, other, "unsubscribe", LATER - timedelta(hours=1))
        recorded(sent)
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
        who = customers_of(sent)[0]
        if kind in ("order", "booking", "subscription"):
            sent.add("purchases", purchase("b-new", who, LATER - timedelta(hours=1), kind=kind))
        else:
            acts(sent, who, kind)
        counts = recorded(sent)
        assert sent.exits().get(who) == reason
        assert counts["events"] == 1
        assert recorded(sent, LATER + timedelta(hours=1))["events"] == 0

    def test_a_purchase_outweighs_a_click(self, sent: Ready) -> None:
        """Both on one day: reactivated, with both events kept."""
        who = customers_of(sent)[0]
        acts(sent, who, "click")
        sent.add("purchases", purchase("b-new", who, LATER - timedelta(minutes=5)))
        recorded(sent)
        assert sent.exits() == {who: "reactivated"}

    def test_who_came_back_before_any_message_is_no_success_of_ours(self, ready: Ready) -> None:
        """Bought between the decision and the first touch: returned unprompted, and no message goes out."""
        who, *others = customers_of(ready)
        ready.say()
        ready.add("purchases", purchase("b-new", who, NOW - timedelta(minutes=30)))
        recorded(ready, NOW)
        assert ready.exits() == {who: "returned_unprompted"}
        dispatch(ready.workspace, NOW)
        assert ready.written_to() == others

    def test_a_click_that_only_the_contact_shows_counts(self, sent: Ready) -> None:
        """Some systems keep just the date of the last click."""
        who = customers_of(sent)[0]
        rows = source_tables()["contacts"]
        clicked = {"last_email_link_clicked": LATER - timedelta(hours=1)}
        sent.say(as_of=LATER, contacts=[row | (clicked if row["customer_id"] == who else {}) for row in rows])
        recorded(sent)
        assert sent.exits() == {who: "re_engaged"}

    def test_a_code_of_ours_that_was_used_is_a_redemption(self, sent: Ready) -> None:
        """It is told of the touch whose code it was, and counts for the caps."""
        who = customers_of(sent)[0]
        with sent.workspace.ledger.begin() as conn:
            third = conn.scalar(
                select(touches.c.touch_id)
                .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
                .where(enrolments.c.customer_id == who, touches.c.number == 3)
            )
            code = codes.codes_of(conn, "customer_reactivation")[str(third)]
        sent.add("purchases", purchase("b-new", who, LATER - timedelta(hours=1), offer_code=code))
        recorded(sent)
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
            counts = recorded(sent, at)
        return counts

    def test_silence_ends_seven_days_after_the_last_touch(self, sent: Ready) -> None:
        """After it was really sent, with the tag, once, and not a moment before."""
        people = customers_of(sent)
        end = all_went_out(sent)
        counts = self._a_week_after(sent, end)
        assert set(sent.exits().values()) == {"no_response"}
        assert counts["tagged"] == len(people)
        with sent.workspace.ledger.begin() as conn:
            assert tags.standing(conn, TAG) == set(people)

    def test_who_was_not_sent_the_last_touch_bears_no_tag(self, sent: Ready) -> None:
        """The first went out and the rest did not: cut short, seven days after the last window closed."""
        people = customers_of(sent)
        end = until_the_end(sent)
        counts = self._a_week_after(sent, end)
        assert sent.exits() == dict.fromkeys(people, "cut_short")
        assert "tagged" not in counts
        with sent.workspace.ledger.begin() as conn:
            assert tags.standing(conn, TAG) == set()

    def test_a_stale_source_ends_nothing_for_silence(self, sent: Ready) -> None:
        """What it does not say proves nothing."""
        end = until_the_end(sent)
        assert "exit:no_response" not in recorded(sent, end + timedelta(days=9))
        assert sent.exits() == {}

    def test_who_was_never_written_to_bears_no_tag(self, ready: Ready) -> None:
        """An unsent touch counts as not tried."""
        end = until_the_end(ready)
        ready.say(as_of=end + timedelta(days=8))
        recorded(ready, end + timedelta(days=8))
        assert set(ready.exits().values()) == {"not_contacted"}
        with ready.workspace.ledger.begin() as conn:
            assert tags.standing(conn, TAG) == set()

    def test_a_late_purchase_takes_the_tag_off(self, sent: Ready) -> None:
        """Weeks after the end, the customer is still asked about; the event is kept."""
        everybody = set(customers_of(sent))
        who = min(everybody)
        end = all_went_out(sent) + timedelta(days=7)
        sent.say(as_of=end)
        recorded(sent, end)
        much_later = end + timedelta(days=60)
        sent.say(as_of=much_later)
        sent.add("purchases", purchase("b-late", who, much_later - timedelta(days=1)))
        assert recorded(sent, much_later)["untagged"] == 1
        with sent.workspace.ledger.begin() as conn:
            assert tags.standing(conn, TAG) == everybody - {who}
            assert conn.scalars(select(events.c.event_id)).all() == ["purchases:b-late"]
        assert sent.exits()[who] == "no_response"


@pytest.mark.parametrize("ready", ["sqlite"], indirect=True)
def test_what_other_systems_sent_fills_the_cap(ready: Ready) -> None:
    """A newsletter of this morning: the touch waits, and goes out when two days have passed."""
    who, *others = customers_of(ready)
    ready.say()
    acts(ready, who, "sent", NOW - timedelta(hours=3))
    dispatch(ready.workspace, NOW)
    assert ready.written_to() == others
    assert ready.states()[who] == ("signed", "timing:cap")


def test_a_source_that_cannot_be_read_records_nothing(sent: Ready) -> None:
    """The error is told; the ledger is as it was."""
    (sent.source / "engagements.csv").unlink()
    (sent.source / "engagements.parquet").write_bytes(b"PAR1 truncated")
    with pytest.raises(SourceError):
        recorded(sent)
    assert sent.exits() == {}


def test_an_empty_ledger_asks_nobody(ready: Ready) -> None:
    """And seals what there is."""
    with ready.workspace.ledger.begin() as conn:
        conn.execute(enrolments.update().values(state="ended", ended_at=NOW, exit_reason="test"))
    assert recorded(ready) == {"asked": 0, "events": 0, "suppressions": 0}
    with ready.workspace.ledger.begin() as conn:
        assert seals.verify(conn).intact
