"""Text messages through Twilio, with the very words and from the very sender that were signed.

Twilio has no field for a key of ours: a call is found again by recipient, day, words and direction.

Source: PROVIDERS.md, Sending: who is idempotent (and the codes); Twilio's specification.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from reactivation.approvals import SendableTouch
from reactivation.delivery.base import Call, Result
from reactivation.delivery.http import PAGES, SECONDS, Answer, HttpProvider, Json, Request, own_id
from reactivation.delivery.provider_events import Told
from reactivation.delivery.text_message import build_text
from reactivation.delivery.twilio_codes import CODES, SET_UP
from reactivation.delivery.twilio_events import message_events

#: How long Twilio may keep a message that it cannot pass on at once: a queue is a schedule on its side.
_LONGEST_QUEUE = 36_000
#: How far its clock and ours may differ.
_SKEW = timedelta(minutes=2)
_OURS = "outbound-api"


class Twilio(HttpProvider):
    """The provider of connections of type ``reactivation_twilio``.

    ``login`` is the account SID with ``secret`` its auth token, or the SID of an API key with its secret; the account
    is then named by ``account_sid``.
    """

    name: ClassVar[str] = "twilio"
    title: ClassVar[str] = "Twilio"
    channel: ClassVar[str] = "sms"
    url: ClassVar[str] = "https://api.twilio.com"
    per_second: ClassVar[float] = 1
    repeatable: ClassVar[bool] = False
    tells: ClassVar[bool] = True
    #: A message may be in a queue first, and who asks comes by the hour.
    look_up_for: ClassVar[timedelta] = timedelta(hours=3)
    key_fix: ClassVar[str] = "correct its login (account or API key SID) and its password (auth token or secret)"

    def __init__(
        self, connection: str, secret: str, *, login: str, account_sid: str | None = None,
        messaging_service_sid: str | None = None, url: str | None = None, per_second: float | None = None,
        seconds: float = SECONDS,
    ) -> None:  # fmt: skip
        super().__init__(connection, secret, url=url, per_second=per_second, seconds=seconds)
        self._login = login
        self._account = f"/2010-04-01/Accounts/{account_sid or login}"
        self._service = messaging_service_sid

    def authorization(self) -> str:
        return f"Basic {b64encode(f'{self._login}:{self._secret}'.encode()).decode()}"

    def request(self, touch: SendableTouch, key: str, at: datetime) -> Request:
        """The signed sender always, so that no service picks another; the queue ends when the touch's window does."""
        build_text(touch, key, at)
        left = int((touch.not_after - at).total_seconds())
        form = {
            "To": touch.recipient, "From": touch.sender, "Body": touch.text, "SmartEncoded": "false",
            "ShortenUrls": "false", "ValidityPeriod": str(min(max(left, 1), _LONGEST_QUEUE)),
        }  # fmt: skip
        if self._service is not None:
            form["MessagingServiceSid"] = self._service
        return Request("POST", f"{self._account}/Messages.json", form=form)

    def accepted(self, answer: Answer) -> Result:
        return _of_message(answer.json())

    def _judged(self, answer: Answer, at: datetime) -> Result:
        """Its code says more than the status it comes with."""
        code = answer.said("code")
        if isinstance(code, int) and 400 <= answer.status < 500:
            if code in SET_UP:
                raise self.wrong(f"refuses what is the same for all messages ({code}); {SET_UP[code]}")
            if code in CODES:
                return CODES[code]
        return super()._judged(answer, at)

    def code(self, answer: Answer) -> str | None:
        code = answer.said("code")
        return str(code) if isinstance(code, int) else None

    async def find(self, call: Call) -> Result | None:
        """The message of those words to that number since the call; ``None`` once the draft was erased."""
        if call.recipient is None or call.text is None:
            return None
        since = call.called_at - _SKEW
        query = {"To": call.recipient, "DateSent>": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "PageSize": "1000"}
        read = await self.look(Request("GET", f"{self._account}/Messages.json", query=query))
        try:
            ours = [one for one in read["messages"] if _is_ours(one, call.text, since)]
            return _of_message(min(ours, key=lambda one: parsedate_to_datetime(one["date_created"]))) if ours else None
        except (LookupError, TypeError, ValueError, AttributeError):
            return None

    async def told(self, since: datetime, now: datetime) -> AsyncIterator[Told]:
        """The messages since then, in both directions: how ours fared, and what people wrote. Raises ``NotTold``."""
        what, path = "its messages", f"{self._account}/Messages.json"
        query = {"DateSent>": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "PageSize": "1000"}
        for _ in range(PAGES):
            read = await self.page(Request("GET", path, query=query), what)
            yield message_events(self.rows(read, what, "messages"), now)
            following = read.get("next_page_uri")
            if not following:
                return
            # Only its query is followed: our credentials go to no other place.
            query = dict(parse_qsl(urlsplit(str(following)).query))
        raise self.too_much(what)

    async def problems(self) -> tuple[str, ...]:
        """Whether the credentials work, the account is a real one, and its service leaves words as they are."""
        read, wrong = await self.checked(Request("GET", f"{self._account}.json"), "its account")
        if wrong is not None:
            return (wrong,)
        found = []
        if read.get("status") != "active":
            found.append("has an account that is not active; ask Twilio to activate it")
        if read.get("type") == "Trial":
            found.append("puts a sentence before each message of a trial account; upgrade the account")
        if self._service is not None:
            # The services have a host of their own beside api.twilio.com, in every region.
            base = self._base.replace("//api.", "//messaging.", 1)
            read, wrong = await self.checked(
                Request("GET", f"/v1/Services/{self._service}", base=base), "its messaging service"
            )
            if wrong is not None:
                return (*(str(self.wrong(one)) for one in found), wrong)
            if read.get("smart_encoding"):
                found.append("replaces characters of a message (Smart Encoding); switch it off for the service")
        return tuple(str(self.wrong(one)) for one in found)


def _of_message(message: Json) -> Result:
    """What Twilio's record of a message says. Raises ``LookupError``, ``TypeError`` or ``ValueError``."""
    reference = own_id(message["sid"])
    told = CODES.get(message.get("error_code"))
    if told is not None and told.state == "refused" and message.get("status") in ("failed", "undelivered"):
        return Result("refused", reference=reference, reason=told.reason, consequence=told.consequence)
    return Result("accepted", reference=reference)


def _is_ours(message: Mapping[str, Any], text: str, since: datetime) -> bool:
    """A call through the API with those words, not before it was made; the ends of a text do not travel."""
    return (
        message["direction"] == _OURS
        and str(message["body"]).strip() == text.strip()
        and parsedate_to_datetime(message["date_created"]) >= since.replace(microsecond=0)
    )
