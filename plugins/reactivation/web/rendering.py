"""Jinja as the pages use it: escaped always, strict about names, from templates in this package alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reactivation.approvals.lists import amount
from reactivation.ledger.questions import RequestId
from reactivation.messages.sms import segments
from reactivation.web.checks import OUTCOMES
from reactivation.web.reasons import words

_HERE = Path(__file__).resolve().parent
#: Our own stylesheet; nothing in it needs escaping inside a style element.
STYLE = (_HERE / "static" / "style.css").read_text(encoding="utf-8")
#: More of an id is not shown on a page; the CSV has it whole.
_LONGEST_ID = 120


def environment() -> Environment:
    """The templates with their filters."""
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(moment=moment, until=until, words=words, segments=segments, visible=visible)
    made.globals.update(amount=amount, form_path=form_path, style=STYLE, outcomes=OUTCOMES)
    return made


def moment(at: datetime) -> str:
    """An instant for people, in UTC."""
    return at.strftime("%a %-d %b %Y, %H:%M UTC")


def until(at: datetime, now: datetime) -> str:
    """How long from now, in the largest unit that says enough."""
    left = at - now
    if left <= timedelta(0):
        return "over"
    for unit, length in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if left >= length:
            count = left // length
            return f"{count} {unit}{'' if count == 1 else 's'} left"
    return "less than a minute left"


def visible(text: str, longest: int = _LONGEST_ID) -> str:
    """What came from a source, as it can be read: signs that hide or turn text around are named, and an end is made."""
    told = "".join(sign if sign.isprintable() else f"⟨U+{ord(sign):04X}⟩" for sign in text[:longest])
    return told if len(text) <= longest else f"{told}… ({len(text):,} signs in all)"


def form_path(request: RequestId) -> str:
    """Where Airflow shows the form of a request, from the root of the web server."""
    dag, run, task = (quote(part, safe="") for part in (request.dag_id, request.dag_run_id, request.task_id))
    mapped = f"/mapped/{request.map_index}" if request.map_index >= 0 else ""
    return f"/dags/{dag}/runs/{run}/tasks/{task}{mapped}/required_actions"
