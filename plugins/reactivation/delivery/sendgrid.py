"""E-mail through SendGrid's v3 API, with everything switched off that would change our bytes.

A send is found again in the Email Logs by its category, which is its key; they can be filtered by nothing else of ours.

Source: PROVIDERS.md, Sending: who is idempotent; SendGrid's specifications of mail and logs.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from reactivation.approvals import SendableTouch
from reactivation.delivery.base import Call, Result
from reactivation.delivery.http import PAGES, Answer, HttpProvider, Json, Request, own_id
from reactivation.delivery.message import check_words, sender_of
from reactivation.delivery.provider_events import Told
from reactivation.delivery.sendgrid_events import DROPPED, GROUPS, LISTS, list_events

#: Off for each message, whatever the account says.
_UNALTERED: Mapping[str, Any] = {
    "tracking_settings": {
        "click_tracking": {"enable": False, "enable_text": False},
        "open_tracking": {"enable": False},
        "subscription_tracking": {"enable": False},
        "ganalytics": {"enable": False},
    },
    "mail_settings": {"footer": {"enable": False}, "sandbox_mode": {"enable": False}},
}

#: Settings of an account that change messages: the path, the name it gives them, and what they do.
_SETTINGS = (
    ("/v3/tracking_settings", "click", "rewrites the links of a message"),
    ("/v3/tracking_settings", "open", "puts an invisible picture into a message"),
    ("/v3/tracking_settings", "subscription", "appends its own way to unsubscribe"),
    ("/v3/tracking_settings", "google_analytics", "adds parameters to the links of a message"),
    ("/v3/mail_settings", "footer", "appends a footer"),
    ("/v3/mail_settings", "template", "wraps a message into its own HTML"),
    ("/v3/mail_settings", "bcc", "sends a copy of each message to somebody else"),
)

_FIELD = re.compile(r"[a-z_]+(\.[a-z0-9_]+){0,5}")
#: As many rows as a page of a list has at most.
_PAGE = 500
_GROUPS_PATH = "/v3/asm/suppressions"
_UUID = re.compile(r"[0-9a-fA-F-]{1,64}")


class SendGrid(HttpProvider):
    """The provider of connections of type ``reactivation_sendgrid``; ``secret`` is an API key."""

    name: ClassVar[str] = "sendgrid"
    title: ClassVar[str] = "SendGrid"
    channel: ClassVar[str] = "email"
    url: ClassVar[str] = "https://api.sendgrid.com"
    per_second: ClassVar[float] = 20
    repeatable: ClassVar[bool] = False
    tells: ClassVar[bool] = True
    #: Email Logs are minutes behind, and who asks comes by the hour.
    look_up_for: ClassVar[timedelta] = timedelta(hours=3)
    key_fix: ClassVar[str] = (
        "put an API key into its password that may send mail, read Email Logs, Suppressions, Unsubscribe Groups, "
        "Tracking and Mail Settings, and verify the sender of the messages there"
    )

    def request(self, touch: SendableTouch, key: str, at: datetime) -> Request:
        """One personalization, one recipient, our own List-Unsubscribe, and the key as category and custom_args."""
        check_words(touch)
        name, address = sender_of(touch)
        content = [("text/plain", touch.text), ("text/html", touch.html)]
        message = {
            "personalizations": [{"to": [{"email": touch.recipient}], "custom_args": {"key": key}}],
            "from": {"email": address, **({"name": name} if name else {})},
            "subject": touch.subject,
            "content": [{"type": kind, "value": words} for kind, words in content if words is not None],
            "categories": [key],
            **({"headers": dict(touch.headers)} if touch.headers else {}),
            **_UNALTERED,
        }
        return Request("POST", "/v3/mail/send", json=message)

    def accepted(self, answer: Answer) -> Result:
        """Only 202 is: 200 would be its sandbox, which sends nothing."""
        if answer.status != 202:
            return Result("unknown", reason=f"http_{answer.status}")
        return Result("accepted", reference=answer.headers.get("X-Message-Id"))

    def refused(self, answer: Answer) -> Result:
        """By the field it complains about."""
        found = self.code(answer)
        if found is not None and found.startswith("from"):
            raise self.wrong("does not accept the sender (HTTP 400); verify the tenant's sender address there")
        to = found is not None and found.startswith("personalizations.0.to")
        return Result("refused", reason=found or f"http_{answer.status}", consequence="drop_address" if to else None)

    def code(self, answer: Answer) -> str | None:
        errors = answer.said("errors")
        first = errors[0] if isinstance(errors, list) and errors else None
        found = first.get("field") if isinstance(first, dict) else None
        return found[:80] if isinstance(found, str) and found != "null" and _FIELD.fullmatch(found) else None

    async def find(self, call: Call) -> Result | None:
        """The message of that category in the Email Logs, which are some minutes behind."""
        if not _UUID.fullmatch(call.key):
            return None
        query = {"query": f"categories IN ('{call.key}')", "limit": 10}
        read = await self.look(Request("POST", "/v3/logs", json=query))
        try:
            message = read["messages"][0]
            reference, status = own_id(message["sg_message_id"]), message["status"]
            reason = str(message.get("reason") or "").lower()
        except (LookupError, TypeError, ValueError, AttributeError):
            return None
        if status != "dropped":
            return Result("accepted", reference=reference)
        consequence = next((then for words, then in DROPPED.items() if reason.startswith(words)), None)
        return Result("refused", reference=reference, reason="dropped", consequence=consequence)

    async def told(self, since: datetime, now: datetime) -> AsyncIterator[Told]:
        """Its suppression lists since then, and everybody who left a group by now. Raises ``NotTold``.

        Deliveries and clicks it tells by its Event Webhook only: the Email Logs cannot be read on page by page.
        """
        for name in LISTS:
            what = f"its list of {name.replace('_', ' ')}"
            span = {"start_time": str(int(since.timestamp())), "end_time": str(int(now.timestamp()))}
            for number in range(PAGES):
                query = span | {"limit": str(_PAGE), "offset": str(number * _PAGE)}
                rows = self.rows(await self.page(Request("GET", f"/v3/suppression/{name}", query=query), what), what)
                yield list_events(name, rows, now)
                if len(rows) < _PAGE:
                    break
            else:
                raise self.too_much(what)
        what = "who left its unsubscribe groups"
        yield list_events(GROUPS, self.rows(await self.page(Request("GET", _GROUPS_PATH), what), what), now)

    async def problems(self) -> tuple[str, ...]:
        """Whether the key may send and read whom not to write to; each setting of the account that changes messages."""
        read, wrong = await self.checked(Request("GET", "/v3/scopes"), "its own scopes")
        if wrong is not None:
            return (wrong,)
        scopes = read.get("scopes", ()) if isinstance(read, dict) else ()
        found = [] if "mail.send" in scopes else [str(self.wrong(f"does not let its key send mail; {self.key_fix}"))]
        for path in dict.fromkeys(path for path, _, _ in _SETTINGS):
            what = path.removeprefix("/v3/").replace("_", " ")
            read, wrong = await self.checked(Request("GET", path, query={"limit": "100"}), what)
            found += [wrong] if wrong is not None else list(self._altering(path, read))
        for path, what in (
            ("/v3/suppression/unsubscribes", "its suppression lists"), (_GROUPS_PATH, "who left its groups"),
        ):  # fmt: skip
            _, wrong = await self.checked(Request("GET", path), what)
            found += [wrong] if wrong is not None else []
        return tuple(found)

    def _altering(self, path: str, read: Json) -> list[str]:
        listed = read.get("result", ()) if isinstance(read, dict) else ()
        on = {one.get("name") for one in listed if isinstance(one, dict) and one.get("enabled")}
        return [
            str(self.wrong(f"{does} (setting {name}); switch it off in the account's settings"))
            for where, name, does in _SETTINGS
            if where == path and name in on
        ]
