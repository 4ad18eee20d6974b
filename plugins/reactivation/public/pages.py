"""The few pages a recipient may see: escaped, without script, and without anything from elsewhere."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from reactivation.playbooks.tenant import Tenant

_HERE = Path(__file__).resolve().parent / "templates"
_STYLE = (_HERE / "style.css").read_text(encoding="utf-8")
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
#: Our own style and a form back to us, and nothing else at all.
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
#: By status, what did not work; what can be done about it follows.
_REFUSED: Mapping[int, str] = {
    400: "Nothing was changed", 404: "This link does not work", 405: "Nothing was changed", 408: "That took too long",
    413: "Nothing was changed", 415: "Nothing was changed", 429: "Too many requests at once",
    500: "We could not do this", 503: "We could not do this right now",
}  # fmt: skip


class Pages:
    """The pages in the name of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        made = Environment(
            loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        made.globals.update(name=tenant.display_name, mailbox=tenant.unsubscribe_mailto, style=_STYLE)
        self._templates = made

    def ask(self) -> HTMLResponse:
        """One button. Looking changes nothing."""
        return self._page("ask.html", 200)

    def done(self) -> HTMLResponse:
        """It is committed."""
        return self._page("done.html", 200)

    def refusal(self, status: int, headers: Mapping[str, str] | None = None) -> HTMLResponse:
        """What did not work, and how to leave all the same. It says nothing about anybody."""
        return self._page("refused.html", status, headers, title=_REFUSED[status], number=status, is_kept=False)

    def not_now(self, again_in: int, *, is_kept: bool) -> HTMLResponse:
        """It is not committed, since the ledger cannot be used; whether it is kept until it can."""
        headers = {"Retry-After": str(again_in)}
        return self._page("refused.html", 503, headers, title=_REFUSED[503], number=503, is_kept=is_kept)

    def _page(
        self, template: str, status: int, headers: Mapping[str, str] | None = None, **values: object
    ) -> HTMLResponse:
        text = self._templates.get_template(template).render(values)
        return HTMLResponse(text, status, {"Content-Security-Policy": _POLICY, **(headers or {})})
