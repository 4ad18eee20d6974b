"""From a signed touch to a text message with exactly the signed words in it, as one JSON document.

Key and instant belong to the transport and are outside the signature.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from reactivation.approvals import SendableTouch
from reactivation.delivery.message import MessageError

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SENDER = re.compile(rf"{_NUMBER.pattern}|[1-9][0-9]{{3,7}}")


def build_text(touch: SendableTouch, key: str, at: datetime) -> bytes:
    """The bytes of one text message: ``to``, ``from``, ``body``, ``key``, ``at``. Raises ``MessageError``."""
    for name, number, known in (("to", touch.recipient, _NUMBER), ("from", touch.sender, _SENDER)):
        if not known.fullmatch(number):
            raise MessageError(f"{name}_is_no_number")
    if not touch.text.strip() or touch.subject is not None or touch.html is not None or touch.headers:
        raise MessageError("not_a_text_message")
    message = {
        "to": touch.recipient, "from": touch.sender, "body": touch.text, "key": key,
        "at": at.astimezone(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    try:
        return json.dumps(message, ensure_ascii=False, indent=2).encode() + b"\n"
    except UnicodeEncodeError as error:
        raise MessageError("not_a_text_message") from error
