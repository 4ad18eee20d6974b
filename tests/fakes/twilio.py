"""Twilio as its specification has it, with the magic numbers of its test credentials."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import format_datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from aiohttp import web
from tests.fakes.fake import Fake, Received, answer, main
from tests.fakes.specification import Specification

ACCOUNT_SID, SERVICE_SID, API_KEY_SID = "AC" + "a1" * 16, "MG" + "b2" * 16, "SK" + "c3" * 16
_MESSAGES, _ACCOUNT = "/2010-04-01/Accounts/{AccountSid}/Messages.json", "/2010-04-01/Accounts/{Sid}.json"

#: What its test credentials refuse.
MAGIC = {"+15005550001": 21211, "+15005550004": 21610, "+15005550009": 21614, "+15005550003": 21408}

SETTINGS = {
    f"/2010-04-01/Accounts/{ACCOUNT_SID}.json": {"sid": ACCOUNT_SID, "status": "active", "type": "Full"},
    f"/v1/Services/{SERVICE_SID}": {"sid": SERVICE_SID, "smart_encoding": False, "friendly_name": "win back"},
}


class FakeTwilio(Fake):
    """Keeps messages as Twilio shows them; the sender's own words never change."""

    documents: ClassVar = {"twilio_api_v2010.json": (_MESSAGES, _ACCOUNT)}

    def is_send(self, method: str, path: str) -> bool:
        return method == "POST" and path.endswith("/Messages.json")

    def read(self, body: bytes) -> Any:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))

    def more(self, document: Specification, call: Received) -> Iterable[str]:
        if not self.is_send(call.method, call.path):
            return
        known = document.fields(_MESSAGES, "post", "application/x-www-form-urlencoded")
        yield from (f"Twilio knows no field {name}" for name in call.body.keys() - known)
        if not call.body.keys() & {"From", "MessagingServiceSid"} or not call.body.get("Body"):
            yield "a message has a sender and words"

    def take(self, call: Received) -> web.Response:
        if (code := MAGIC.get(call.body["To"])) is not None:
            return refusal(code)
        made = format_datetime(self.clock())
        self.accepted.append({
            "sid": f"SM{len(self.accepted) + 1:032x}", "account_sid": ACCOUNT_SID, "to": call.body["To"],
            "from": call.body.get("From"), "body": call.body["Body"], "status": "queued", "direction": "outbound-api",
            "messaging_service_sid": call.body.get("MessagingServiceSid"), "error_code": None, "error_message": None,
            "date_created": made, "date_updated": made, "date_sent": None, "num_segments": "1", "num_media": "0",
            "price": None, "price_unit": "USD", "api_version": "2010-04-01", "subresource_uris": {},
            "uri": f"{call.path.removesuffix('.json')}/SM{len(self.accepted) + 1:032x}.json",
        })  # fmt: skip
        return answer(201, self.accepted[-1])

    def tell(self, call: Received) -> web.Response:
        if call.path.endswith("/Messages.json"):
            found = [one for one in self.accepted if one["to"] == call.query.get("To", one["to"])]
            uri = f"https://api.twilio.com{call.path}"
            return answer(200, {
                "messages": found[::-1], "page": 0, "page_size": 1000, "start": 0, "end": len(found), "uri": uri,
                "first_page_uri": uri, "next_page_uri": None, "previous_page_uri": None,
            })  # fmt: skip
        told = (SETTINGS | self.settings).get(call.path)
        if isinstance(told, int):
            return answer(told, {"code": 20003, "message": "Authenticate", "status": told})
        return refusal(20404, 404) if told is None else answer(200, told)


def refusal(code: int, status: int = 400) -> web.Response:
    """How Twilio says no; its words quote the number."""
    return answer(status, refusal_body(code, status))


def refusal_body(code: int, status: int = 400) -> dict[str, Any]:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": "The number +447700900456 …", "more_info": more, "status": status}


if __name__ == "__main__":
    main(FakeTwilio)
