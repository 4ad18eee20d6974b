"""Templates: a folder per message with ``subject.txt``, ``body.txt`` and ``body.html``, run in a closed sandbox.

The sandbox is immutable and strict: an unknown or missing field is an error, HTML is escaped, and there are no globals.
What a template may name is ``fields.FIELDS``; anything else is found without rendering, with file and line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import (
    FileSystemLoader,
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
from reactivation.playbooks.declared import DeclarationError, Problem, near_miss

PARTS = ("subject.txt", "body.txt", "body.html")


class TemplateFileError(DeclarationError):
    """A template cannot be used; every problem with its file's line."""

    kind = "template"


@dataclass(frozen=True)
class Rendered:
    """The words of one e-mail."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class MessageTemplate:
    """One compiled message and the fields it names."""

    name: str
    subject: CompiledPart
    text: CompiledPart
    html: CompiledPart
    fields: frozenset[str]

    def render(self, values: Mapping[str, str]) -> Rendered:
        """The message for these values. Raises ``MessageError`` for a field that is missing, blank or not allowed."""
        for field, value in values.items():
            if field not in FIELDS:
                raise MessageError("field_not_allowed", f"{field} is not a personalisation field")
            if not value or value.isspace():
                raise MessageError("personalisation_missing", f"{field} is empty")
        try:
            return Rendered(self.subject.render(values).strip(), self.text.render(values), self.html.render(values))
        except UndefinedError as error:
            raise MessageError("personalisation_missing", f"template {self.name}: {error.message}") from None
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise MessageError("template_fails", f"template {self.name}: {error}") from None


def template_problems(folder: Path, name: str) -> dict[str, list[Problem]]:
    """Everything wrong with one template, by file, found without rendering; empty when nothing is."""
    environment = _environment(folder)
    found: dict[str, list[Problem]] = {}
    for part in PARTS:
        for file, problem in _problems(environment, f"{name}/{part}", set()):
            found.setdefault(str(folder / file), []).append(problem)
    return found


def load_template(folder: Path, name: str) -> MessageTemplate:
    """The template of that name, compiled once. Raises ``TemplateFileError`` for the first file that has problems."""
    for file, problems in template_problems(folder, name).items():
        raise TemplateFileError(file, problems)
    environment = _environment(folder)
    subject, text, html = (environment.get_template(f"{name}/{part}") for part in PARTS)
    named = frozenset().union(*(_fields(environment, f"{name}/{part}") for part in PARTS))
    return MessageTemplate(name, subject, text, html, named)


def _environment(folder: Path) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder), undefined=StrictUndefined, autoescape=lambda name: str(name).endswith(".html"),
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False, auto_reload=False, cache_size=-1,
    )  # fmt: skip
    environment.globals.clear()
    return environment


def _problems(environment: ImmutableSandboxedEnvironment, file: str, seen: set[str]) -> Iterator[tuple[str, Problem]]:
    """Problems of one file and of those it extends or includes, each file once."""
    if file in seen:
        return
    seen.add(file)
    try:
        tree = environment.parse(_source(environment, file), name=file)
        unknown = meta.find_undeclared_variables(tree) - set(FIELDS)
    except TemplateNotFound:
        yield file, Problem(1, "", "cannot be read; a template has " + ", ".join(PARTS))
        return
    except UnicodeDecodeError:
        yield file, Problem(1, "", "is not UTF-8 text; save the file as UTF-8")
        return
    except TemplateSyntaxError as error:
        yield file, Problem(error.lineno, "", f"is no template: {error.message}")
        return
    for use in tree.find_all(nodes.Name):
        if use.ctx == "load" and use.name in unknown:
            hint = near_miss(use.name, list(FIELDS)) or f"; expected one of {', '.join(FIELDS)}"
            yield file, Problem(use.lineno, use.name, f"is no personalisation field{hint}")
    for unescaped in tree.find_all((nodes.Filter, nodes.ScopedEvalContextModifier)):
        if not isinstance(unescaped, nodes.Filter) or unescaped.name == "safe":
            yield file, Problem(unescaped.lineno, "", "switches escaping off; remove it")
    for referenced in meta.find_referenced_templates(tree):
        if referenced is None:
            yield file, Problem(1, "", "includes a template whose name is computed; name it")
        elif file.endswith(".html") and not referenced.endswith(".html"):
            yield file, Problem(1, "", f"includes {referenced}, in which nothing is escaped; include an .html file")
        else:
            yield from _problems(environment, referenced, seen)


def _fields(environment: ImmutableSandboxedEnvironment, file: str) -> frozenset[str]:
    tree = environment.parse(_source(environment, file), name=file)
    inherited = (_fields(environment, other) for other in meta.find_referenced_templates(tree) if other is not None)
    return frozenset(meta.find_undeclared_variables(tree)).union(*inherited)


def _source(environment: ImmutableSandboxedEnvironment, file: str) -> str:
    if environment.loader is None:
        raise TemplateNotFound(file)
    return environment.loader.get_source(environment, file)[0]
