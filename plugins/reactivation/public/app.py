"""The public application: the recipient's way out under ``/u/{token}``, providers' webhooks under ``/hooks/``, and
whether the process is alive.

Everything else is the same page for everybody. No cookie, no login, no redirect, no script, nothing from elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence, Set
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from reactivation.contract.links import LinkKeys
from reactivation.playbooks.tenant import load_tenant
from reactivation.public.answers import Threads
from reactivation.public.guard import Guard
from reactivation.public.hooks import PACE, Hooks
from reactivation.public.kept import Kept
from reactivation.public.limits import Pace, client_of
from reactivation.public.pages import Pages
from reactivation.public.unsubscribing import ONE_LINK, WayOut
from reactivation.steps.settings import ConfigurationError, Settings, Webhook
from reactivation.steps.workspace import Workspace

#: What strangers may do in a second, and at once: whoever has a token of ours or a provider's signature is none.
STRANGERS = (5.0, 60)


def create_app(
    settings: Settings, open_workspace: Callable[[], Workspace], webhooks: Sequence[Webhook] = (), *,
    clock: Callable[[], float] = time.monotonic,
) -> ASGIApp:  # fmt: skip
    """The application of one installation. ``open_workspace`` is called whenever the ledger is needed; ``webhooks``:
    those that are switched on. ``clock``: by whose seconds the hasty are slowed down.

    Raises ``ConfigurationError`` without an address key or for a key of a webhook that cannot be one, and
    ``TenantError`` for a tenant that cannot be read.
    """
    if not settings.address_keys:
        raise ConfigurationError(
            "there is no address key, so no link could be recognised; set the connection reactivation_address_key"
        )
    pages = Pages(load_tenant(settings.tenant))
    strangers = Pace(*STRANGERS, clock=clock)

    def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if wait := strangers.wait(client_of(request)):
            return pages.refusal(429, {"Retry-After": str(int(wait) + 1)})
        return pages.refusal(status, error.headers if isinstance(error, HTTPException) else None)

    threads = Threads()
    kept = Kept(settings.home / "unsubscribes")

    def now() -> datetime:
        return settings.given_now or datetime.now(UTC)

    way_out = WayOut(
        LinkKeys(settings.address_keys), pages, threads, kept, Pace(*ONE_LINK, clock=clock),
        open_workspace=open_workspace, now=now,
    )  # fmt: skip
    hooks = Hooks(webhooks, threads, Pace(*PACE, clock=clock), open_workspace, now)

    @asynccontextmanager
    async def while_it_runs(_: Starlette) -> AsyncIterator[None]:
        committing = asyncio.create_task(kept.commit_for_ever(threads, open_workspace))
        yield
        committing.cancel()

    app = Starlette(
        routes=[
            Route("/health", _alive, methods=["GET"]),
            Route("/u/{token}", way_out.answer, methods=["GET", "POST"]),
            *(Route(path, endpoint, methods=["POST"]) for path, endpoint in hooks.routes().items()),
        ],
        exception_handlers={HTTPException: refused},
        lifespan=while_it_runs,
    )
    app.router.redirect_slashes = False
    named = {"/health", *hooks.routes()}
    return Guard(app, route_of=lambda path: _route_of(path, named), broken=lambda: pages.refusal(500))


def _alive(_: Request) -> Response:
    """That the process answers; whether the ledger does is asked with every request that needs it."""
    return Response("ok\n", media_type="text/plain")


def _route_of(path: str, named: Set[str]) -> str:
    """The route of a path, as it may stand in a log."""
    if path.startswith("/u/"):
        return "/u/{token}"
    return path if path in named else "other"
