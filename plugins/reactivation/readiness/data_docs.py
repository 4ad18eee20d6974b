"""Great Expectations' own pages of a verdict, for the technical reader: one page per suite, packed into one file.

Its pages load styles and scripts from other hosts; ours are without them, so that whoever opens one calls nobody. The
same verdict gives the same bytes. There are counts and limits in them, and no value of any row.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

if TYPE_CHECKING:
    from reactivation.readiness.answered import Said

#: Scripts, styles and pictures, of other hosts or needing what they bring.
_FOREIGN = re.compile(r"<script\b.*?</script>|<style\b.*?</style>|<link\b[^>]*>|<img\b[^>]*>", re.DOTALL)
_LINKS = re.compile(r'\s(?:href|src)="(?!#)[^"]*"')
_RANDOM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_STYLE = """<style>
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1d2327}
table{border-collapse:collapse;width:100%}
td,th{border:1px solid #dcd9d0;padding:.4rem .6rem;text-align:left;vertical-align:top}
.navbar,.modal,.cooltip,.ge-walkthrough,footer,button,input,label{display:none}
.fa-check-circle::before{content:"✓ passed";color:#1f6b3a}.fa-times::before{content:"✗ failed";color:#9b2226}
</style>"""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def data_docs(said: Mapping[str, Said]) -> bytes:
    """A zip of one HTML page per suite and an index. ``said``: Great Expectations' result by suite."""
    pages = {f"{name}.html": one.page for name, one in said.items()} | {"index.html": _index(said)}
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, text in sorted(pages.items()):
            archive.writestr(ZipInfo(name, _EPOCH), text, ZIP_DEFLATED)
    return packed.getvalue()


def page_of(result: Any) -> str:  # noqa: ANN401
    """Great Expectations' page of its result of one suite."""
    result.meta.pop("batch_markers", None)  # when the frame was made, to the microsecond
    return _page(_view().render(_renderer().render(result)))


@cache
def _renderer() -> Any:  # noqa: ANN401
    # as heavy as the library itself: only where a verdict was asked for
    from great_expectations.render.renderer import ValidationResultsPageRenderer  # noqa: PLC0415

    return ValidationResultsPageRenderer()


@cache
def _view() -> Any:  # noqa: ANN401
    """Its templates are compiled once."""
    from great_expectations.render.view import DefaultJinjaPageView  # noqa: PLC0415

    return DefaultJinjaPageView()


def _page(rendered: str) -> str:
    """A rendered page that calls nobody, with the same names in it each time."""
    plain = _LINKS.sub("", _FOREIGN.sub("", rendered)).replace("</head>", f"{_STYLE}</head>", 1)
    names: dict[str, str] = {}
    return _RANDOM.sub(lambda found: names.setdefault(found[0], f"part-{len(names)}"), plain)


def _index(said: Mapping[str, Said]) -> str:
    rows = "".join(
        f'<tr><td><a href="{html.escape(name)}.html">{html.escape(name)}</a></td>'
        f"<td>{'passed' if one.result.success else 'failed'}</td><td>{len(one.result.results)}</td></tr>"
        for name, one in said.items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Data Docs</title>{_STYLE}</head><body>'
        "<h1>Data Docs</h1><table><tr><th>suite</th><th>result</th><th>expectations</th></tr>"
        f"{rows}</table></body></html>"
    )
