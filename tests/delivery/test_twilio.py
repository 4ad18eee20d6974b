"""Twilio: what it is sent, what its codes mean, and how a call is found again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.fake import Fake
from tests.fakes.faults import Fault
from tests.fakes.specification import needed
from tests.fakes.talking import BRIEF, KEY, SECRET, a_fake, opened, sent, talk
from tests.fakes.twilio import ACCOUNT_SID, API_KEY_SID, SERVICE_SID, SETTINGS, refusal_body
from tests.ledgers import NOW
from tests.signed import a_signed_text_message

from reactivation.delivery import Call, DeliveryError, Provider, Result
from reactivation.delivery.twilio import CODES, SET_UP, Twilio


@pytest.fixture(autouse=True)
def documents() -> None:
    needed("twilio_api_v2010.json")


def coded(code: int) -> Fault:
    return Fault("answer", status=400, body=refusal_body(code))


def found(fake: Fake, **changes: Any) -> Result | None:
    touch = a_signed_text_message()
    call = {"key": KEY, "called_at": NOW, "recipient": touch.recipient, "text": touch.text} | changes
    return talk(fake, lambda url: opened("twilio", url), lambda provider: provider.find(Call(**call)))


def with_service(url: str) -> Provider:
    return Twilio("reactivation_sms", SECRET, login=API_KEY_SID, account_sid=ACCOUNT_SID,
                  messaging_service_sid=SERVICE_SID, url=url, per_second=1000)  # fmt: skip


def problems(settings: dict[str, Any]) -> tuple[str, ...]:
    fake = a_fake("twilio")
    fake.settings = settings
    return talk(fake, with_service, lambda provider: provider.problems())


class TestRequest:
    def test_one_person_gets_the_signed_words_from_the_signed_sender(self) -> None:
        """Neither encoded smartly nor shortened nor scheduled; nobody is called back."""
        fake, touch = a_fake("twilio"), a_signed_text_message()
        sent("twilio", fake, touch=touch)
        (call,) = fake.received
        assert call.path == f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
        assert call.body == {
            "To": touch.recipient, "From": touch.sender, "Body": touch.text, "SmartEncoded": "false",
            "ShortenUrls": "false", "ValidityPeriod": "36000",
        }  # fmt: skip

    def test_a_service_does_not_choose_another_sender(self) -> None:
        """The signed one goes along, and must be in its pool."""
        fake, touch = a_fake("twilio"), a_signed_text_message()
        talk(fake, with_service, lambda provider: provider.send(touch, KEY, NOW))
        body = fake.received[0].body
        assert (body["MessagingServiceSid"], body["From"]) == (SERVICE_SID, touch.sender)

    def test_its_queue_ends_with_the_window_of_the_touch(self) -> None:
        """A message that waits there any longer would go out when nobody signed for it."""
        fake = a_fake("twilio")
        sent("twilio", fake, touch=a_signed_text_message(not_after=NOW + timedelta(minutes=20)))
        assert fake.received[0].body["ValidityPeriod"] == "1200"

    def test_words_that_make_no_text_message_are_never_sent(self) -> None:
        """The same proof as for a file of the outbox."""
        fake = a_fake("twilio")
        result = sent("twilio", fake, touch=a_signed_text_message(recipient="07700 900456"))
        assert result == Result("refused", reason="to_is_no_number")
        assert fake.received == []


class TestCodes:
    @pytest.mark.parametrize(("code", "state", "consequence"), [
        (21610, "refused", "suppress"), (21211, "refused", "drop_address"), (21614, "refused", "drop_address"),
        (21635, "refused", "drop_address"), (30005, "refused", "drop_address"), (30006, "refused", "drop_address"),
        (30007, "refused", "stop_channel"), (30001, "not_sent", None), (21611, "not_sent", None),
        (30003, "not_sent", None), (21617, "refused", None),
    ])  # fmt: skip
    def test_a_code_says_what_follows(self, code: int, state: str, consequence: str | None) -> None:
        """About the message, about the person, or about all messages; what is not sent says how long to wait."""
        result = sent("twilio", a_fake("twilio", coded(code)))
        assert (result.state, result.reason, result.consequence) == (state, str(code), consequence)
        assert (result.wait is not None) == (state == "not_sent")

    @pytest.mark.parametrize("code", sorted(SET_UP))
    def test_a_code_about_the_set_up_stops_everything(self, code: int) -> None:
        """With the fix."""
        with pytest.raises(
            DeliveryError, match=rf"connection reactivation_sms: Twilio .*\({code}\); {SET_UP[code][:12]}"
        ):
            sent("twilio", a_fake("twilio", coded(code)))

    @pytest.mark.parametrize(("number", "code"), [
        ("+15005550004", 21610), ("+15005550001", 21211), ("+15005550009", 21614),
    ])  # fmt: skip
    def test_magic_numbers_mean_the_same(self, number: str, code: int) -> None:
        """Those of Twilio's test credentials."""
        fake = a_fake("twilio")
        assert sent("twilio", fake, touch=a_signed_text_message(recipient=number)) == CODES[code]
        assert fake.accepted == []

    def test_a_code_of_a_broken_server_proves_nothing(self) -> None:
        """A 500 may come after it took the message, whatever else it says."""
        fake = a_fake("twilio", Fault("answer_after", status=500, body=refusal_body(30001, 500)))
        assert sent("twilio", fake).state == "unknown"


class TestLookUp:
    def test_a_call_without_an_answer_is_found(self) -> None:
        """By recipient, day, words and direction."""
        fake = a_fake("twilio", Fault("hang_after"))
        assert sent("twilio", fake, seconds=BRIEF).state == "unknown"
        assert found(fake) == Result("accepted", reference=fake.accepted[0]["sid"])
        asked = fake.received[-1]
        assert (asked.query["To"], asked.query["DateSent>"]) == ("+447700900456", "2026-03-03T10:58:00Z")

    @pytest.mark.parametrize("changes", [
        {"text": "Harbour & Finch: other words. Reply STOP to opt out"}, {"recipient": "+447700900999"},
        {"called_at": NOW + timedelta(minutes=3)}, {"text": None}, {"recipient": None},
    ], ids=str)  # fmt: skip
    def test_another_message_is_not_taken_for_it(self, changes: dict[str, Any]) -> None:
        """Other words, another number, or an earlier message; nothing is asked once the draft was erased."""
        fake = a_fake("twilio")
        sent("twilio", fake)
        assert found(fake, **changes) is None

    def test_a_reply_in_the_same_words_is_not_taken_for_it(self) -> None:
        """Only what came through the API is ours."""
        fake = a_fake("twilio")
        sent("twilio", fake)
        fake.accepted[0]["direction"] = "inbound"
        assert found(fake) is None

    def test_the_first_after_the_call_is_it(self) -> None:
        """Should the same words have gone out twice."""
        fake = a_fake("twilio")
        sent("twilio", fake)
        sent("twilio", fake)
        fake.accepted.reverse()
        fake.accepted[0]["date_created"] = "Tue, 03 Mar 2026 11:05:00 +0000"
        assert found(fake) == Result("accepted", reference=fake.accepted[1]["sid"])

    @pytest.mark.parametrize(("status", "code", "state", "consequence"), [
        ("undelivered", 30005, "refused", "drop_address"), ("failed", 30007, "refused", "stop_channel"),
        ("undelivered", 30003, "accepted", None), ("delivered", None, "accepted", None),
    ])  # fmt: skip
    def test_what_became_of_it_is_told(
        self, status: str, code: int | None, state: str, consequence: str | None
    ) -> None:
        """A number that cannot be reached now was tried all the same."""
        fake = a_fake("twilio")
        sent("twilio", fake)
        fake.accepted[0] |= {"status": status, "error_code": code}
        result = found(fake)
        assert result is not None
        assert (result.state, result.consequence) == (state, consequence)


class TestProblems:
    account, service = f"/2010-04-01/Accounts/{ACCOUNT_SID}.json", f"/v1/Services/{SERVICE_SID}"

    def test_a_real_account_that_leaves_words_alone_has_none(self) -> None:
        """Account and service are read."""
        assert problems({}) == ()

    @pytest.mark.parametrize(("path", "changes", "words"), [
        (account, {"type": "Trial"}, "puts a sentence before each message of a trial account; upgrade the account"),
        (account, {"status": "suspended"}, "has an account that is not active; ask Twilio to activate it"),
        (service, {"smart_encoding": True}, "replaces characters of a message (Smart Encoding); switch it off"),
    ])  # fmt: skip
    def test_each_alteration_is_named(self, path: str, changes: dict[str, Any], words: str) -> None:
        """With the fix."""
        (problem,) = problems({path: SETTINGS[path] | changes})
        assert problem.startswith(f"connection reactivation_sms: Twilio {words}")

    def test_credentials_that_do_not_work_are_named(self) -> None:
        """Before the first message would."""
        (problem,) = problems({self.account: 401})
        assert "its account (HTTP 401); correct its login" in problem
