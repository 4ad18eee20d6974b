"""Providers' webhooks, each only where it is switched on: signed, or nothing is read; committed, or it is no 200.

A provider that gets no 200 tells it again, and what it told before is nothing new. So a call may be cut off, repeated,
or come in any order.

Source: PROVIDERS.md, Webhooks; ARCHITECTURE.md, invariant 4.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from reactivation.delivery import resend_events, sendgrid_events, twilio_events
from reactivation.delivery.provider_events import Told
from reactivation.public.answers import AGAIN_IN, Threads, Unavailable
from reactivation.public.guard import LOG
from reactivation.public.limits import Pace, TooMuch, TooSlow, client_of, read_body
from reactivation.public.verifying import Call, OfResend, OfSendGrid, OfTwilio, Verifier
from reactivation.steps.provider_events import take_in_provider_events
from reactivation.steps.settings import Webhook
from reactivation.steps.workspace import Workspace

LONGEST, WITHIN = 1024 * 1024, 20.0
#: How many calls a client may make in a second, and at once: Twilio makes one for each message and state.
PACE = (100.0, 1000)

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Kind:
    """How one provider's calls are judged, read and answered."""

    verifier: Callable[[Webhook], Verifier]
    read: Callable[[Call], Told]
    #: What it may take for an answer to somebody's message has to say that there is none.
    answer: str = ""
    answer_type: str = "text/plain"


def _of_sendgrid(call: Call) -> Told:
    return sendgrid_events.webhook_events(json.loads(call.body), call.received)


def _of_resend(call: Call) -> Told:
    return resend_events.webhook_events(json.loads(call.body), call.headers["svix-id"], call.received)


def _of_twilio(call: Call) -> Told:
    return twilio_events.webhook_events(dict(call.form()), call.received)


KINDS: Mapping[str, Kind] = {
    "sendgrid": Kind(OfSendGrid, _of_sendgrid),
    "resend": Kind(OfResend, _of_resend),
    "twilio": Kind(OfTwilio, _of_twilio, "<Response/>", "text/xml"),
}


class Hooks:
    """The webhooks that are switched on. Raises ``ConfigurationError`` for a key that cannot be one."""

    def __init__(
        self, given: Sequence[Webhook], threads: Threads, pace: Pace, open_workspace: Callable[[], Workspace],
        now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._threads, self._pace, self._open, self._now = threads, pace, open_workspace, now
        self._verifiers = {hook.provider: KINDS[hook.provider].verifier(hook) for hook in given}

    def routes(self) -> dict[str, Endpoint]:
        """By path, what answers there."""
        return {f"/hooks/{provider}": self._endpoint(provider) for provider in self._verifiers}

    def _endpoint(self, provider: str) -> Endpoint:
        kind, verifier = KINDS[provider], self._verifiers[provider]

        async def answer(request: Request) -> Response:
            if wait := self._pace.wait(client_of(request)):
                return Response(status_code=429, headers={"Retry-After": str(int(wait) + 1)})
            headers = request.headers
            of_type = headers.get("content-type", "").partition(";")[0].strip().lower() == verifier.content_type
            if not of_type or headers.get("content-encoding", "identity") != "identity":
                return Response(status_code=415)
            try:
                body = await read_body(request, longest=LONGEST, within=WITHIN)
            except TooMuch:
                return Response(status_code=413)
            except TooSlow:
                return Response(status_code=408)
            call = Call(dict(headers), body, request.url.query, self._now())
            if not verifier.genuine(call):
                LOG.warning("%s: a call without a valid signature of now", provider)
                return Response(status_code=403)
            return await self._take(provider, kind, call)

        return answer

    async def _take(self, provider: str, kind: Kind, call: Call) -> Response:
        """200 once what was told is committed."""
        try:
            told = kind.read(call)
        except (ValueError, RecursionError):
            LOG.error("%s: a call that is signed cannot be read", provider)
            return Response(status_code=400)
        try:
            counts = await self._threads.run(lambda: take_in_provider_events(self._open(), told.events, call.received))
        except Unavailable as error:
            LOG.error("%s: a call is not recorded: %s", provider, type(error.__cause__).__name__)
            return Response(status_code=503, headers={"Retry-After": str(AGAIN_IN)})
        LOG.info("%s: %s", provider, _counted({**counts, **told.problems}))
        return Response(kind.answer, media_type=kind.answer_type)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
