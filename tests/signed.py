"""A touch as if it had been signed, for tests of what happens to its bytes afterwards."""

from __future__ import annotations

from typing import Any

from tests.ledgers import NOW, a_key, an_id

from reactivation.approvals import SendableTouch, sendable

_MAKER = sendable.__globals__["_MAKER"]

TEXT = """Hello Zoë,

it has been a while since we last cleaned your gutters. Shall we look at them before the rain does?

Harbour & Finch
Unsubscribe: https://harbour-finch.example/unsubscribe?t=0c1f3c7e
"""


def a_signed_touch(**changes: Any) -> SendableTouch:
    """What ``approvals.sendable`` would give for a signed first touch."""
    values: dict[str, Any] = {
        "touch_id": an_id("touch"), "customer_id": "C001", "channel": "email",
        "sender": "Harbour & Finch <hello@harbour-finch.example>", "recipient": "zoe.okafor@mail.example",
        "subject": "A question about your gutters, Zoë", "text": TEXT, "html": f"<html><body>{TEXT}</body></html>\n",
        "headers": (
            ("List-Unsubscribe", "<https://harbour-finch.example/unsubscribe?t=0c1f3c7e-54c5-4f2c-9a70-2b1f4b3f0001>, "
             "<mailto:unsubscribe@harbour-finch.example?subject=unsubscribe%200c1f3c7e-54c5-4f2c-9a70-2b1f4b3f0001>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ),
        "address_key": a_key("C001"), "offer_id": None, "not_before": NOW, "not_after": NOW.replace(day=8),
        "draft_digest": "d" * 64, "answer_ids": (an_id("answer"),),
    }  # fmt: skip
    return SendableTouch(made_by=_MAKER, **(values | changes))


def a_signed_text_message(**changes: Any) -> SendableTouch:
    """The same by text message."""
    made = {
        "channel": "sms", "sender": "+447700900123", "recipient": "+447700900456", "subject": None, "html": None,
        "text": "Harbour & Finch: your gutters, £15? Reply STOP to opt out", "headers": (),
    }  # fmt: skip
    return a_signed_touch(**(made | changes))
