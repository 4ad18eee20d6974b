"""SMTP: what a server is given, and what its codes, or their lack, say about the message."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from tests.fakes.certificates import contexts
from tests.fakes.smtp import LOGIN, PASSWORD, FakeSmtp, Fault
from tests.fakes.talking import BRIEF, KEY
from tests.ledgers import NOW
from tests.signed import a_signed_text_message, a_signed_touch

from reactivation.approvals import SendableTouch
from reactivation.delivery import Call, DeliveryError, Result
from reactivation.delivery.message import build
from reactivation.delivery.smtp import Smtp

T = TypeVar("T")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What the server shows, and what a client needs to trust it."""
    return contexts(tmp_path_factory.mktemp("tls"))


def talk(fake: FakeSmtp, do: Callable[[Smtp], Awaitable[T]], **settings: Any) -> T:
    async def scenario() -> T:
        async with fake.serving() as port:
            rest = {"security": "none", "seconds": 5.0} | settings
            return await do(Smtp("reactivation_email", host="127.0.0.1", port=port, **rest))

    return asyncio.run(scenario())


def sent(fake: FakeSmtp, touch: SendableTouch | None = None, **settings: Any) -> Result:
    message = touch or a_signed_touch()
    return talk(fake, lambda smtp: smtp.send(message, KEY, NOW), **settings)


def problems(fake: FakeSmtp, **settings: Any) -> tuple[str, ...]:
    return talk(fake, lambda smtp: smtp.problems(), **settings)


class TestMessage:
    def test_one_person_gets_the_bytes_of_the_outbox(self) -> None:
        """The same message, to nobody else, from the signed sender."""
        fake, touch = FakeSmtp(), a_signed_touch()
        assert sent(fake, touch) == Result("accepted", reference=KEY)
        (taken,) = fake.accepted
        assert (taken["sender"], taken["recipients"]) == ("hello@harbour-finch.example", [touch.recipient])
        assert taken["message"].encode() == build(touch, KEY, NOW)

    def test_a_line_that_begins_with_a_dot_arrives(self) -> None:
        """It does not end the message."""
        fake = FakeSmtp()
        sent(fake, a_signed_touch(text="one\n.\n..two\n", html=None))
        assert fake.message().get_content().replace("\r\n", "\n") == "one\n.\n..two\n"

    @pytest.mark.parametrize(("touch", "reason"), [
        (a_signed_text_message(), "channel_not_supported"), (a_signed_touch(subject="two\nlines"), "not_a_message"),
        (a_signed_touch(recipient="zoë@mail.example"), "address_not_ascii"),
    ], ids=["text message", "broken", "not ascii"])  # fmt: skip
    def test_what_is_no_message_is_never_sent(self, touch: SendableTouch, reason: str) -> None:
        """Not even the server is asked."""
        fake = FakeSmtp()
        assert sent(fake, touch).state == "refused"
        assert fake.commands == []

    def test_intents_are_committed_one_by_one(self) -> None:
        """Because nobody can be asked what became of a call."""
        assert Smtp.batch == 1
        assert not Smtp.repeatable
        assert talk(FakeSmtp(), lambda smtp: smtp.find(Call(KEY, NOW))) is None


class TestCodes:
    @pytest.mark.parametrize("at", ["EHLO", "MAIL", "RCPT", "DATA"])
    def test_later_is_not_sent(self, at: str) -> None:
        """A 4xx, whenever: the server did not take it, and may be asked again."""
        fake = FakeSmtp([Fault(at, "451 4.7.1 greylisted")])
        result = sent(fake)
        assert (result.state, result.consequence) == ("not_sent", None)
        assert result.wait is not None
        assert fake.accepted == []

    def test_a_login_it_cannot_judge_now_is_not_sent(self) -> None:
        """Its directory may be back in a minute; that is no wrong password."""
        fake = FakeSmtp([Fault("AUTH", "454 4.7.0 try later")] * 2, logs_in=True)  # once for each way to log in
        assert sent(fake, login=LOGIN, secret=PASSWORD).state == "not_sent"

    def test_a_server_that_does_not_talk_to_us_stops_everything(self) -> None:
        """It is the same for all messages, so none of them is refused for it."""
        with pytest.raises(DeliveryError, match=r"does not talk to this machine \(554\); ask its operator"):
            sent(FakeSmtp([Fault("EHLO", "554 5.7.1 not you")]))

    @pytest.mark.parametrize(("answer", "reason", "consequence"), [
        ("550 5.1.1 <zoe.okafor@mail.example> no such user", "smtp_550_5.1.1", "drop_address"),
        ("550 no such user", "smtp_550", "drop_address"),
        ("553 5.1.3 bad address", "smtp_553_5.1.3", "drop_address"),
        ("550 5.7.1 blocked", "smtp_550_5.7.1", None),
        ("552 5.2.2 mailbox full", "smtp_552_5.2.2", None),
        ("554 no", "smtp_554", None),
    ])  # fmt: skip
    def test_a_recipient_it_refuses_is_refused(self, answer: str, reason: str, consequence: str | None) -> None:
        """Only where there is no such mailbox, the address is dropped."""
        result = sent(FakeSmtp([Fault("RCPT", answer)]))
        assert result == Result("refused", reason=reason, consequence=consequence)  # type: ignore[arg-type]

    def test_words_it_refuses_are_refused(self) -> None:
        """That says nothing about the mailbox."""
        assert sent(FakeSmtp([Fault("DATA", "550 5.7.1 spam")])) == Result("refused", reason="smtp_550_5.7.1")

    def test_a_sender_it_refuses_stops_everything(self) -> None:
        """It is the same for all messages."""
        with pytest.raises(
            DeliveryError, match=r"reactivation_email: .*refuses the sender \(550\); correct the tenant"
        ):
            sent(FakeSmtp([Fault("MAIL", "550 not yours")]))

    def test_an_answer_that_is_neither_yes_nor_no_is_unknown(self) -> None:
        """It had the message when it said so."""
        assert sent(FakeSmtp([Fault("DATA", "354 go on", after=True)])).state == "unknown"


class TestNoAnswer:
    @pytest.mark.parametrize("at", ["EHLO", "MAIL", "RCPT"])
    @pytest.mark.parametrize("hang", [True, False])
    def test_before_the_message_nothing_was_sent(self, at: str, hang: bool) -> None:
        """Whoever is silent or hangs up then has no message."""
        fake = FakeSmtp([Fault(at, hang=hang)])
        assert sent(fake, seconds=BRIEF if hang else 5.0).state == "not_sent"

    @pytest.mark.parametrize("hang", [True, False])
    @pytest.mark.parametrize("after", [True, False])
    def test_after_the_message_nobody_knows(self, after: bool, hang: bool) -> None:
        """Whether it took it or not: from here it looks the same."""
        fake = FakeSmtp([Fault("DATA", hang=hang, after=after)])
        result = sent(fake, seconds=BRIEF if hang else 5.0)
        assert result == Result("unknown", reason="timed_out" if hang else "connection_lost")
        assert len(fake.accepted) == after

    def test_nobody_listens_so_nothing_was_sent(self) -> None:
        """A refused connection."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        smtp = Smtp("reactivation_email", host="127.0.0.1", port=port, security="none", seconds=5)
        assert asyncio.run(smtp.send(a_signed_touch(), KEY, NOW)) == Result("not_sent", reason="connect_failed")


class TestEncryption:
    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_login_and_message_go_over_tls(
        self, security: str, tls: tuple[ssl.SSLContext, ssl.SSLContext]
    ) -> None:  # fmt: skip
        """Both ways, to who shows a certificate we trust."""
        fake = FakeSmtp(tls=tls[0], implicit=security == "tls", logs_in=True)
        result = sent(fake, security=security, tls=tls[1], login=LOGIN, secret=PASSWORD)
        assert result.state == "accepted"
        assert len(fake.accepted) == 1

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_a_server_nobody_vouches_for_gets_nothing(
        self, security: str, tls: tuple[ssl.SSLContext, ssl.SSLContext]
    ) -> None:  # fmt: skip
        """Neither login nor message."""
        fake = FakeSmtp(tls=tls[0], implicit=security == "tls", logs_in=True)
        result = sent(fake, security=security, login=LOGIN, secret=PASSWORD)
        assert result.state == "not_sent"
        assert "MAIL" not in fake.commands

    def test_a_server_without_starttls_gets_nothing(self) -> None:
        """Nothing is said in the open because somebody on the way removed the offer."""
        fake = FakeSmtp()
        with pytest.raises(DeliveryError, match="offers no STARTTLS; set security to tls"):
            sent(fake, security="starttls")
        assert "MAIL" not in fake.commands

    def test_a_login_it_refuses_stops_everything(self) -> None:
        """It is the same for all messages."""
        with pytest.raises(DeliveryError, match=r"refuses the login \(535\); correct its login, password"):
            sent(FakeSmtp(logs_in=True), login=LOGIN, secret="wrong")

    def test_a_server_that_wants_a_login_stops_everything(self) -> None:
        """Without one, it would refuse them all."""
        with pytest.raises(DeliveryError, match=r"refuses the login \(530\)"):
            sent(FakeSmtp(logs_in=True))

    def test_a_server_without_login_is_not_given_one(self) -> None:
        """The password is not tried on whoever answers."""
        with pytest.raises(DeliveryError, match="offers no way to log in; remove login and password"):
            sent(FakeSmtp(), login=LOGIN, secret=PASSWORD)


class TestProblems:
    def test_a_server_that_lets_us_in_encrypted_has_none(self, tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
        """Asked without a message."""
        fake = FakeSmtp(tls=tls[0], logs_in=True)
        assert problems(fake, security="starttls", tls=tls[1], login=LOGIN, secret=PASSWORD) == ()
        assert fake.commands == ["EHLO", "EHLO", "AUTH"]

    def test_each_is_named(self) -> None:
        """Without encryption, and with a login that does not work."""
        found = problems(FakeSmtp(logs_in=True), login=LOGIN, secret="wrong")
        assert [one.split(" ", 6)[-1] for one in found] == [
            "is spoken to without encryption; set security to starttls or tls",
            "refuses the login (535); correct its login, password and security",
        ]

    def test_a_server_that_is_not_there_is_named(self, tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
        """With how it failed."""
        (found,) = problems(FakeSmtp(tls=tls[0], implicit=True), security="tls")
        assert "cannot be reached (" in found
        assert found.endswith("correct host, port and security")


@pytest.mark.parametrize("fault", [
    Fault("RCPT", "550 5.1.1 <zoe.okafor@mail.example> no such user"), Fault("MAIL", "550 zoe.okafor@mail.example"),
    Fault("DATA"), Fault("DATA", "554 zoe.okafor@mail.example"),
], ids=lambda fault: f"{fault.at}-{fault.answer}")  # fmt: skip
def test_nothing_personal_and_no_secret_is_told(fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    """Not in a result, an error, its causes, a log or the provider's own name."""
    caplog.set_level(logging.DEBUG)
    fake, said = FakeSmtp([fault], logs_in=True), list[str]()

    async def tried(smtp: Smtp) -> None:
        said.append(repr(smtp))
        try:
            said.append(repr(await smtp.send(a_signed_touch(), KEY, NOW)))
        except DeliveryError as error:
            said.append(f"{error!r} {error.__cause__!r}")

    talk(fake, tried, login=LOGIN, secret=PASSWORD)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("mail.")]
    for word in (PASSWORD, "zoe.okafor", "gutters"):
        assert word not in "\n".join([*said, *ours])
