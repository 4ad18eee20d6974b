"""The routes of the readiness report: its page, the rows it concerns, and the same as files to keep."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from reactivation.web import downloads
from reactivation.web.asked import Code, PageNumber, Who
from reactivation.web.concerned import concerned_page, quarantine_page
from reactivation.web.pages import Pages, to_keep
from reactivation.web.readiness import readiness_page
from reactivation.web.subjects import Kind

_HERE = "/readiness/{kind}/{subject_id}"


def report_routes(pages: Pages) -> APIRouter:
    """Everything below ``/readiness``. ``NoSuchReport`` is the application's to answer."""
    routes = APIRouter()

    @routes.get(f"{_HERE}.json")
    def as_json(kind: Kind, subject_id: str) -> Response:
        return to_keep(JSONResponse(downloads.as_json(pages.workspace(), kind, subject_id)), _name(subject_id, "json"))

    @routes.get(f"{_HERE}.csv")
    def as_csv(kind: Kind, subject_id: str) -> Response:
        parts = downloads.as_csv(pages.workspace(), kind, subject_id)
        return to_keep(StreamingResponse(parts, media_type="text/csv; charset=utf-8"), _name(subject_id, "csv"))

    @routes.get(f"{_HERE}.html")
    def to_print(request: Request, kind: Kind, subject_id: str, visitor: Who) -> Response:
        workspace = pages.workspace()
        view = readiness_page(workspace, kind, subject_id, visitor, workspace.now())
        return to_keep(
            pages.html(request, "readiness.html", view=view, layout="paper.html", on_paper=True),
            _name(subject_id, "html"),
        )

    @routes.get(_HERE)
    def report(request: Request, kind: Kind, subject_id: str, visitor: Who) -> Response:
        workspace = pages.workspace()
        view = readiness_page(workspace, kind, subject_id, visitor, workspace.now())
        return pages.html(request, "readiness.html", view=view, layout="base.html", on_paper=False)

    @routes.get(f"{_HERE}/rows")
    def rows(
        request: Request, kind: Kind, subject_id: str, visitor: Who, *, condition: Code = None, subject: Code = None,
        page: PageNumber = 1,
    ) -> Response:  # fmt: skip
        view = concerned_page(
            pages.workspace(), kind, subject_id, visitor, condition=condition, subject=subject, page=page
        )
        return pages.html(request, "readiness_rows.html", view=view)

    @routes.get(f"{_HERE}/quarantine")
    def quarantine(
        request: Request, kind: Kind, subject_id: str, visitor: Who, *, table: Code = None, page: PageNumber = 1
    ) -> Response:
        view = quarantine_page(pages.workspace(), kind, subject_id, visitor, table=table, page=page)
        return pages.html(request, "readiness_rows.html", view=view)

    @routes.get(f"{_HERE}/data-docs.zip")
    def data_docs(kind: Kind, subject_id: str) -> Response:
        packed = downloads.data_docs(pages.workspace(), kind, subject_id)
        return to_keep(Response(packed, media_type="application/zip"), f"data-docs-{subject_id}.zip")

    return routes


def _name(subject_id: str, ending: str) -> str:
    return f"readiness-{subject_id}.{ending}"
