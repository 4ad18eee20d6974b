"""Resend as its specification has it, with its idempotency keys as its documentation has them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import web
from tests.fakes.fake import Fake, Received, answer, main
from tests.ledgers import an_id

DOMAINS = {
    "object": "list",
    "has_more": False,
    "data": [{
        "id": an_id("domain"), "name": "harbour-finch.example", "status": "verified", "region": "eu-west-1",
        "created_at": "2026-01-05 09:00:00.000000+00", "open_tracking": False, "click_tracking": False,
    }],
}  # fmt: skip


@dataclass
class FakeResend(Fake):
    """A key that is known gives the first answer again; with another body it is refused."""

    documents: ClassVar = {"resend.json": ("/emails", "/domains", "/suppressions")}
    #: Whom it does not write to any more.
    suppressed: list[Any] = field(default_factory=list)

    def is_send(self, method: str, path: str) -> bool:
        return (method, path) == ("POST", "/emails")

    def read(self, body: bytes) -> Any:
        return json.loads(body) if body else None

    def take(self, call: Received) -> web.Response:
        key = call.headers.get("Idempotency-Key")
        for number, earlier in enumerate(self.accepted, 1):
            if key is not None and earlier["idempotency_key"] == key:
                same = {name: value for name, value in earlier.items() if name != "idempotency_key"} == call.body
                return self._taken(number) if same else _refused(409, "invalid_idempotent_request")
        self.accepted.append(call.body | {"idempotency_key": key})
        return self._taken(len(self.accepted))

    def _taken(self, number: int) -> web.Response:
        return answer(200, {"id": an_id("resend", number)})

    def tell(self, call: Received) -> web.Response:
        if call.path == "/suppressions" and call.path not in self.settings:
            ids = [one.get("id") for one in self.suppressed]
            begin = ids.index(call.query["after"]) + 1 if "after" in call.query else 0
            end = begin + int(call.query["limit"])
            return answer(200, {
                "object": "list", "has_more": end < len(ids), "data": self.suppressed[begin:end],
            })  # fmt: skip
        told = ({"/domains": DOMAINS} | self.settings).get(call.path)
        if isinstance(told, int):
            return _refused(told, "restricted_api_key")
        return _refused(404, "not_found") if told is None else answer(200, told)


def _refused(status: int, name: str) -> web.Response:
    return answer(status, {"statusCode": status, "name": name, "message": name.replace("_", " ")})


if __name__ == "__main__":
    main(FakeResend)
