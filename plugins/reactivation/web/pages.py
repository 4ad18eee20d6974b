"""What the routes share: the workspace, the templates, and how a page is shown, handed over or refused."""

from __future__ import annotations

import re
from collections.abc import Callable

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from reactivation.steps.workspace import OnDemand, Workspace
from reactivation.web.rendering import environment

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


class Pages:
    """One application's workspace and templates. The workspace is opened on the first request and kept."""

    def __init__(self, open_workspace: Callable[[], Workspace]) -> None:
        self._open = OnDemand(open_workspace)
        self._templates = environment()

    def workspace(self) -> Workspace:
        """The workspace, without what it has read of the configuration so far."""
        return self._open()

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


def to_keep(response: Response, name: str) -> Response:
    """The response as a file to keep under that name, instead of a page to look at."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    response.headers["Content-Disposition"] = f'attachment; filename="{safe}"'
    return response
