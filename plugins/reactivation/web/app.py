"""The web application that Airflow mounts under ``/reactivation``: a few pages, all of them authenticated, none of
which changes anything but the record of who looked.

There is no script on any page, nothing from another host, and no POST. A message's HTML is shown in a frame without
any rights, under the same policy, so that nothing in it runs or loads.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from threading import Lock
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from reactivation.evidence import EvidenceError
from reactivation.ledger.engine import LedgerError
from reactivation.ledger.runs import StepError
from reactivation.playbooks.declared import DeclarationError
from reactivation.steps.settings import ConfigurationError
from reactivation.steps.workspace import Workspace
from reactivation.web.as_json import page_as_json
from reactivation.web.auth import Visitor, current_visitor, require_reader
from reactivation.web.calendar import NoSuchPlaybook, calendar_page
from reactivation.web.listing import ListPage, NoSuchList, NotYours, list_page
from reactivation.web.overview import overview
from reactivation.web.rendering import STYLE, environment

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'none'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_EXPLAINED = {
    401: ("Please log in", "Log in to Airflow, then open this page again."),
    403: ("This list is not yours to see", "A list is shown to its signers, to offer approvers and to compliance."),
    404: ("There is nothing here", "The link may be old, or was not copied whole."),
    425: ("Not prefetched", "This page is opened by a person, not in advance."),
    503: (
        "The ledger or the configuration cannot be read",
        "Nothing can be shown or signed until then. Tell the platform engineer.",
    ),
}
_UNEXPLAINED = ("This did not work", "Try again; if it stays so, tell the operator.")

Who = Annotated[Visitor, Depends(current_visitor)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]


def create_app(open_workspace: Callable[[], Workspace]) -> FastAPI:
    """The application. The workspace is opened on the first request and kept; owners and playbooks are read anew each
    time, so that who may look is what the configuration says now."""
    app = FastAPI(
        title="Reactivation", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(require_reader)]
    )
    pages = _Pages(open_workspace)

    @app.get("/")
    def first_page(request: Request, visitor: Who) -> Response:
        workspace = pages.workspace()
        return pages.html(request, "overview.html", view=overview(workspace, visitor, workspace.now()))

    @app.get("/calendar")
    def calendar(request: Request, visitor: Who, playbook: str | None = None, page: PageNumber = 1) -> Response:
        try:
            view = calendar_page(pages.workspace(), playbook, page, visitor)
        except NoSuchPlaybook:
            raise HTTPException(404) from None
        return pages.html(request, "calendar.html", view=view)

    @app.get("/style.css")
    def style() -> Response:
        return Response(STYLE, media_type="text/css")

    @app.get("/lists/{list_id}.json")
    def list_json(request: Request, list_id: str, visitor: Who, page: PageNumber = 1) -> Response:
        return JSONResponse(page_as_json(pages.look(request, list_id, page, visitor)))

    @app.get("/lists/{list_id}")
    def list_html(request: Request, list_id: str, visitor: Who, page: PageNumber = 1) -> Response:
        return pages.html(request, "list.html", view=pages.look(request, list_id, page, visitor))

    @app.middleware("http")
    async def guarded(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(StarletteHTTPException)
    async def refused(request: Request, error: StarletteHTTPException) -> Response:
        return pages.refusal(request, error.status_code)

    @app.exception_handler(RequestValidationError)
    async def misread(request: Request, _: RequestValidationError) -> Response:
        return pages.refusal(request, 404)

    async def unreadable(request: Request, _: Exception) -> Response:
        return pages.refusal(request, 503)

    for expected in (LedgerError, EvidenceError, StepError, DeclarationError, ConfigurationError):
        app.add_exception_handler(expected, unreadable)
    return app


class _Pages:
    """What the routes share: the workspace, the templates, and the way a page is refused."""

    def __init__(self, open_workspace: Callable[[], Workspace]) -> None:
        self._open = open_workspace
        self._opened: Workspace | None = None
        self._lock = Lock()
        self._templates = environment()

    def workspace(self) -> Workspace:
        """The workspace, without what it has read of the configuration so far."""
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return replace(self._opened)

    def look(self, request: Request, list_id: str, page: int, visitor: Visitor) -> ListPage:
        """One page of a list, recorded as seen by this visitor."""
        hints = request.headers.get("sec-purpose", "") + request.headers.get("purpose", "")
        if "prefetch" in hints:
            raise HTTPException(425)  # a browser that loads in advance has shown nothing to anybody
        workspace = self.workspace()
        try:
            return list_page(workspace, list_id, page, visitor, workspace.now())
        except NoSuchList:
            raise HTTPException(404) from None
        except NotYours:
            raise HTTPException(403) from None

    def html(self, request: Request, template: str, status_code: int = 200, **values: object) -> HTMLResponse:
        """A page of ours. ``root`` is where we are mounted, ``airflow`` where Airflow itself is."""
        root = str(request.scope.get("root_path", ""))
        values |= {"root": root, "airflow": root.removesuffix("/reactivation")}
        return HTMLResponse(self._templates.get_template(template).render(values), status_code=status_code)

    def refusal(self, request: Request, status_code: int) -> Response:
        """A page for people, JSON for scripts; neither says more than it must."""
        title, advice = _EXPLAINED.get(status_code, _UNEXPLAINED)
        if "text/html" not in request.headers.get("accept", "") or request.url.path.endswith(".json"):
            return JSONResponse({"detail": title}, status_code=status_code)
        return self.html(request, "refused.html", status_code, status=status_code, title=title, advice=advice)
