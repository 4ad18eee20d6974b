"""A review brief as one HTML file: it loads nothing, and prints on A4 as it is read."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

if TYPE_CHECKING:
    from reactivation.steps.account_brief import Brief

_HERE = Path(__file__).resolve().parent


def brief_html(brief: Brief, *, personal: bool) -> str:
    """The brief as a page of its own, everything escaped. ``personal``: it has names and notes, and says so."""
    return _template().render(brief=brief, personal=personal)


@cache
def _template() -> Template:
    made = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["seen"] = _seen
    return made.get_template("brief.html")


def _seen(text: str) -> str:
    """What came from a source, with signs named that hide or turn text around."""
    return "".join(sign if sign.isprintable() or sign == "\n" else f"⟨U+{ord(sign):04X}⟩" for sign in text)
