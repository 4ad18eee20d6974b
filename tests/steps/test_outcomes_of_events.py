"""Recording what came back: every kind of event once, and those that are not what they seem."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.builders import KEYS, consent, contact, engagement, purchase, suppression
from tests.sending import NOW, Ready, source_tables
from tests.steps.recording import (
    LATER,
    acts,
    all_went_out,
    customers_of,
    events_of,
    everything,
    recorded,
    recorded_apart,
    touch_ids,
    went_out,
)

from reactivation.contract.tables import ENGAGEMENT_KINDS
from reactivation.ledger import suppressions


@pytest.fixture
def sent(ready: Ready) -> Ready:
    return went_out(ready)


class TestEveryKind:
    """Each kind of the contract, once, with its consequence, on both databases."""

    KINDS = ENGAGEMENT_KINDS

    def test_each_is_recorded_once_with_its_consequence(self, sent: Ready) -> None:
        """The noes forbid, the exits end, the rest goes on; told again, it is old."""
        did = list(zip(itertools.cycle(customers_of(sent)), self.KINDS, strict=False))
        touch = touch_ids(sent)
        for who, kind in did:
            acts(sent, who, kind, touch_id=touch[who] if kind == "bounce" else None)
        counts = recorded(sent)
        assert counts["events"] == len(self.KINDS)
        assert {(row.customer_id, row.kind) for row in events_of(sent)} == set(did)
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
        before = everything(sent)
        again = recorded(sent, LATER + timedelta(hours=1))
        assert (again["events"], again["suppressions"]) == (0, 0)
        assert everything(sent) == before

    def test_two_recorders_at_once_record_it_once(self, sent: Ready) -> None:
        """Neither fails, nothing stands there twice."""
        for who in customers_of(sent)[:5]:
            acts(sent, who, "unsubscribe")
            acts(sent, who, "click")
        with ThreadPoolExecutor(2) as both:
            counts = list(both.map(lambda _: recorded_apart(sent), range(2)))
        assert sum(one["events"] for one in counts) == 10
        assert sum(one.get("exit:opted_out", 0) for one in counts) == 5
        assert sum(one["suppressions"] for one in counts) == 5
        assert len(events_of(sent)) == 10


@pytest.mark.parametrize("ready", ["sqlite"], indirect=True)
class TestWhatIsNotAsItSeems:
    def test_a_bounce_of_another_systems_message_forbids_nothing_for_ever(self, sent: Ready) -> None:
        """It may be of an address long corrected. Of our own message it is known which address is dead."""
        ours, theirs, arrived = customers_of(sent)[:3]
        touch = touch_ids(sent)
        acts(sent, ours, "bounce", touch_id=touch[ours])
        acts(sent, theirs, "bounce")
        acts(sent, arrived, "bounce", LATER - timedelta(hours=2), touch_id=touch[arrived])
        acts(sent, arrived, "open", LATER - timedelta(hours=1), touch_id=touch[arrived])
        recorded(sent)
        dead = [row.address_key for row in sent.rows("suppressions") if row.reason == "hard_bounce"]
        assert dead == [KEYS.key_of(f"{ours[2:]}.hart@gmail.com")]
        assert set(sent.exits().values()) == {"unreachable"}

    def test_an_opt_out_that_came_by_a_list_crossed_the_send_too(self, sent: Ready) -> None:
        """However it arrives: by a suppression, a withdrawn consent, or a twin's unsubscribe."""
        ann, bob, cat = customers_of(sent)[:3]
        said = NOW - timedelta(minutes=1)
        twin = contact("c-twin", email=f"{cat[2:]}.hart@gmail.com")
        consents = [*source_tables()["consents"], consent("r-late", bob, state="withdrawn", occurred_at=said)]
        sent.say(as_of=LATER, consents=consents, contacts=[*source_tables()["contacts"], twin])
        sent.add("suppressions", suppression("s-late", address=f"{ann[2:]}.hart@gmail.com", occurred_at=said))
        acts(sent, "c-twin", "unsubscribe", said)
        recorded(sent)
        found = {row.customer_id: (row.kind, row.crossed) for row in events_of(sent)}
        assert found == {ann: ("opt_out", True), bob: ("opt_out", True), cat: ("opt_out", True)}
        assert set(sent.exits()) == {ann, bob, cat}

    def test_an_open_that_came_before_crosses_nothing(self, sent: Ready) -> None:
        """It would have stopped nothing."""
        who = customers_of(sent)[0]
        acts(sent, who, "open", NOW - timedelta(minutes=1))
        recorded(sent)
        assert [row.crossed for row in events_of(sent)] == [False]

    def test_a_cancelled_purchase_reactivates_nobody(self, sent: Ready) -> None:
        """Its cancellation is kept; a subscription was bought, whatever came later."""
        order, booking, plan = customers_of(sent)[:3]
        at, undone = LATER - timedelta(hours=2), LATER - timedelta(hours=1)
        sent.add("purchases", purchase("b-1", order, at, cancelled_at=undone),
                 purchase("b-2", booking, at, cancelled_at=undone, kind="booking"),
                 purchase("b-3", plan, at, cancelled_at=undone, kind="subscription"))  # fmt: skip
        recorded(sent)
        assert sent.exits() == {plan: "reactivated"}
        assert {row.event_id: row.about for row in events_of(sent)} == {
            "cancelled:b-1": "purchases:b-1", "cancelled:b-2": "purchases:b-2", "purchases:b-3": None
        }  # fmt: skip

    def test_a_purchase_of_the_far_future_waits_for_its_day(self, sent: Ready) -> None:
        """Nothing is recorded of it and nothing ends; an unsubscribe counts by whatever clock."""
        who, other = customers_of(sent)[:2]
        sent.add("purchases", purchase("b-new", who, LATER + timedelta(days=900)))
        acts(sent, other, "unsubscribe", LATER + timedelta(days=900))
        recorded(sent)
        assert sent.exits() == {other: "opted_out"}
        assert [row.kind for row in events_of(sent)] == ["unsubscribe"]

    def test_a_kind_nobody_knows_may_be_a_no(self, sent: Ready) -> None:
        """It is kept as unreadable and opts nobody out for ever; its person is not written to while it stands."""
        who = customers_of(sent)[0]
        acts(sent, who, "unsubscribbed")
        recorded(sent)
        assert [row.kind for row in events_of(sent)] == ["unreadable"]
        assert sent.exits() == {}
        assert [row for row in sent.rows("suppressions") if row.recorded_at == LATER] == []

    def test_an_unsubscribe_without_a_readable_time_is_one_for_ever(self, sent: Ready) -> None:
        """What says no is believed as far as it can be read."""
        who = customers_of(sent)[0]
        sent.add("engagements", engagement("e-x", who, LATER, "unsubscribe") | {"occurred_at": "?"})
        recorded(sent)
        assert sent.exits() == {who: "opted_out"}

    def test_who_has_left_the_crm_can_still_opt_out(self, sent: Ready) -> None:
        """The address we wrote to is remembered."""
        who = customers_of(sent)[0]
        sent.say(as_of=LATER, contacts=[row for row in source_tables()["contacts"] if row["customer_id"] != who])
        acts(sent, who, "unsubscribe")
        recorded(sent)
        with sent.workspace.ledger.begin() as conn:
            key = KEYS.key_of(f"{who[2:]}.hart@gmail.com")
            assert suppressions.standing(conn, [key], brand="harbour_finch") == {key: "opt_out"}

    def test_a_purchase_told_too_late_takes_the_tag_off(self, sent: Ready) -> None:
        """It happened before the final check; the source said it afterwards."""
        who = customers_of(sent)[0]
        end = all_went_out(sent) + timedelta(days=7)
        sent.say(as_of=end)
        recorded(sent, end)
        later = end + timedelta(days=2)
        sent.say(as_of=later)
        sent.add("purchases", purchase("b-late", who, end - timedelta(days=1)))
        assert recorded(sent, later)["untagged"] == 1
        told = [(row.subject, row.outcome) for row in sent.rows("measurement_events")
                if row.kind == "tag" and row.occurred_at == later]  # fmt: skip
        assert told == [(who, "removed")]

    def test_a_buyer_is_asked_about_for_a_year(self, sent: Ready) -> None:
        """What they are worth is counted for so long; who never came back is not asked for ever."""
        who = customers_of(sent)[0]
        sent.add("purchases", purchase("b-1", who, LATER - timedelta(hours=1)))
        recorded(sent)
        much_later = LATER + timedelta(days=300)
        sent.say(as_of=much_later)
        sent.add("purchases", purchase("b-2", who, much_later - timedelta(days=1), amount=Decimal("75.50")))
        recorded(sent, much_later)
        found = {row.event_id: (row.amount, row.currency) for row in events_of(sent)}
        assert found["purchases:b-2"] == (Decimal("75.50"), "GBP")
