"""SendGrid as its specifications of mail and logs have it, and its settings as its documentation has them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import web
from tests.fakes.fake import Fake, Received, answer, main

SETTINGS = {
    "/v3/scopes": {"scopes": ["mail.send", "tracking_settings.read", "mail_settings.read", "messages.read"]},
    "/v3/tracking_settings": {
        "result": [
            {"name": name, "title": name, "description": name, "enabled": False}
            for name in ("google_analytics", "open", "click", "subscription")
        ]
    },
    "/v3/mail_settings": {
        "result": [
            {"name": name, "title": name, "description": name, "enabled": False}
            for name in ("address_whitelist", "bcc", "bounce_purge", "footer", "forward_spam", "template")
        ]
    },
}


LISTS = tuple(
    f"/v3/suppression/{name}" for name in ("unsubscribes", "spam_reports", "bounces", "invalid_emails", "blocks")
)
GROUPS = "/v3/asm/suppressions"


@dataclass
class FakeSendGrid(Fake):
    """Takes what the specification allows; finds messages by category, and lists whom it does not write to."""

    documents: ClassVar = {
        "tsg_mail_v3.json": ("/v3/mail/send",), "tsg_logs_v3.json": ("/v3/logs",),
        "tsg_suppressions_v3.json": (*LISTS, GROUPS),
    }  # fmt: skip
    #: Whom it does not write to any more, by path.
    lists: dict[str, list[Any]] = field(default_factory=dict)

    def is_send(self, method: str, path: str) -> bool:
        return (method, path) == ("POST", "/v3/mail/send")

    def read(self, body: bytes) -> Any:
        return json.loads(body) if body else None

    def take(self, call: Received) -> web.Response:
        self.accepted.append(call.body | {"status": "delivered"})
        return web.Response(status=202, headers={"X-Message-Id": f"sg-{len(self.accepted)}"})

    def tell(self, call: Received) -> web.Response:
        if call.path == "/v3/logs":
            wanted = re.fullmatch(r"categories IN \('([^']+)'\)", call.body["query"])
            assert wanted is not None
            return answer(200, {"messages": [
                {
                    "from_email": mail["from"]["email"], "sg_message_id": f"sg-{number}", "subject": mail["subject"],
                    "to_email": mail["personalizations"][0]["to"][0]["email"], "status": mail["status"],
                    "sg_message_id_created_at": self.clock().isoformat(), "reason": mail.get("reason", ""),
                }
                for number, mail in enumerate(self.accepted, 1) if wanted.group(1) in mail["categories"]
            ]})  # fmt: skip
        if call.path in (*LISTS, GROUPS) and call.path not in self.settings:
            return answer(200, self._listed(call))
        told = (SETTINGS | self.settings).get(call.path)
        if isinstance(told, int):
            return answer(told, {"errors": [{"field": None, "message": "access forbidden"}]})
        return answer(404 if told is None else 200, told)

    def _listed(self, call: Received) -> list[Any]:
        listed = self.lists.get(call.path, [])
        if call.path == GROUPS:
            return listed
        asked = {"start_time": "0", "end_time": "9999999999", "offset": "0", "limit": "500"} | dict(call.query)
        span = range(int(asked["start_time"]), int(asked["end_time"]) + 1)
        found = [one for one in listed if not isinstance(one, dict) or one["created"] in span]
        return found[int(asked["offset"]) :][: int(asked["limit"])]


if __name__ == "__main__":
    main(FakeSendGrid)
