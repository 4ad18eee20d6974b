"""Webhooks: off until switched on; signed by the provider, or nothing is read; committed, or it is no 200."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.public.signing import CALLS, HOOKS, OTHER_KEYS, Sent, sendgrid, twilio
from tests.public.visits import EMAIL, KEYS, NOW, PHONE, Ask, House, asking

from reactivation.ledger.engine import LedgerError
from reactivation.ledger.tables import audit, events, suppressions
from reactivation.public import create_app
from reactivation.steps.settings import ConfigurationError
from reactivation.steps.workspace import Workspace

PROVIDERS = sorted(CALLS)
REASONS = {"sendgrid": "opt_out", "resend": "complaint", "twilio": "opt_out"}


@pytest.fixture(autouse=True)
def _clock_of_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resend's SDK looks at a clock itself."""
    monkeypatch.setattr("resend.webhooks._webhooks.time", SimpleNamespace(time=NOW.timestamp))


@pytest.fixture
def hook(house: House) -> Ask:
    """Asks the application of the house, with all webhooks switched on."""
    return asking(house.app(webhooks=HOOKS))


def send(ask: Ask, call: Sent) -> int:
    return ask("POST", call.path, **call.request()).status_code


class TestTaken:
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_a_no_is_in_the_ledger_when_the_answer_comes(self, on_both: House, provider: str) -> None:
        """For every address of theirs; what waits for them is cancelled, and told again it is nothing new."""
        ask, call = asking(on_both.app(webhooks=HOOKS)), CALLS[provider]()
        assert send(ask, call) == 200
        assert on_both.noes() == {(KEYS.key_of(one), "*", REASONS[provider]) for one in (EMAIL, PHONE)}
        assert (set(on_both.exits()), on_both.waiting()) == ({"c-ann"}, {"c-bob"})
        first = [on_both.rows(table) for table in (suppressions, events, audit)]
        assert send(ask, call) == 200
        assert [on_both.rows(table) for table in (suppressions, events, audit)] == first

    def test_twilio_is_given_no_words_to_send_on(self, hook: Ask) -> None:
        """Whatever text an answer to an incoming message has, Twilio would send to the person."""
        call = twilio()
        answer = hook("POST", call.path, **call.request())
        assert (answer.text, answer.headers["content-type"].partition(";")[0]) == ("<Response/>", "text/xml")

    def test_twilio_signs_the_url_it_was_told_whatever_a_request_says_of_it(self, hook: Ask) -> None:
        """Behind a proxy nobody can be asked but the connection; a query of it is signed as well."""
        asked = twilio(query="from=console")
        assert send(hook, asked.changed(headers=asked.headers | {"host": "elsewhere.test"})) == 200
        assert send(hook, asked.changed(path="/hooks/twilio?from=elsewhere")) == 403

    def test_while_a_key_is_changed_both_are_believed(self, house: House) -> None:
        """The old one and the new one, commas between."""
        both = [replace(one, keys=(OTHER_KEYS[one.provider], *one.keys)) for one in HOOKS]
        assert [send(asking(house.app(webhooks=both)), CALLS[name]()) for name in PROVIDERS] == [200] * 3


class TestRefused:
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_what_is_not_switched_on_is_not_there(self, house: House, provider: str) -> None:
        """The same page as any other path."""
        ask, call = asking(house.app()), CALLS[provider]()
        answer = ask("POST", call.path, **call.request())
        assert (answer.status_code, answer.text) == (404, ask("GET", "/nothing").text)

    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_without_the_provider_s_signature_nothing_is_read(self, house: House, provider: str) -> None:
        """None, one of another body, one by another key, one that is no signature."""
        ask, call = asking(house.app(webhooks=HOOKS)), CALLS[provider]()
        (name,) = [one for one in call.headers if one.endswith("signature")]
        bare = {key: value for key, value in call.headers.items() if key != name}
        foreign = [replace(one, keys=(OTHER_KEYS[one.provider],)) for one in HOOKS]
        assert send(ask, call.changed(headers=bare)) == 403
        assert send(ask, call.changed(body=call.body + b" ")) == 403
        for signature in ("", "v1,", "AAAA", "é", "v1," + "A" * 43 + "=", "%"):
            assert send(ask, call.changed(headers=bare | {name: signature.encode()})) == 403
        assert send(asking(house.app(webhooks=foreign)), call) == 403
        assert (house.noes(), house.rows(events)) == (set(), [])

    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_any_other_bit_of_the_body_is_another_call(
        self, tmp_path_factory: pytest.TempPathFactory, provider: str
    ) -> None:
        """Wherever it is."""
        made, call = House(tmp_path_factory.mktemp("hooks"), "sqlite:///nowhere.db"), CALLS[provider]()
        ask = asking(create_app(made.settings, _closed, HOOKS))

        @settings(max_examples=25)
        @given(st.integers(0, 8 * len(call.body) - 1))
        def flipped(bit: int) -> None:
            body = bytearray(call.body)
            body[bit // 8] ^= 1 << bit % 8
            assert send(ask, call.changed(body=bytes(body))) == 403

        flipped()

    @pytest.mark.parametrize(("provider", "after"), [
        ("sendgrid", timedelta(hours=-26)), ("sendgrid", timedelta(minutes=6)),
        ("resend", timedelta(minutes=-6)), ("resend", timedelta(minutes=6)),
    ])  # fmt: skip
    def test_a_call_of_another_time_is_refused(self, house: House, hook: Ask, provider: str, after: timedelta) -> None:
        """However well it is signed. (Twilio signs no time; what it told before is nothing new.)"""
        assert send(hook, CALLS[provider](NOW + after)) == 403
        assert house.rows(events) == []

    def test_a_day_late_is_not_too_late_for_sendgrid(self, house: House, hook: Ask) -> None:
        """So long it tries to deliver, and an opt-out is worth it."""
        assert send(hook, sendgrid(NOW - timedelta(hours=24))) == 200
        assert set(house.exits()) == {"c-ann"}

    @pytest.mark.parametrize("time", ["", "-1", "1e3", "9" * 12, "²", "later"])
    def test_a_time_that_is_none_is_refused(self, hook: Ask, time: str) -> None:
        """Before anything is made of it."""
        call = sendgrid()
        headers = call.headers | {"x-twilio-email-event-webhook-timestamp": time.encode()}
        assert send(hook, call.changed(headers=headers)) == 403

    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_other_types_and_too_much_are_refused_unread(self, hook: Ask, provider: str) -> None:
        """One type for each provider, nothing packed, at most a mebibyte; and POST alone."""
        call = CALLS[provider]()
        for changed in ({"content-type": "text/plain"}, {"content-encoding": "gzip"}):
            assert send(hook, call.changed(headers=call.headers | changed)) == 415
        assert send(hook, call.changed(body=b"x" * (1024 * 1024 + 1))) == 413
        assert hook("GET", call.path).status_code == 405

    def test_too_fast_is_told_to_wait(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """By client."""
        monkeypatch.setattr("reactivation.public.app.PACE", (0.001, 3))
        ask, call = asking(house.app(webhooks=HOOKS)), sendgrid()
        told = [ask("POST", call.path, **call.request()) for _ in range(4)]
        assert [answer.status_code for answer in told] == [200, 200, 200, 429]
        assert int(told[-1].headers["retry-after"]) > 1
        assert ask("POST", call.path, client="198.51.100.1", **call.request()).status_code == 200


class TestWrong:
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_without_the_ledger_it_is_to_be_told_again(self, house: House, provider: str) -> None:
        """503, and when it can be used again the same call is taken."""
        broken = True

        def rooms() -> Workspace:
            if broken:
                raise LedgerError("ledger postgresql://reactivation:***@db/x cannot be used: connection refused")
            return house.workspace

        ask, call = asking(create_app(house.settings, rooms, HOOKS)), CALLS[provider]()
        answer = ask("POST", call.path, **call.request())
        assert (answer.status_code, answer.headers["retry-after"], house.exits()) == (503, "120", {})
        broken = False
        assert send(ask, call) == 200
        assert set(house.exits()) == {"c-ann"}

    def test_what_is_signed_and_cannot_be_read_is_no_200(self, hook: Ask) -> None:
        """So that it shows at the provider; rows of it that cannot be read are counted, and the others taken."""
        assert send(hook, sendgrid(body=b"{")) == 400
        assert send(hook, sendgrid(body=b"[" * 100_000)) == 400
        assert send(hook, sendgrid(body=b'[1, {"event": "unsubscribe", "email": "ann.sample@example.com"}]')) == 200

    @pytest.mark.parametrize(("provider", "changes", "message"), [
        ("sendgrid", {"keys": ("no key",)}, "no verification key"),
        ("resend", {"keys": ("whsec_",)}, "no signing secret"),
        ("resend", {"keys": ("whsec_c2hvcnQ=",)}, "no signing secret"),
        ("twilio", {"keys": ("short",)}, "no auth token"),
        ("twilio", {"url": None}, "no URL as its host"),
        ("twilio", {"url": "http://go.test/hooks/twilio"}, "no URL as its host"),
    ])  # fmt: skip
    def test_a_wrong_key_is_told_when_the_process_starts(
        self, house: House, provider: str, changes: dict[str, object], message: str
    ) -> None:
        """With its connection, in a sentence that quotes nothing of it."""
        (known,) = [one for one in HOOKS if one.provider == provider]
        with pytest.raises(ConfigurationError, match=message) as refused:
            house.app(webhooks=[replace(known, **changes)])  # type: ignore[arg-type]
        assert known.connection in str(refused.value)


def test_the_log_has_counts_and_nobody(house: House, hook: Ask, caplog: pytest.LogCaptureFixture) -> None:
    """Of what is taken and of what is refused."""
    with caplog.at_level(logging.DEBUG):
        for provider in PROVIDERS:
            call = CALLS[provider]()
            send(hook, call)
            send(hook, call.changed(body=call.body + b" "))
    assert "resend: events 1, exit:complained 1, suppressions 2" in caplog.text
    assert "twilio: a call without a valid signature of now" in caplog.text
    assert not any(word in caplog.text for word in (EMAIL, "ann.sample", PHONE, PHONE[1:], "Stop", "203.0.113"))


def _closed() -> Workspace:
    raise AssertionError("nobody without a signature reaches the ledger")
