"""Templates: a folder per message, run in a closed sandbox. An e-mail is ``subject.txt``, ``body.txt`` and
``body.mjml``, a text message is ``sms.txt``; a folder may have both.

The sandbox is immutable and strict: an unknown or missing field is an error, HTML is escaped, and there are no globals.
What a template may name is ``fields.FIELDS``; anything else is found without rendering, with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
    meta,
    nodes,
)
from jinja2 import Template as CompiledPart
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reactivation.messages.fields import FIELDS, MessageError
from reactivation.messages.mjml import SUFFIX, MjmlError, compiled, source_problems
from reactivation.playbooks.declared import DeclarationError, Problem, near_miss

#: The files of a message, by channel.
PARTS: Mapping[str, tuple[str, ...]] = {
    "email": ("subject.txt", "body.txt", "body.mjml"),
    "sms": ("sms.txt",),
}


class TemplateFileError(DeclarationError):
    """A template cannot be used; every problem with its file's line."""

    kind = "template"


@dataclass(frozen=True)
class Rendered:
    """The words of one message; a text message has neither subject nor page."""

    text: str
    subject: str | None = None
    html: str | None = None


@dataclass(frozen=True)
class MessageTemplate:
    """One compiled message: its parts and the fields they name, by channel."""

    name: str
    parts: Mapping[str, tuple[CompiledPart, ...]]
    fields_of: Mapping[str, frozenset[str]]

    @property
    def fields(self) -> frozenset[str]:
        """Every field that is named on any channel."""
        return frozenset().union(*self.fields_of.values())

    def render(self, values: Mapping[str, str], channel: str = "email") -> Rendered:
        """The message for these values. Raises ``MessageError`` for a field that is missing, blank or not allowed."""
        for field, value in values.items():
            if field not in FIELDS:
                raise MessageError("field_not_allowed", f"{field} is not a personalisation field")
            if not value or value.isspace():
                raise MessageError("personalisation_missing", f"{field} is empty")
        if channel not in self.parts:
            raise MessageError("no_template", f"template {self.name} has no {', '.join(PARTS[channel])}")
        try:
            made = [part.render(values) for part in self.parts[channel]]
        except UndefinedError as error:
            raise MessageError("personalisation_missing", f"template {self.name}: {error.message}") from None
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise MessageError("template_fails", f"template {self.name}: {error}") from None
        if channel == "sms":
            return Rendered(" ".join(made[0].split()))
        subject, text, html = made
        return Rendered(text, subject.strip(), html)


#: What a file of a shelf is called.
_PATH = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)?\.[a-z]+")


class _Shelf(BaseLoader):
    """The files below one folder: a page as the HTML it compiles to, everything else as it is written. Each is read
    once, so that what is compiled is what was looked through."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, str | None] = {}

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        """The text that Jinja reads. Raises ``TemplateNotFound``, ``UnicodeDecodeError`` and ``MjmlError``."""
        source = compiled(template, self.text) if template.endswith(SUFFIX) else self.text(template)
        return source, template, None

    def text(self, path: str) -> str:
        """A file as it is written. Raises ``TemplateNotFound`` and ``UnicodeDecodeError``."""
        if path not in self._read:
            self._read[path] = self._now(path)
        text = self._read[path]
        if text is None:
            raise TemplateNotFound(path)
        return text

    def is_as_read(self) -> bool:
        """Whether every file that was asked for still says the same, or still is not there."""
        try:
            return all(self._now(path) == text for path, text in list(self._read.items()))
        except UnicodeDecodeError:
            return False

    def _now(self, path: str) -> str | None:
        """Nothing that is not below the folder by its own name: a template is written by people who see no secrets."""
        file = self.folder / path
        if not _PATH.fullmatch(path) or not file.resolve().is_relative_to(self.folder.resolve()) or not file.is_file():
            return None
        return file.read_text(encoding="utf-8")


def template_problems(folder: Path, name: str) -> dict[str, list[Problem]]:
    """Everything wrong with one template, by file, found without rendering; empty when nothing is."""
    return _problems_by_file(_Shelf(folder), name)


def _problems_by_file(shelf: _Shelf, name: str) -> dict[str, list[Problem]]:
    folder, environment = shelf.folder, sandbox(shelf)
    found: dict[str, list[Problem]] = {}
    for part in (part for channel in _channels(folder, name) for part in PARTS[channel]):
        of_part = list(_problems(environment, shelf, f"{name}/{part}", set()))
        if part.endswith(SUFFIX) and not of_part:
            of_part = list(_compile_problems(environment, f"{name}/{part}"))
        for file, problem in of_part:
            found.setdefault(str(folder / file), []).append(problem)
    return found


def load_template(folder: Path, name: str) -> MessageTemplate:
    """The template of that name, compiled when any of its files is new. Raises ``TemplateFileError`` for the first file
    that has problems."""
    channels = _channels(folder, name)
    kept = _loaded.get((folder, name))
    if kept is not None and set(kept[1].parts) == set(channels) and kept[0].is_as_read():
        return kept[1]
    shelf = _Shelf(folder)
    for file, problems in _problems_by_file(shelf, name).items():
        raise TemplateFileError(file, problems)
    environment = sandbox(shelf)
    template = MessageTemplate(
        name,
        {one: tuple(environment.get_template(f"{name}/{part}") for part in PARTS[one]) for one in channels},
        {one: frozenset().union(*(_fields(environment, f"{name}/{p}") for p in PARTS[one])) for one in channels},
    )
    _loaded[folder, name] = shelf, template
    return template


#: By folder and name what was loaded last, and the files it was made of.
_loaded: dict[tuple[Path, str], tuple[_Shelf, MessageTemplate]] = {}


def _channels(folder: Path, name: str) -> list[str]:
    """The channels a template has any file for; e-mail, so that the files are missed, when it has none."""
    there = [channel for channel, parts in PARTS.items() if any((folder / name / part).is_file() for part in parts)]
    return there or ["email"]


def sandbox(shelf: BaseLoader | None = None) -> ImmutableSandboxedEnvironment:
    """Where templates are compiled and rendered; without a shelf, only texts that include none."""
    environment = ImmutableSandboxedEnvironment(
        loader=shelf, undefined=StrictUndefined, autoescape=lambda name: str(name).endswith(SUFFIX), trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=False, auto_reload=False, cache_size=-1,
    )  # fmt: skip
    environment.globals.clear()
    return environment


def _problems(
    environment: ImmutableSandboxedEnvironment, shelf: _Shelf, file: str, seen: set[str], above: tuple[str, ...] = ()
) -> Iterator[tuple[str, Problem]]:
    """Problems of one file as it is written and of those it includes, each file once; ``above`` include it."""
    if file in seen:
        return
    seen.add(file)
    try:
        source = shelf.text(file)
        tree = environment.parse(source, name=file)
        found = list(tree_problems(tree))
    except TemplateNotFound:
        yield file, Problem(1, "", "cannot be read; a template has " + ", ".join(PARTS["email"]) + " or sms.txt")
        return
    except UnicodeDecodeError:
        yield file, Problem(1, "", "is not UTF-8 text; save the file as UTF-8")
        return
    except TemplateSyntaxError as error:
        yield file, Problem(error.lineno, "", f"is no template: {error.message}")
        return
    referenced = list(meta.find_referenced_templates(tree))
    if file.endswith(SUFFIX):
        if referenced:
            found.append(Problem(1, "", "includes by Jinja, which is too late for a page; use mj-include"))
        wrong, included = source_problems(source)
        found, referenced = [*found, *wrong], [*included]
    yield from ((file, problem) for problem in found)
    for other in referenced:
        if other is None:
            yield file, Problem(1, "", "includes a template whose name is computed; name it")
        elif other in (file, *above):
            yield file, Problem(1, "", f"includes {other}, which includes it again; remove one")
        else:
            yield from _problems(environment, shelf, other, seen, (file, *above))


def tree_problems(tree: nodes.Template) -> Iterator[Problem]:
    """Names that are no fields, and escaping switched off."""
    unknown = meta.find_undeclared_variables(tree) - set(FIELDS)
    for use in tree.find_all(nodes.Name):
        if use.ctx == "load" and use.name in unknown:
            hint = near_miss(use.name, list(FIELDS)) or f"; expected one of {', '.join(FIELDS)}"
            yield Problem(use.lineno, use.name, f"is no personalisation field{hint}")
    for unescaped in tree.find_all((nodes.Filter, nodes.ScopedEvalContextModifier)):
        if not isinstance(unescaped, nodes.Filter) or unescaped.name == "safe":
            yield Problem(unescaped.lineno, "", "switches escaping off; remove it")


def _compile_problems(environment: ImmutableSandboxedEnvironment, file: str) -> Iterator[tuple[str, Problem]]:
    """What is wrong with a page whose files have no problem of their own."""
    try:
        environment.get_template(file)
    except MjmlError as error:
        yield file, Problem(1, "", str(error))
    except TemplateSyntaxError as error:
        yield file, Problem(1, "", f"is no template once compiled: {error.message}; put conditions into mj-raw")


def _fields(environment: ImmutableSandboxedEnvironment, file: str) -> frozenset[str]:
    assert environment.loader is not None  # noqa: S101  (``_environment`` gave it one)
    tree = environment.parse(environment.loader.get_source(environment, file)[0], name=file)
    inherited = (_fields(environment, other) for other in meta.find_referenced_templates(tree) if other is not None)
    return frozenset(meta.find_undeclared_variables(tree)).union(*inherited)
