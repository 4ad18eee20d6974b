"""What providers tell is taken in once: a no first, then holds, then events and exits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from tests.builders import KEYS
from tests.ledgers import NOW
from tests.postman import Postman, goes_by
from tests.sending import NOW as DUE
from tests.sending import Ready
from tests.told import ANN, BOB, CAT, LATER, NUMBER, address, company, exits, of, recorded, taken, text, texts, told

from reactivation.delivery import Result
from reactivation.ledger import mail, stops
from reactivation.ledger.engine import Ledger
from reactivation.ledger.replies import Reply, hold
from reactivation.ledger.tables import audit, enrolments, replies, sends
from reactivation.steps import provider_events as module
from reactivation.steps.dispatch import dispatch
from reactivation.steps.workspace import Workspace


@pytest.fixture
def sent(tmp_path: Path, ledger: Ledger) -> Workspace:
    return company(tmp_path / "home", ledger)


class TestNoes:
    @pytest.mark.parametrize(("kind", "reason", "exit_"), [
        ("unsubscribe", "opt_out", "opted_out"), ("complaint", "complaint", "complained"),
    ])  # fmt: skip
    def test_who_said_no_is_suppressed_and_out_at_once(
        self, sent: Workspace, kind: str, reason: str, exit_: str
    ) -> None:
        """On every channel of the brand, at every address of theirs; what waits is cancelled."""
        customer = ANN
        number = texts(sent, customer)
        counts = taken(sent, told(kind, reference=f"m-{customer}"))
        assert {(key, channel, why) for key, _, channel, why in of(sent)} == {
            (KEYS.key_of(address(customer)), "*", reason), (number, "*", reason)
        }  # fmt: skip
        assert exits(sent) == {customer: exit_}
        assert counts == {"events": 1, "suppressions": 2, f"exit:{exit_}": 1}

    def test_an_address_is_enough(self, sent: Workspace) -> None:
        """As written by whoever, told without our key."""
        customer = ANN
        taken(sent, told("unsubscribe", address=f" {address(customer).upper()} "))
        assert exits(sent) == {customer: "opted_out"}
        (row,) = recorded(sent)
        assert (row.customer_id, row.touch_id, row.address_key) == (customer, None, KEYS.key_of(address(customer)))

    def test_a_dead_address_is_dropped_and_says_nothing_of_another(self, sent: Workspace) -> None:
        """Nobody said no."""
        customer = ANN
        texts(sent, customer)
        taken(sent, told("bounce", reference=f"m-{customer}"))
        assert of(sent) == [(KEYS.key_of(address(customer)), "*", "*", "hard_bounce")]
        assert exits(sent) == {customer: "unreachable"}

    @pytest.mark.parametrize(("after", "known"), [(timedelta(hours=1), True), (timedelta(days=5), False)])
    def test_a_bounce_told_by_address_is_of_the_message_just_before_it(
        self, sent: Workspace, after: timedelta, known: bool
    ) -> None:
        """So that the domain's bounces are counted; the address is dead in either case."""
        module.take_in_provider_events(
            sent, [told("bounce", address=address(ANN), at=NOW + after)], NOW + timedelta(days=6)
        )
        (row,) = recorded(sent)
        assert (row.touch_id is not None) == known
        with sent.ledger.begin() as conn:
            assert sum(day.hard_bounces or 0 for day in mail.days(conn, NOW - timedelta(days=1))) == known
        assert exits(sent) == {ANN: "unreachable"}

    def test_a_stranger_who_says_no_is_not_written_to_either(self, sent: Workspace) -> None:
        """The account may have other senders; of these a bounce says nothing of us."""
        counts = taken(
            sent, told("unsubscribe", address="zoe@example.com"), told("bounce", address="yan@example.com"),
            told("delivered", address="zoe@example.com"),
        )  # fmt: skip
        assert of(sent) == [(KEYS.key_of("zoe@example.com"), "*", "*", "opt_out")]
        assert counts == {"events": 1, "nobody": 3, "suppressions": 1}

    def test_a_no_of_nobody_knows_whom_stops_the_channel(self, sent: Workspace) -> None:
        """Until a person has looked; told again, it does not stop anew."""
        assert taken(sent, told("complaint", address="no address"))["stopped"] == 1
        with sent.ledger.begin() as conn:
            (stop,) = stops.standing(conn, LATER)
        assert (stop.scope, stop.reason) == ("channel:email", "provider:no_of_nobody")
        assert "stopped" not in taken(sent, told("complaint", address="no address"))

    def test_a_provider_that_filters_us_stops_the_channel(self, sent: Workspace) -> None:
        taken(sent, told("filtered", reference=f"m-{ANN}", reason="30007"))
        with sent.ledger.begin() as conn:
            assert [(one.scope, one.reason) for one in stops.standing(conn, LATER)] == [
                ("channel:email", "provider:30007")
            ]


class TestEvents:
    def test_a_click_is_the_exit_the_playbook_makes_of_it(self, sent: Workspace) -> None:
        """An open, which it does not name, is none; a delivery is kept, too."""
        counts = taken(
            sent, told("click", reference=f"m-{ANN}"), told("open", reference=f"m-{BOB}"),
            told("delivered", reference=f"m-{CAT}"),
        )  # fmt: skip
        assert exits(sent) == {ANN: "re_engaged"}
        assert counts == {"events": 3, "suppressions": 0, "exit:re_engaged": 1}
        assert {(row.kind, row.customer_id) for row in recorded(sent)} == {
            ("click", ANN), ("open", BOB), ("delivered", CAT)
        }  # fmt: skip

    def test_told_twice_it_is_nothing_new(self, sent: Workspace) -> None:
        """In one call or in two; ids are a provider's own."""
        click = told("click", reference=f"m-{ANN}")
        assert taken(sent, click, click)["repeated"] == 1
        assert taken(sent, click) == {"events": 0, "repeated": 1, "suppressions": 0}
        assert [row.event_id for row in recorded(sent)] == ["postman:e-click"]

    def test_told_by_two_at_once_it_is_one(self, sent: Workspace) -> None:
        """A webhook and an asking may meet."""
        some = [told("unsubscribe", reference=f"m-{who}", event_id=f"e-{who}") for who in (ANN, BOB, CAT)]
        with ThreadPoolExecutor(2) as pool:
            counts = list(pool.map(lambda _: taken(sent, *some), range(2)))
        assert sum(one["events"] for one in counts) == len(recorded(sent)) == 3
        assert sum(one.get("exit:opted_out", 0) for one in counts) == 3

    def test_killed_after_the_no_the_next_telling_does_the_rest(
        self, sent: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The no itself is committed by then."""
        with monkeypatch.context() as dying:
            dying.setattr(module, "_record", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                taken(sent, told("unsubscribe", reference=f"m-{ANN}"))
        assert len(of(sent)) == 1
        assert (recorded(sent), exits(sent)) == ([], {})
        assert taken(sent, told("unsubscribe", reference=f"m-{ANN}"))["exit:opted_out"] == 1

    def test_an_id_that_is_the_addresss_own_names_no_address(self, sent: Workspace) -> None:
        """Two people of one instant are two events; what stands for the address is keyed."""
        both = [told("unsubscribe", address=address(one), id_of_address=True) for one in (ANN, BOB)]
        assert taken(sent, *both)["events"] == 2
        assert {row.event_id for row in recorded(sent)} == {
            f"postman:e-unsubscribe:{KEYS.key_of(address(one))[:16]}" for one in (ANN, BOB)
        }

    def test_what_a_provider_speaks_of_it_had(self, sent: Workspace) -> None:
        """A call of unknown outcome is settled by its own key."""
        with sent.ledger.begin() as conn:
            conn.execute(update(sends).values(state="unknown", provider_ref=None, finished_at=None))
            send_id = conn.scalars(select(sends.c.send_id)).first()
        taken(sent, told("delivered", send_id=send_id, reference="m-7"))
        with sent.ledger.begin() as conn:
            row = conn.execute(select(sends).where(sends.c.send_id == send_id)).one()
        assert (row.state, row.reason, row.provider_ref) == ("accepted", "told_by_provider", "m-7")

    def test_a_no_that_a_send_did_not_see_is_recorded_as_crossed(self, sent: Workspace) -> None:
        """With both times."""
        customer = ANN
        taken(sent, told("unsubscribe", reference=f"m-{customer}", at=NOW - timedelta(minutes=1)))
        (row,) = recorded(sent)
        assert row.crossed
        with sent.ledger.begin() as conn:
            assert conn.scalar(select(audit.c.subject).where(audit.c.action == "crossed")) == row.event_id

    def test_signs_no_database_keeps_lose_nothing(self, sent: Workspace) -> None:
        """Half a sign and an invisible one, in an address, in words and in an id."""
        odd = "\x00\ud800"
        counts = taken(
            sent, told("unsubscribe", event_id=f"e{odd}", reference=f"m-{ANN}", address=f"a{odd}@example.com"),
            text(f"{odd}who?", event_id="z" * 200), text(f"St{odd}op", event_id=odd),
        )  # fmt: skip
        assert counts["events"] == 3
        assert exits(sent) == {ANN: "opted_out"}


class TestTexts:
    def test_an_opt_out_is_one_however_it_is_written(self, sent: Workspace) -> None:
        """On every channel of the brand, as for every other opt-out."""
        customer = ANN
        texts(sent, customer)
        assert taken(sent, text(" Stop! 🛑 please"))["suppressions"] == 2
        assert exits(sent) == {customer: "opted_out"}

    @pytest.mark.parametrize(("words", "kind"), [("HELP", "help"), ("start", "start")])
    def test_help_and_start_change_nothing(self, sent: Workspace, words: str, kind: str) -> None:
        """Nothing is restored, nothing is sent; that it was said is on record."""
        texts(sent, ANN)
        assert taken(sent, text(words)) == {"events": 1, "suppressions": 0}
        assert [row.kind for row in recorded(sent)] == [kind]
        assert exits(sent) == {}

    @pytest.mark.parametrize("words", ["what is this about?", "", None])
    def test_what_nobody_recognises_is_a_reply_and_holds(self, sent: Workspace, words: str | None) -> None:
        """The exit is the playbook's; the words are nowhere but in their own column."""
        customer = ANN
        key = texts(sent, customer)
        assert taken(sent, text(words)) == {"events": 1, "suppressions": 0, "held": 1, "exit:re_engaged": 1}
        with sent.ledger.begin() as conn:
            (row,) = conn.execute(select(replies)).all()
            details = conn.scalars(select(audit.c.details)).all()
        assert (row.address_key, row.customer_id, row.words, row.label) == (key, customer, words or "", None)
        assert not any("about?" in one or NUMBER in one for one in details)

    def test_a_hold_is_on_every_address_of_the_person(self, ready: Ready) -> None:
        """Whatever comes of the enrolment: what is signed for them waits."""
        customer = min(ready.states())
        texts(ready.workspace, customer)
        without_exit(ready, customer)
        assert dispatch(ready.workspace, DUE).reasons == {"reply_unlabelled": 1}
        assert ready.states()[customer] == ("signed", "reply_unlabelled")
        assert customer not in ready.written_to()

    def test_it_holds_between_claim_and_call(self, ready: Ready) -> None:
        """Who answered after the intent was written is not written to."""
        customer = max(ready.states())
        texts(ready.workspace, customer)
        postman = Postman(lambda _: Result("accepted", reference="m-1"))

        async def room(wanted: int) -> int:
            without_exit(ready, customer)
            return wanted

        postman.room = room  # type: ignore[method-assign]
        goes_by(ready, postman)
        assert dispatch(ready.workspace, DUE).reasons == {"reply_unlabelled": 1}
        assert customer not in postman.had
        assert len(postman.had) == len(ready.states()) - 1


def without_exit(ready: Ready, customer: str) -> None:
    """An unrecognised text of somebody whose enrolment goes on, as of a playbook to which a reply is no exit."""
    with ready.workspace.ledger.begin() as conn:
        enrolment = conn.scalar(select(enrolments.c.enrolment_id).where(enrolments.c.customer_id == customer))
    reply = Reply("0c1f3c7e-54c5-4f2c-9a70-2b1f4b3f0099", KEYS.key_of(NUMBER), None, enrolment, "postman", "sms", DUE)
    hold(ready.workspace.ledger, [reply], actor="test", now=DUE)
