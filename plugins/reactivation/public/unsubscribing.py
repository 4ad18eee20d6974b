"""The recipient's way out: a page with one button, and the POST of a mail program or of that button.

Looking at the page changes nothing, since programs that check links look at all of them. Whoever has a token of ours is
no stranger: nobody else's haste keeps him from leaving.

Source: RFC 8058 (POST only, the one field, either encoding, no cookie, no redirect); ARCHITECTURE.md, invariant 4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from reactivation.contract.links import LinkKeys
from reactivation.public.answers import AGAIN_IN, Threads
from reactivation.public.guard import LOG, place_of
from reactivation.public.kept import Kept
from reactivation.public.limits import Pace, TooMuch, TooSlow, read_body
from reactivation.public.pages import Pages
from reactivation.steps.unsubscribe import unsubscribe
from reactivation.steps.workspace import Workspace

_FORM, _PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
FIELD, SAID = "List-Unsubscribe", "One-Click"
#: A mail program sends 26 bytes, as a form of parts perhaps 200.
LONGEST, WITHIN = 4096, 10.0
_FIELDS = 8
#: How often one link may be used in a second, and at once.
ONE_LINK = (0.5, 10)


class WayOut:
    """What a link leads to."""

    def __init__(
        self, links: LinkKeys, pages: Pages, threads: Threads, kept: Kept, pace: Pace, *,
        open_workspace: Callable[[], Workspace], now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._links, self._pages, self._threads, self._kept = links, pages, threads, kept
        self._open, self._now, self._pace = open_workspace, now, pace

    async def answer(self, request: Request) -> Response:
        """Any use of a link."""
        touch_id = self._touch(request)
        return await self._leave(request, touch_id) if request.method == "POST" else self._pages.ask()

    async def _leave(self, request: Request, touch_id: str) -> Response:
        """200 once it is committed that nobody writes to this person any more, however often it is asked."""
        if not await _says_so(request):
            raise HTTPException(400)

        def step() -> bool:
            workspace = self._open()
            return unsubscribe(workspace, touch_id, workspace.now())

        try:
            known = await self._threads.run(step)
        except Exception as error:  # a no counts, whatever is wrong with us
            is_kept = await asyncio.to_thread(self._kept.keep, touch_id, self._now())
            LOG.error(
                "an unsubscribe of touch %s is not recorded, and %s: %s", touch_id,
                "is kept" if is_kept else "cannot be kept", place_of(error.__cause__ or error),
            )  # fmt: skip
            return self._pages.not_now(AGAIN_IN, is_kept=is_kept)
        if not known:
            raise HTTPException(404)
        return self._pages.done()

    def _touch(self, request: Request) -> str:
        touch_id = self._links.touch_of(request.path_params["token"])
        if touch_id is None:
            raise HTTPException(404)
        # Programs that look at a link do not keep anybody from using it.
        if wait := self._pace.wait(f"{request.method} {touch_id}"):
            raise HTTPException(429, headers={"Retry-After": str(int(wait) + 1)})
        return touch_id


async def _says_so(request: Request) -> bool:
    """Whether the body is the one field of RFC 8058, in either encoding it allows."""
    told = request.headers.get("content-type", "")
    kind = told.partition(";")[0].strip().lower()
    if kind not in (_FORM, _PARTS) or request.headers.get("content-encoding", "identity") != "identity":
        raise HTTPException(415)
    try:
        body = await read_body(request, longest=LONGEST, within=WITHIN)
    except TooMuch:
        raise HTTPException(413) from None
    except TooSlow:
        raise HTTPException(408) from None
    if kind == _PARTS:
        return (FIELD, SAID) in _of_parts(told, body)
    try:
        return (FIELD, SAID) in parse_qsl(body.decode("ascii"), max_num_fields=_FIELDS)
    except ValueError:
        return False


def _of_parts(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    """The names and words of a form in parts, which is written like a message."""
    read = message_from_bytes(b"Content-Type: %b\r\n\r\n%b" % (content_type.encode("latin-1"), body))
    parts = read.get_payload()
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, Message) and isinstance(words := part.get_payload(), str):
            yield str(part.get_param("name", header="content-disposition")), words.strip()
