"""Calls as the providers make and sign them: with the SDK where it can, else as its verifier reads it."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.public.visits import EMAIL, NOW, PHONE
from twilio.request_validator import RequestValidator

from reactivation.steps.settings import Webhook

TWILIO_URL = "https://go.test/hooks/twilio"
_CURVE = ec.derive_private_key(20_261_127, ec.SECP256R1())
_OTHER_CURVE = ec.derive_private_key(20_261_128, ec.SECP256R1())
_TOKEN, _OTHER_TOKEN = "0123456789abcdef0123456789abcdef", "f" * 32
_SECRET, _OTHER_SECRET = "whsec_" + b64encode(b"s" * 24).decode(), "whsec_" + b64encode(b"t" * 24).decode()


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return b64encode(key.public_key().public_bytes(*form)).decode()


#: The webhooks of all three, switched on.
HOOKS = (
    Webhook("reactivation_webhook_sendgrid", "sendgrid", (_public(_CURVE),)),
    Webhook("reactivation_webhook_resend", "resend", (_SECRET,)),
    Webhook("reactivation_webhook_twilio", "twilio", (_TOKEN,), TWILIO_URL),
)
#: The same with keys that sign nothing of ours.
OTHER_KEYS = {"sendgrid": _public(_OTHER_CURVE), "resend": _OTHER_SECRET, "twilio": _OTHER_TOKEN}


@dataclass(frozen=True)
class Sent:
    """One call: its path, body and headers."""

    path: str
    body: bytes
    headers: dict[str, str]

    def changed(self, **changes: Any) -> Sent:
        return replace(self, **changes)

    def request(self) -> dict[str, Any]:
        return {"content": self.body, "headers": self.headers}


def sendgrid(at: datetime = NOW, body: bytes | None = None) -> Sent:
    """Ann unsubscribed."""
    rows = [{"event": "unsubscribe", "sg_event_id": "e-1", "email": EMAIL, "timestamp": int(NOW.timestamp())}]
    body, time = json.dumps(rows).encode() if body is None else body, str(int(at.timestamp()))
    signature = b64encode(_CURVE.sign(time.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    headers = {
        "content-type": "application/json", "x-twilio-email-event-webhook-signature": signature,
        "x-twilio-email-event-webhook-timestamp": time,
    }  # fmt: skip
    return Sent("/hooks/sendgrid", body, headers)


def resend(at: datetime = NOW, body: bytes | None = None) -> Sent:
    """Ann complained."""
    told = {"type": "email.complained", "created_at": NOW.isoformat(), "data": {"email_id": "m-1", "to": [EMAIL]}}
    body, time = json.dumps(told).encode() if body is None else body, str(int(at.timestamp()))
    signed = hmac.digest(b64decode(_SECRET.removeprefix("whsec_")), f"msg_1.{time}.".encode() + body, hashlib.sha256)
    headers = {
        "content-type": "application/json", "svix-id": "msg_1", "svix-timestamp": time,
        "svix-signature": f"v1,{b64encode(signed).decode()}",
    }  # fmt: skip
    return Sent("/hooks/resend", body, headers)


def twilio(_: datetime = NOW, body: bytes | None = None, query: str = "") -> Sent:
    """Ann answered STOP."""
    form = {
        "MessageSid": "SM" + "1" * 32,
        "SmsStatus": "received",
        "From": PHONE,
        "To": "+447700900123",
        "Body": "Stop",
    }
    url = TWILIO_URL + (f"?{query}" if query else "")
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": RequestValidator(_TOKEN).compute_signature(url, form),
    }
    path = "/hooks/twilio" + (f"?{query}" if query else "")
    return Sent(path, urlencode(form).encode() if body is None else body, headers)


CALLS: dict[str, Callable[..., Sent]] = {"sendgrid": sendgrid, "resend": resend, "twilio": twilio}
