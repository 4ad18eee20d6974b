"""The web application that Airflow mounts under ``/reactivation``: a few pages, all of them authenticated, none of
which changes anything but the record of who looked.

There is no script on any page, nothing from another host, and no POST. A message's HTML is shown in a frame without
any rights, under the same policy, so that nothing in it runs or loads.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Depends, FastAPI, HTTPException, Request, Response
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
from reactivation.web.asked import PageNumber, Who
from reactivation.web.auth import Visitor, require_reader
from reactivation.web.brief import brief_to_keep
from reactivation.web.calendar import NoSuchPlaybook, calendar_page
from reactivation.web.listing import ListPage, NoSuchList, NotYours, list_page
from reactivation.web.overview import overview
from reactivation.web.pages import Pages, to_keep
from reactivation.web.question import NoSuchQuestion, question_page
from reactivation.web.rendering import STYLE
from reactivation.web.reports import report_routes
from reactivation.web.results import result_routes
from reactivation.web.subjects import NoSuchReport
from reactivation.web.work import issue_page, task_page

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'none'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def create_app(open_workspace: Callable[[], Workspace]) -> FastAPI:
    """The application. The workspace is opened on the first request and kept; owners and playbooks are read anew each
    time, so that who may look is what the configuration says now."""
    app = FastAPI(
        title="Reactivation", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(require_reader)]
    )
    pages = Pages(open_workspace)

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

    @app.get("/tasks")
    def tasks(request: Request, visitor: Who, page: PageNumber = 1) -> Response:
        workspace = pages.workspace()
        return pages.html(request, "tasks.html", view=task_page(workspace, page, visitor, workspace.now()))

    @app.get("/issues")
    def issues(request: Request, visitor: Who, page: PageNumber = 1) -> Response:
        workspace = pages.workspace()
        return pages.html(request, "issues.html", view=issue_page(workspace, page, visitor, workspace.now()))

    @app.get("/style.css")
    def style() -> Response:
        return Response(STYLE, media_type="text/css")

    @app.get("/lists/{list_id}.json")
    def list_json(request: Request, list_id: str, visitor: Who, page: PageNumber = 1) -> Response:
        return JSONResponse(page_as_json(_look(pages, request, list_id, page, visitor)))

    @app.get("/lists/{list_id}")
    def list_html(request: Request, list_id: str, visitor: Who, page: PageNumber = 1) -> Response:
        return pages.html(request, "list.html", view=_look(pages, request, list_id, page, visitor))

    @app.get("/questions/{question_id}")
    def question(request: Request, question_id: str, visitor: Who) -> Response:
        workspace = pages.workspace()
        try:
            view = question_page(workspace, question_id, visitor, workspace.now())
        except NoSuchQuestion:
            raise HTTPException(404) from None
        return pages.html(request, "question.html", view=view)

    @app.get("/questions/{question_id}/brief.html")
    def brief(question_id: str, visitor: Who) -> Response:
        workspace = pages.workspace()
        try:
            account_id, page = brief_to_keep(workspace, question_id, visitor, workspace.now())
        except NoSuchQuestion:
            raise HTTPException(404) from None
        return to_keep(HTMLResponse(page), f"brief-{account_id}.html")

    app.include_router(report_routes(pages))
    app.include_router(result_routes(pages))

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

    @app.exception_handler(NoSuchReport)
    async def unknown(request: Request, _: NoSuchReport) -> Response:
        return pages.refusal(request, 404)

    async def unreadable(request: Request, _: Exception) -> Response:
        return pages.refusal(request, 503)

    for expected in (LedgerError, EvidenceError, StepError, DeclarationError, ConfigurationError):
        app.add_exception_handler(expected, unreadable)
    return app


def _look(pages: Pages, request: Request, list_id: str, page: int, visitor: Visitor) -> ListPage:
    """One page of a list, recorded as seen by this visitor."""
    hints = request.headers.get("sec-purpose", "") + request.headers.get("purpose", "")
    if "prefetch" in hints:
        raise HTTPException(425)  # a browser that loads in advance has shown nothing to anybody
    workspace = pages.workspace()
    try:
        return list_page(workspace, list_id, page, visitor, workspace.now())
    except NoSuchList:
        raise HTTPException(404) from None
    except NotYours:
        raise HTTPException(403) from None
