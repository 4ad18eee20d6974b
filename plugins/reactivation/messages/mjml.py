"""E-mails are written in MJML and compiled once, when a template is loaded; fields are filled in afterwards.

The compiler takes what it does not know for text, silently, so a file is read as strict XML first: every element and
attribute is one of a closed list, and a mistake has its line. Nothing in the list loads anything: no picture, no font.
What the compiler makes must still have every field and every condition of the source.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Protocol
from xml.parsers import expat

from mjml import mjml2html

from reactivation.playbooks.declared import Problem, near_miss

SUFFIX = ".mjml"

_HEAD = frozenset({
    "mj-head", "mj-attributes", "mj-all", "mj-class", "mj-style", "mj-title", "mj-preview", "mj-breakpoint",
})  # fmt: skip
#: Elements whose inside is HTML, and those whose inside is plain words.
_ENDING = frozenset({"mj-text", "mj-button", "mj-table", "mj-raw"})
_WORDS = frozenset({"mj-style", "mj-title", "mj-preview"})
_ELEMENTS = _HEAD | _ENDING | {
    "mjml", "mj-body", "mj-include", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-divider", "mj-spacer",
}  # fmt: skip
_ATTRIBUTES = frozenset({
    "align", "background-color", "border", "border-bottom", "border-color", "border-left", "border-radius",
    "border-right", "border-style", "border-top", "border-width", "cellpadding", "cellspacing", "color", "css-class",
    "direction", "font-family", "font-size", "font-style", "font-weight", "full-width", "height", "href", "inline",
    "inner-background-color", "inner-border", "inner-border-radius", "inner-padding", "lang", "letter-spacing",
    "line-height", "mj-class", "name", "padding", "padding-bottom", "padding-left", "padding-right", "padding-top",
    "path", "position", "role", "table-layout", "target", "text-align", "text-decoration", "text-transform", "title",
    "vertical-align", "width",
})  # fmt: skip

_INCLUDED = re.compile(r"[a-z0-9_]+(?:/[a-z0-9_]+)?\.mjml")
_INCLUDE = re.compile(r"""<mj-include\s+path=["']([^"']*)["']\s*/>""")
_CONDITION = re.compile(r"\{%.*?%\}", re.DOTALL)
_FIELD = re.compile(r"\{\{.*?\}\}", re.DOTALL)


class Read(Protocol):
    """The text of a file of the templates, by its name."""

    def __call__(self, path: str) -> str: ...


class MjmlError(Exception):
    """The compiler refuses a file, or loses something of it."""


def source_problems(source: str) -> tuple[list[Problem], list[str]]:
    """What is wrong with one file as XML and as MJML, by line; and the files it includes."""
    reader = _Reader()
    try:
        reader.parse(source)
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        return [*reader.problems, Problem(error.lineno, "", f"is not well-formed: {what}; correct the line")], []
    return reader.problems, reader.included


def compiled(file: str, read: Read) -> str:
    """The HTML of an MJML file and of what it includes, fields and conditions still in it. Raises ``MjmlError``."""
    source = _whole(file, read)
    try:
        html = mjml2html(source, fonts={}, disable_comments=True)
    except ValueError as error:
        raise MjmlError(f"is no MJML: {error}; correct it") from None
    lost = {*_FIELD.findall(source), *_CONDITION.findall(source)} - {*_FIELD.findall(html), *_CONDITION.findall(html)}
    if lost:
        raise MjmlError(f"{min(lost)} is lost in compiling; put it where text is")
    if Counter(_CONDITION.findall(html)) != Counter(_CONDITION.findall(source)):
        raise MjmlError("a condition is repeated in compiling; put it into mj-raw or mj-text")
    return str(html)


def _whole(file: str, read: Read) -> str:
    """A file with those it includes in their places.

    Done here and not by the compiler, which lays out an included part as if nothing stood around it.
    """
    return _INCLUDE.sub(lambda include: _whole(include[1], read), read(file))


class _Reader:
    """One pass over one file: elements and attributes against the lists."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.included: list[str] = []
        self._inside: list[str] = []
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._words
        self._parser.StartDoctypeDeclHandler = self._doctype

    def parse(self, source: str) -> None:
        """Reads a whole file or a part of one: a part has several roots, so one stands around them."""
        self._parser.Parse(f"<part>{source}</part>", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        in_html = self._in(_ENDING)
        self._inside.append(name)
        if in_html or len(self._inside) == 1:
            return
        if name not in _ELEMENTS:
            self._found(name, f"is no element here{near_miss(name, sorted(_ELEMENTS)) or '; pictures are not used'}")
            return
        for attribute in attributes:
            if attribute not in _ATTRIBUTES:
                self._found(attribute, f"is no attribute of {name}{near_miss(attribute, sorted(_ATTRIBUTES))}")
        if name == "mj-include":
            self._include(attributes.get("path", ""))

    def _end(self, _: str) -> None:
        self._inside.pop()

    def _words(self, words: str) -> None:
        if words.strip() and not self._in(_ENDING | _WORDS):
            self._found("", f"has words in {self._inside[-1]}; put them into mj-text, conditions into mj-raw")

    def _in(self, elements: frozenset[str]) -> bool:
        return not elements.isdisjoint(self._inside)

    def _doctype(self, *_: object) -> None:
        self._found("", "declares a document type; remove it")

    def _include(self, path: str) -> None:
        if _INCLUDED.fullmatch(path):
            self.included.append(path)
        else:
            self._found("path", f"found {path!r}, expected the name of a .mjml file of the templates")

    def _found(self, field: str, message: str) -> None:
        self.problems.append(Problem(self._parser.CurrentLineNumber, field, message))
