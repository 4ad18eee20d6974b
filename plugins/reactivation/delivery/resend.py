"""E-mail through Resend, under an idempotency key: within a day the same call gives the same answer and no second
message.

Source: PROVIDERS.md, Sending: who is idempotent; Resend's specification.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

from reactivation.approvals import SendableTouch
from reactivation.delivery.base import Call, Result
from reactivation.delivery.http import PAGES, Answer, HttpProvider, Request, own_id
from reactivation.delivery.message import check_words
from reactivation.delivery.provider_events import Told
from reactivation.delivery.resend_events import suppression_events

#: Names of errors about the set-up, and the fix.
_SET_UP = {
    "invalid_from_address": "correct the tenant's sender address",
    "invalid_idempotency_key": "report this: keys of sends are shorter than 256 characters",
}
#: An earlier call under the key is still under way, or had other bytes: it may have the message.
_EARLIER = ("concurrent_idempotent_requests", "invalid_idempotent_request")
_QUOTAS = ("daily_quota_exceeded", "monthly_quota_exceeded")
_QUOTA_WAIT = timedelta(hours=1)
_NAME = re.compile(r"[a-z_]{1,80}")
_PAGES, _PAGE = 10, 100


class Resend(HttpProvider):
    """The provider of connections of type ``reactivation_resend``; ``secret`` is an API key."""

    name: ClassVar[str] = "resend"
    title: ClassVar[str] = "Resend"
    channel: ClassVar[str] = "email"
    url: ClassVar[str] = "https://api.resend.com"
    per_second: ClassVar[float] = 2
    #: It is harmless for the day that a key lives, and nobody can promise that the repeat comes within it.
    repeatable: ClassVar[bool] = False
    tells: ClassVar[bool] = True
    key_fix: ClassVar[str] = (
        "put an API key with full access into its password, and verify the domain of the messages' sender there"
    )

    def request(self, touch: SendableTouch, key: str, at: datetime) -> Request:
        """One recipient, never scheduled, no template; nothing in it depends on the moment, so a repeat is the same."""
        check_words(touch)
        message: dict[str, Any] = {
            "from": touch.sender, "to": [touch.recipient], "subject": touch.subject, "text": touch.text,
            "tags": [{"name": "key", "value": key}],
        }  # fmt: skip
        if touch.html is not None:
            message["html"] = touch.html
        if touch.headers:
            message["headers"] = dict(touch.headers)
        return Request("POST", "/emails", json=message, headers={"Idempotency-Key": key})

    def accepted(self, answer: Answer) -> Result:
        return Result("accepted", reference=own_id(answer.json()["id"]))

    def refused(self, answer: Answer) -> Result:
        """By the name of the error."""
        name = self.code(answer)
        if name in _EARLIER:
            return Result("unknown", reason=name)
        if name in _SET_UP:
            raise self.wrong(f"refuses what is the same for all messages ({name}); {_SET_UP[name]}")
        return Result("refused", reason=name or f"http_{answer.status}")

    def _judged(self, answer: Answer, at: datetime) -> Result:
        result = super()._judged(answer, at)
        if result.reason in _QUOTAS:
            return Result("not_sent", reason=result.reason, wait=max(result.wait or _QUOTA_WAIT, _QUOTA_WAIT))
        return result

    def code(self, answer: Answer) -> str | None:
        name = answer.said("name")
        return name if isinstance(name, str) and _NAME.fullmatch(name) else None

    async def find(self, call: Call) -> Result | None:
        """Nothing: it cannot be asked what it had under a key."""
        return None

    async def told(self, since: datetime, now: datetime) -> AsyncIterator[Told]:
        """Its list of suppressions, all of it: it can be asked for nothing later. Raises ``NotTold``.

        Deliveries and clicks it tells by webhook only.
        """
        what = "its suppressions"
        after: dict[str, str] = {}
        for _ in range(PAGES):
            read = await self.page(Request("GET", "/suppressions", query={"limit": str(_PAGE)} | after), what)
            rows = self.rows(read, what, "data")
            yield suppression_events(rows, now)
            last = rows[-1].get("id") if rows and isinstance(rows[-1], dict) else None
            if not read.get("has_more") or not rows:
                return
            after = {"after": str(last)}
        raise self.too_much(what)

    async def problems(self) -> tuple[str, ...]:
        """Whether the key works, and every domain whose links are rewritten or whose messages get a pixel."""
        found: list[str] = []
        after: dict[str, str] = {}
        for _ in range(_PAGES):
            read, wrong = await self.checked(
                Request("GET", "/domains", query={"limit": str(_PAGE)} | after), "its domains and their tracking"
            )
            if wrong is not None:
                return (wrong,)
            domains = [one for one in read.get("data") or () if isinstance(one, dict)] if isinstance(read, dict) else []
            for domain in domains:
                found += [
                    str(self.wrong(f"{does} of {domain.get('name')} ({setting}); switch it off for that domain"))
                    for setting, does in (
                        ("click_tracking", "rewrites links in messages"),
                        ("open_tracking", "puts an invisible picture into messages"),
                    )
                    if domain.get(setting)
                ]
            if not domains or not read.get("has_more"):
                break
            after = {"after": str(domains[-1].get("id"))}
        return tuple(found)
