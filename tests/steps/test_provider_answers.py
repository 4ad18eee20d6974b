"""What a provider answers decides what becomes of a touch, of the person and of the channel."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from tests.builders import KEYS
from tests.postman import Postman, goes_by
from tests.sending import NOW, Ready

from reactivation.approvals import SendableTouch
from reactivation.delivery import DeliveryError, Result, handover
from reactivation.ledger import stops
from reactivation.steps import dispatch as module
from reactivation.steps.dispatch import dispatch
from reactivation.steps.hearing import hear_providers

ACCEPTED = Result("accepted", reference="m-1")
BUSY = Result("not_sent", reason="http_429")


def of(ready: Ready, answer: Callable[[SendableTouch], Result]) -> Postman:
    postman = Postman(answer)
    goes_by(ready, postman)
    return postman


def first_due(ready: Ready) -> str:
    return min(ready.states())


class TestNotSent:
    def test_what_was_not_taken_is_tried_again_in_the_same_run(self, ready: Ready) -> None:
        """Refused once because of haste, each goes out once all the same; nobody is asked about it."""
        seen: Counter[str] = Counter()

        def once_busy(touch: SendableTouch) -> Result:
            seen[touch.customer_id] += 1
            return BUSY if seen[touch.customer_id] == 1 else ACCEPTED

        of(ready, once_busy)
        summary = dispatch(ready.workspace, NOW)
        assert (summary.accepted, summary.reasons) == (len(ready.states()), {})
        assert set(seen.values()) == {2}
        assert set(ready.states().values()) == {("accepted", None)}

    def test_not_for_ever(self, ready: Ready) -> None:
        """After some tries it waits, signed, for the next run."""
        postman = of(ready, lambda _: BUSY)
        summary = dispatch(ready.workspace, NOW)
        due = len(ready.states())
        assert (summary.accepted, summary.reasons) == (0, {"provider_not_ready": due})
        assert set(Counter(postman.had).values()) == {4}
        assert set(ready.states().values()) == {("signed", "provider_not_ready")}
        assert ready.rows("sends") == []
        postman.answer = lambda _: ACCEPTED
        assert dispatch(ready.workspace, NOW + timedelta(hours=1)).accepted == due

    def test_who_wants_to_be_left_alone_for_long_is(self, ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
        """Those it was asked about in one batch are all it hears of; the others wait for the next run."""
        monkeypatch.setattr(module, "_BATCHES", 1)
        postman = of(ready, lambda _: Result("not_sent", reason="http_429", wait=timedelta(minutes=10)))
        assert set(dispatch(ready.workspace, NOW).reasons) == {"provider_not_ready"}
        assert len(postman.had) == Postman.batch

    def test_an_answer_that_is_too_old_is_asked_for_anew(self, ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the sources said a while ago sends nothing; each touch goes out by a fresh word."""
        asked: list[int] = []
        real = module.judge

        def judged(*args: object, **named: object) -> object:
            asked.append(len(args[3]))  # type: ignore[arg-type]
            monkeypatch.setattr(module, "_FRESH", timedelta(seconds=-1 if len(asked) == 1 else 3600))
            return real(*args, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(module, "judge", judged)
        of(ready, lambda _: ACCEPTED)
        due = len(ready.states())
        assert dispatch(ready.workspace, NOW).accepted == due
        assert asked == [due, due]

    def test_one_that_was_never_asked_what_came_back_has_to_be_heard_first(
        self, ready: Ready, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody may have said no to it."""
        monkeypatch.setattr(Postman, "tells", True)
        postman = of(ready, lambda _: ACCEPTED)
        assert dispatch(ready.workspace, NOW).reasons == {"provider_not_heard": len(ready.states())}
        assert postman.had == []
        assert hear_providers(ready.workspace, NOW).silent == ()
        assert dispatch(ready.workspace, NOW).accepted == len(ready.states())


class TestConsequences:
    def test_who_said_no_to_the_provider_is_suppressed(self, ready: Ready) -> None:
        """At once and for good, and his sequence ends; the others go on."""
        who = first_due(ready)
        no = Result("refused", reason="twilio_21610", consequence="suppress")
        of(ready, lambda touch: no if touch.customer_id == who else ACCEPTED)
        summary = dispatch(ready.workspace, NOW)
        assert (summary.refused, summary.accepted) == (1, len(ready.states()) - 1)
        (row,) = [row for row in ready.rows("suppressions") if row.source == "dispatch"]
        assert (row.address_key, row.channel, row.reason) == (_key(who), "*", "opt_out")
        assert ready.exits() == {who: "opted_out"}
        assert ready.states()[who] == ("refused", "twilio_21610")

    def test_a_dead_address_is_not_written_to_again(self, ready: Ready) -> None:
        """It is the address that is suppressed, by a reason that no person gave."""
        who = first_due(ready)
        dead = Result("refused", reason="smtp_550", consequence="drop_address")
        of(ready, lambda touch: dead if touch.customer_id == who else ACCEPTED)
        dispatch(ready.workspace, NOW)
        (row,) = [row for row in ready.rows("suppressions") if row.source == "dispatch"]
        assert (row.address_key, row.brand, row.reason) == (_key(who), "*", "hard_bounce")

    def test_a_provider_that_distrusts_us_stops_the_channel(
        self, ready: Ready, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The batch that was on its way is the last: everybody else waits until a person lets it go on."""
        monkeypatch.setattr(module, "_BATCHES", 1)
        filtered = Result("refused", reason="twilio_30007", consequence="stop_channel")
        postman = of(ready, lambda _: filtered)
        summary = dispatch(ready.workspace, NOW)
        assert (summary.refused, set(summary.reasons)) == (Postman.batch, {"stopped"})
        assert len(postman.had) == Postman.batch
        with ready.workspace.ledger.begin() as conn:
            (stop,) = stops.standing(conn, NOW + timedelta(hours=1))
        assert (stop.scope, stop.reason) == ("channel:email", "provider:twilio_30007")


class TestErrors:
    def test_one_that_cannot_work_ends_the_run_and_the_others_answers_count(self, ready: Ready) -> None:
        """What the provider took is recorded, what it did not take is as if it had not been tried."""
        who = first_due(ready)

        def broken(touch: SendableTouch) -> Result:
            if touch.customer_id == who:
                raise DeliveryError("the connection reactivation_email is refused; renew its password")
            return ACCEPTED

        postman = of(ready, broken)
        with pytest.raises(DeliveryError, match="renew its password"):
            dispatch(ready.workspace, NOW)
        states = ready.states()
        assert states[who] == ("signed", None)
        assert {name for name, state in states.items() if state == ("accepted", None)} == set(postman.had) - {who}
        assert {row.state for row in ready.rows("sends")} == {"accepted"}
        assert all(row.reserved_by is None for row in ready.rows("touches"))

    def test_a_call_that_does_not_end_is_unknown(self, ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody waits for a provider without end, and nobody repeats the call."""
        monkeypatch.setattr(handover, "CALL_SECONDS", 0.01)
        postman = Silent(lambda _: ACCEPTED)
        goes_by(ready, postman)
        summary = dispatch(ready.workspace, NOW)
        assert summary.unknown == len(ready.states()) == len(postman.had)
        assert set(ready.states().values()) == {("unknown", "raised:TimeoutError")}
        dispatch(ready.workspace, NOW + timedelta(minutes=1))
        assert len(postman.had) == len(ready.states())


class TestLookUps:
    def test_a_look_up_knows_whom_and_what(self, ready: Ready) -> None:
        """Recipient and words are read from the draft again; where it is gone the key and the time must do."""
        postman = of(ready, lambda _: Result("unknown", reason="timed_out"))
        dispatch(ready.workspace, NOW)
        dispatch(ready.workspace, NOW + timedelta(minutes=1))
        told = {call.key: call for call in postman.asked}
        assert set(told) == {row.send_id for row in ready.rows("sends")}
        assert {call.recipient for call in told.values()} == {
            f"{name.removeprefix('c-')}.hart@gmail.com" for name in ready.states()
        }
        assert all(call.text for call in told.values())
        assert "@gmail" not in repr(postman.asked)

    def test_what_a_look_up_finds_has_its_consequences(self, ready: Ready) -> None:
        """A no that the provider tells later is a no."""
        postman = of(ready, lambda _: Result("unknown", reason="timed_out"))
        dispatch(ready.workspace, NOW, limit=1)
        (unknown,) = ready.rows("sends")
        postman.found = Result("refused", reason="unsubscribed", consequence="suppress")
        dispatch(ready.workspace, NOW + timedelta(minutes=1), limit=0)
        (row,) = [row for row in ready.rows("suppressions") if row.source == "dispatch"]
        assert (row.address_key, row.reason) == (unknown.address_key, "opt_out")
        assert list(ready.exits().values()) == ["opted_out"]


class Silent(Postman):
    """A provider that takes a message and never says so."""

    async def send(self, touch: SendableTouch, key: str, at: datetime) -> Result:
        await super().send(touch, key, at)
        await asyncio.Event().wait()
        return ACCEPTED


def _key(customer_id: str) -> str:
    return KEYS.key_of(f"{customer_id.removeprefix('c-')}.hart@gmail.com")
