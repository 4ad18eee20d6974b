"""SendGrid: what it is sent, what its answers mean, and what it is asked afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fakes.fake import Fake
from tests.fakes.faults import Fault
from tests.fakes.sendgrid import SETTINGS
from tests.fakes.specification import needed
from tests.fakes.talking import KEY, a_fake, opened, sent, talk
from tests.ledgers import NOW
from tests.signed import a_signed_touch

from reactivation.delivery import Call, DeliveryError, Result


@pytest.fixture(autouse=True)
def documents() -> None:
    needed("tsg_mail_v3.json", "tsg_logs_v3.json")


def refused(field: str | None) -> Fault:
    return Fault("answer", status=400, body={"errors": [{"message": "zoe.okafor@mail.example", "field": field}]})


def found(fake: Fake, key: str = KEY) -> Result | None:
    return talk(fake, lambda url: opened("sendgrid", url), lambda provider: provider.find(Call(key, NOW)))


def problems(**settings: Any) -> tuple[str, ...]:
    fake = a_fake("sendgrid")
    fake.settings = {f"/v3/{name}": told for name, told in settings.items()}
    return talk(fake, lambda url: opened("sendgrid", url), lambda provider: provider.problems())


def enabled(kind: str, name: str) -> Any:
    listed = SETTINGS[f"/v3/{kind}"]["result"]  # type: ignore[index]
    return {"result": [one | {"enabled": one["name"] == name} for one in listed]}


def test_one_person_gets_the_signed_words_and_nothing_is_added() -> None:
    """One recipient, the words, our own way to unsubscribe, the key, and every alteration off."""
    fake, touch = a_fake("sendgrid"), a_signed_touch()
    sent("sendgrid", fake, touch=touch)
    assert fake.received[0].body == {
        "personalizations": [{"to": [{"email": touch.recipient}], "custom_args": {"key": KEY}}],
        "from": {"email": "hello@harbour-finch.example", "name": "Harbour & Finch"},
        "subject": touch.subject,
        "content": [{"type": "text/plain", "value": touch.text}, {"type": "text/html", "value": touch.html}],
        "categories": [KEY],
        "headers": dict(touch.headers),
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False}, "open_tracking": {"enable": False},
            "subscription_tracking": {"enable": False}, "ganalytics": {"enable": False},
        },
        "mail_settings": {"footer": {"enable": False}, "sandbox_mode": {"enable": False}},
    }  # fmt: skip


def test_words_that_make_no_message_are_never_sent() -> None:
    """The same proof as for a file of the outbox."""
    fake = a_fake("sendgrid")
    assert sent("sendgrid", fake, touch=a_signed_touch(subject="two\nlines")).state == "refused"
    assert fake.received == []


def test_a_sandbox_is_no_acceptance() -> None:
    """It answers 200 and sends nothing."""
    assert sent("sendgrid", a_fake("sendgrid", Fault("answer", status=200, body={}))).state == "unknown"


@pytest.mark.parametrize(("field", "result"), [
    ("personalizations.0.to.0.email",
     Result("refused", reason="personalizations.0.to.0.email", consequence="drop_address")),
    ("subject", Result("refused", reason="subject")),
    ("null", Result("refused", reason="http_400")),
    (None, Result("refused", reason="http_400")),
    ("zoe.okafor@mail.example", Result("refused", reason="http_400")),
])  # fmt: skip
def test_a_no_is_known_by_the_field_it_is_about(field: str | None, result: Result) -> None:
    """Only a field's name is passed on; words and anything that looks like an address are not."""
    assert sent("sendgrid", a_fake("sendgrid", refused(field))) == result


def test_a_sender_it_does_not_know_stops_everything() -> None:
    """It is the same for all messages."""
    with pytest.raises(DeliveryError, match="connection reactivation_email: SendGrid does not accept the sender"):
        sent("sendgrid", a_fake("sendgrid", refused("from.email")))


class TestLookUp:
    def test_a_message_is_found_by_its_category(self) -> None:
        """Which is its key, so another's is not."""
        fake = a_fake("sendgrid", Fault("drop_after"))
        assert sent("sendgrid", fake).state == "unknown"
        assert found(fake) == Result("accepted", reference="sg-1")
        assert found(fake, key=KEY[::-1]) is None

    @pytest.mark.parametrize(("reason", "consequence"), [
        ("Unsubscribed Address", "suppress"), ("Spam Reporting Address", "suppress"),
        ("Bounced Address", "drop_address"), ("Invalid", "drop_address"), ("Spam Content", None),
    ])  # fmt: skip
    def test_a_message_it_dropped_was_refused(self, reason: str, consequence: str | None) -> None:
        """It took it and will never send it; its reason may say more about the person."""
        fake = a_fake("sendgrid")
        sent("sendgrid", fake)
        fake.accepted[0] |= {"status": "dropped", "reason": reason}
        expected = Result("refused", reference="sg-1", reason="dropped", consequence=consequence)  # type: ignore[arg-type]
        assert found(fake) == expected

    def test_a_key_that_would_change_the_question_is_not_asked(self) -> None:
        """Keys are ours and plain; nothing else goes into a query."""
        fake = a_fake("sendgrid")
        assert found(fake, key="x') OR status IN ('delivered") is None
        assert fake.received == []


class TestProblems:
    def test_an_account_that_leaves_messages_alone_has_none(self) -> None:
        """Scopes, tracking and mail settings are read."""
        assert problems() == ()

    @pytest.mark.parametrize(("kind", "name"), [
        ("tracking_settings", "click"), ("tracking_settings", "open"), ("tracking_settings", "subscription"),
        ("tracking_settings", "google_analytics"), ("mail_settings", "footer"), ("mail_settings", "template"),
        ("mail_settings", "bcc"),
    ])  # fmt: skip
    def test_each_alteration_is_named(self, kind: str, name: str) -> None:
        """With the setting to switch off."""
        (problem,) = problems(**{kind: enabled(kind, name)})
        assert problem.startswith("connection reactivation_email: SendGrid ")
        assert problem.endswith(f"(setting {name}); switch it off in the account's settings")

    def test_a_key_that_may_not_send_is_named(self) -> None:
        """Its scopes say so before the first message would."""
        (problem,) = problems(scopes={"scopes": ["stats.read"]})
        assert "does not let its key send mail; put an API key" in problem

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_key_that_may_not_look_is_named(self, status: int) -> None:
        """What cannot be verified is not taken for granted."""
        (problem,) = problems(mail_settings=status)
        assert f"does not let its key read mail settings (HTTP {status}); put an API key" in problem
