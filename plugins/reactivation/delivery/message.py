"""From a signed touch to an Internet message with exactly the signed words in it.

Date, Message-ID and boundaries belong to the transport and are outside the signature; they are made of the key and the
instant, so that the same send gives the same bytes. A message that does not read back as what was signed is not made.
"""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import lru_cache

from reactivation.approvals import SendableTouch

#: A header is not folded inside a link: a client must find it as it was signed.
_WHOLE_HEADERS = policy.SMTP.clone(max_line_length=998)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_ADDRESS = re.compile(r"[^\s@,;:<>\"()\[\]\x00-\x1f\x7f]+@[^\s@,;:<>\"()\[\]\x00-\x1f\x7f]+")


class MessageError(Exception):
    """The signed words cannot be put into a message; ``code`` says why, without quoting them."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def build(touch: SendableTouch, key: str, at: datetime) -> bytes:
    """The bytes of one e-mail. Raises ``MessageError``."""
    message = EmailMessage(policy=policy.SMTP)
    try:
        message["From"] = touch.sender
        message["To"] = Address(addr_spec=touch.recipient)
        message["Subject"] = touch.subject
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<{key}@{_domain(message)}>"
        for name, value in touch.headers:
            message[name] = value
        message.set_content(touch.text, cte="quoted-printable")
        if touch.html is not None:
            message.add_alternative(touch.html, subtype="html", cte="quoted-printable")
            message.set_boundary(f"=_{key}")
        made = message.as_bytes(policy=_WHOLE_HEADERS)
    except (ValueError, TypeError, LookupError) as error:
        raise MessageError("not_a_message") from error
    _prove(made, touch)
    return made


def check_words(touch: SendableTouch) -> None:
    """For a provider that makes the message itself: that no word of it can end a header or name a second recipient.

    Raises ``MessageError``. ``build`` proves more, and takes a hundred times as long.
    """
    if touch.channel != "email" or touch.subject is None or not touch.text.strip():
        raise MessageError("not_a_message")
    if not _ADDRESS.fullmatch(touch.recipient):
        raise MessageError("to_differs")
    for name, value in (("From", touch.sender), ("Subject", touch.subject), *touch.headers):
        if _CONTROL.search(value) or not _HEADER.fullmatch(name):
            raise MessageError("not_a_message")
    try:
        "".join((touch.sender, touch.subject, touch.text, touch.html or "")).encode()
    except UnicodeEncodeError as error:
        raise MessageError("not_a_message") from error


def sender_of(touch: SendableTouch) -> tuple[str, str]:
    """Name and address of the signed sender, for a provider that wants them apart. Raises ``MessageError``."""
    return _parted(touch.sender)


@lru_cache(maxsize=64)
def _parted(sender: str) -> tuple[str, str]:
    message = EmailMessage(policy=policy.SMTP)
    try:
        message["From"] = sender
        _domain(message)
    except (ValueError, TypeError, LookupError) as error:
        raise MessageError("from_differs") from error
    address = message["From"].addresses[0]
    return str(address.display_name), str(address.addr_spec)


def _prove(made: bytes, touch: SendableTouch) -> None:
    """Reads the bytes as a mail client does and compares them with what was signed."""
    read = message_from_bytes(made, policy=policy.default)
    assert isinstance(read, EmailMessage)  # noqa: S101  (the default policy makes nothing else)
    expected = [("From", touch.sender), ("To", touch.recipient), ("Subject", touch.subject), *touch.headers]
    for name, value in expected:
        if [str(found) for found in read.get_all(name, [])] != [value]:
            raise MessageError(f"{name.lower()}_differs")
    if read.defects:
        raise MessageError("not_a_message")
    for kind, words in (("plain", touch.text), ("html", touch.html)):
        part = read.get_body((kind,))
        found = None if part is None else part.get_content().replace("\r\n", "\n")
        if found != (None if words is None else _with_line_end(words)):
            raise MessageError(f"{kind}_differs")


def _with_line_end(text: str) -> str:
    """The transport ends every text with the end of a line."""
    return text if text.endswith("\n") else f"{text}\n"


def _domain(message: EmailMessage) -> str:
    addresses = message["From"].addresses
    if len(addresses) != 1 or not addresses[0].domain:
        raise ValueError("a message has one sender")
    return str(addresses[0].domain)
