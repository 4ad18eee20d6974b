"""The web application that Airflow mounts under ``/reactivation``: three pages, all of them authenticated, none of
which changes anything but the record of who looked.

There is no script on any page, nothing from another host, and no POST. A message's HTML is shown in a frame without
any rights, under the same policy, so that nothing in it runs or loads.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from threading import Lock
from typing import Annotated, Any

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

Who = Annotated[Visitor, Depends(current_visitor)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]


def create_app(open_workspace: Callable[[], Workspace]) -> FastAPI:
    """The application. The workspace is opened on the first request and kept; owners and playbooks are read anew each
    time, so that who may look is what the configuration says now."""
    app = FastAPI(
        title="Reactivation", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(require_reader)]
    )
    templates = environment()
    opened = _Opened(open_workspace)

    def html(request: Request, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        text = templates.get_template(name).render(root=root, airflow=root.removesuffix("/reactivation"), **values)
        return HTMLResponse(text, status_code=status)

    @app.get("/")
    def first_page(request: Request, visitor: Who) -> Response:
        workspace = opened.fresh()
        return html(request, "overview.html", view=overview(workspace, visitor, workspace.now()))

    @app.get("/style.css")
    def style() -> Response:
        return Response(STYLE, media_type="text/css")

    @app.get("/lists/{list_id}.json")
    def list_json(request: Request, list_id: str, visitor: Who, page: PageNumber = 1) -> Response:
        return JSONResponse(page_as_json(look(request, list_id, page, visitor)))

    @app.get("/lists/{list_id}")
    def list_html(request: Request, list_id: str, visitor: Who, page: PageNumber = 1) -> Response:
        return html(request, "list.html", view=look(request, list_id, page, visitor))

    def look(request: Request, list_id: str, page: int, visitor: Visitor) -> ListPage:
        if "prefetch" in request.headers.get("sec-purpose", "") or "prefetch" in request.headers.get("purpose", ""):
            raise HTTPException(425)  # a browser that loads in advance has shown nothing to anybody
        workspace = opened.fresh()
        try:
            return list_page(workspace, list_id, page, visitor, workspace.now())
        except NoSuchList:
            raise HTTPException(404) from None
        except NotYours:
            raise HTTPException(403) from None

    @app.middleware("http")
    async def guarded(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(StarletteHTTPException)
    async def refused(request: Request, error: StarletteHTTPException) -> Response:
        return explain(request, error.status_code)

    @app.exception_handler(RequestValidationError)
    async def misread(request: Request, _: RequestValidationError) -> Response:
        return explain(request, 404)

    async def unreadable(request: Request, _: Exception) -> Response:
        return explain(request, 503)

    for error in (LedgerError, EvidenceError, StepError, DeclarationError, ConfigurationError):
        app.add_exception_handler(error, unreadable)

    def explain(request: Request, status: int) -> Response:
        title, advice = _EXPLAINED.get(status, ("This did not work", "Try again; if it stays so, tell the operator."))
        if "text/html" in request.headers.get("accept", "") and not request.url.path.endswith(".json"):
            return html(request, "refused.html", status, title=title, advice=advice, status=status)
        return JSONResponse({"detail": title}, status_code=status)

    return app


class _Opened:
    """One workspace for the life of the process, opened when it is first needed."""

    def __init__(self, open_workspace: Callable[[], Workspace]) -> None:
        self._open = open_workspace
        self._lock = Lock()
        self._workspace: Workspace | None = None

    def fresh(self) -> Workspace:
        """The workspace without what it has read of the configuration so far."""
        with self._lock:
            if self._workspace is None:
                self._workspace = self._open()
            return replace(self._workspace)
