"""Twilio as its specification has it, with the magic numbers of its test credentials."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

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


@dataclass
class FakeTwilio(Fake):
    """Keeps messages as Twilio shows them, in both directions; the sender's own words never change."""

    documents: ClassVar = {"twilio_api_v2010.json": (_MESSAGES, _ACCOUNT)}
    inbound: list[dict[str, Any]] = field(default_factory=list)
    #: As many messages as a page has at most.
    most: int = 1000

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
        if call.path.endswith("/Messages.json") and call.path not in self.settings:
            return answer(200, self._listed(call))
        told = (SETTINGS | self.settings).get(call.path)
        if isinstance(told, int):
            return answer(told, {"code": 20003, "message": "Authenticate", "status": told})
        return refusal(20404, 404) if told is None else answer(200, told)

    def _listed(self, call: Received) -> dict[str, Any]:
        """The newest first, a page at a time; one that was not sent yet counts by when it was made."""
        since = call.query.get("DateSent>", "")
        found = [
            one for one in (*self.accepted, *self.inbound)[::-1]
            if one["to"] == call.query.get("To", one["to"]) and _iso(one["date_sent"] or one["date_created"]) >= since
        ]  # fmt: skip
        size, page = min(int(call.query.get("PageSize", 50)), self.most), int(call.query.get("Page", 0))
        uri = f"https://api.twilio.com{call.path}"
        query = urlencode({**call.query, "Page": str(page + 1), "PageToken": f"PA{page + 1}"})
        return {
            "messages": found[page * size :][:size], "page": page, "page_size": size, "start": page * size,
            "end": len(found), "uri": uri, "first_page_uri": uri, "previous_page_uri": None,
            "next_page_uri": f"{uri}?{query}" if (page + 1) * size < len(found) else None,
        }  # fmt: skip

    def came_in(self, number: str, words: str, **changes: Any) -> None:
        """A person answered."""
        at, sid = format_datetime(self.clock()), f"SM{len(self.inbound) + 1:031x}f"
        self.inbound.append({
            "sid": sid, "account_sid": ACCOUNT_SID, "to": "+447700900000", "from": number, "body": words,
            "status": "received", "direction": "inbound", "messaging_service_sid": None, "error_code": None,
            "error_message": None, "date_created": at, "date_updated": at, "date_sent": at, "num_segments": "1",
            "num_media": "0", "price": None, "price_unit": "USD", "api_version": "2010-04-01", "subresource_uris": {},
            "uri": f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/{sid}.json", **changes,
        })  # fmt: skip


def _iso(at: str) -> str:
    return f"{parsedate_to_datetime(at):%Y-%m-%dT%H:%M:%SZ}"


def refusal(code: int, status: int = 400) -> web.Response:
    """How Twilio says no; its words quote the number."""
    return answer(status, refusal_body(code, status))


def refusal_body(code: int, status: int = 400) -> dict[str, Any]:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": "The number +447700900456 …", "more_info": more, "status": status}


if __name__ == "__main__":
    main(FakeTwilio)
