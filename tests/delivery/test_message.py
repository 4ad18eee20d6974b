"""The bytes of a message are the signed words, or there is no message."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledgers import NOW, an_id
from tests.signed import TEXT, a_signed_touch

from reactivation.delivery.message import MessageError, build

KEY = an_id("send")
#: A blank subject is refused: a reader would not see what was signed.
SUBJECTS = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" ")).map(str.strip)
WORDS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"], include_characters="\n\t"), max_size=400)


def _read(made: bytes) -> EmailMessage:
    read = message_from_bytes(made, policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def _words(part: MIMEPart) -> str:
    """The words of a part as a client shows them: the wire's line ends are line ends."""
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_mail_client_reads_exactly_what_was_signed() -> None:
    """From, To, Subject, both unsubscribe headers, the plain words and the HTML."""
    touch = a_signed_touch()
    read = _read(build(touch, KEY, NOW))
    assert read["From"] == touch.sender
    assert read["To"] == touch.recipient
    assert read["Subject"] == touch.subject
    assert [(name, read[name]) for name, _ in touch.headers] == list(touch.headers)
    plain, html = read.get_body(("plain",)), read.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert _words(plain) == TEXT
    assert _words(html) == touch.html


def test_one_message_has_one_recipient_and_no_hidden_header() -> None:
    """Nothing that nobody signed, but for the transport's own."""
    read = _read(build(a_signed_touch(), KEY, NOW))
    ours = {"From", "To", "Subject", "List-Unsubscribe", "List-Unsubscribe-Post"}
    assert set(read.keys()) == ours | {"Date", "Message-ID", "MIME-Version", "Content-Type"}
    assert len(read["To"].addresses) == 1


def test_the_unsubscribe_link_stands_in_one_line() -> None:
    """A client that does not unfold or decode finds the link as it was signed."""
    touch = a_signed_touch()
    lines = build(touch, KEY, NOW).decode("ascii").split("\r\n")
    assert f"List-Unsubscribe: {dict(touch.headers)['List-Unsubscribe']}" in lines


def test_lines_of_the_body_are_short_and_ascii() -> None:
    """No relay has a reason to rewrite it."""
    made = build(a_signed_touch(text="é" * 5000), KEY, NOW)
    body = made.split(b"\r\n\r\n", 1)[1]
    assert max(map(len, body.split(b"\r\n"))) <= 78
    assert made.isascii()


def test_the_same_send_gives_the_same_bytes() -> None:
    """Date, Message-ID and boundary come from the key and the instant."""
    assert build(a_signed_touch(), KEY, NOW) == build(a_signed_touch(), KEY, NOW)
    assert build(a_signed_touch(), KEY, NOW) != build(a_signed_touch(), an_id("another"), NOW)


@given(text=WORDS, html=WORDS, subject=SUBJECTS)
def test_whatever_was_signed_is_what_is_read(text: str, html: str, subject: str) -> None:
    """For any printable words, in any script."""
    touch = a_signed_touch(text=text, html=html, subject=subject)
    read = _read(build(touch, KEY, NOW))
    plain, shown = read.get_body(("plain",)), read.get_body(("html",))
    assert plain is not None
    assert shown is not None
    assert _words(plain) in (text, f"{text}\n")
    assert _words(shown) in (html, f"{html}\n")
    assert read["Subject"] == subject


def test_ordinary_words_are_never_refused() -> None:
    """Names, money signs, emoji and long paragraphs go through."""
    for text in (
        "Grüße aus Köln\n",
        "£15 für Sie 🎁\n",
        "word " * 2000 + "\n",
        "=3D is not =\n",
        ".\n..\n\nFrom here\n",
        "",
    ):
        build(a_signed_touch(text=text), KEY, NOW)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"subject": "Hello\r\nBcc: all@mail.example"}, "not_a_message"),
        ({"recipient": "zoe@mail.example, ben@mail.example"}, "not_a_message"),
        ({"recipient": "zoe@mail.example\nBcc: ben@mail.example"}, "not_a_message"),
        ({"recipient": ""}, "not_a_message"),
        ({"sender": "no address at all"}, "not_a_message"),
        ({"sender": "a@b.example, c@d.example"}, "not_a_message"),
        ({"headers": (("List-Unsubscribe", "<https://a.example>\r\nBcc: x@y.example"),)}, "not_a_message"),
        ({"headers": (("Subject", "a second subject"),)}, "not_a_message"),
        ({"text": "carriage\rreturn\n"}, "plain_differs"),
    ],
)
def test_what_cannot_be_sent_as_signed_is_not_made(changes: dict[str, object], code: str) -> None:
    """Injected headers, several recipients, a broken sender: no bytes, and a reason without the words."""
    with pytest.raises(MessageError) as caught:
        build(a_signed_touch(**changes), KEY, NOW)
    assert caught.value.code == code
