"""From a YAML text to a typed declaration, or to the list of everything that is wrong with it.

Shared by playbooks, owners, tenant and rules. YAML is read in its narrow form: only ``true`` and ``false`` are flags,
so that the country ``NO`` and a switch ``on`` stay text, and ``10:00`` is not the number 600.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, TypeGuard, TypeVar, Union, cast, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)
Loc = tuple[int | str, ...]

_PRIVATE = frozenset({"email", "name", "postal_address"})
_LONGEST_QUOTE = 60


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with a declared file. ``line`` counts from 1."""

    line: int
    field: str
    message: str


class DeclarationError(Exception):
    """A declared file is refused. The message lists every problem as ``file:line field: found, expected``."""

    kind = "declaration"

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        self.name = name
        self.problems = tuple(sorted(problems))
        shown = "".join(f"\n  {name}:{p.line} {p.field + ': ' if p.field else ''}{p.message}" for p in self.problems)
        many = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(f"{self.kind} {name} is refused, {many}:{shown}")


class _NarrowLoader(yaml.SafeLoader):
    """YAML whose plain words are text unless they are ``true``, ``false``, ``null`` or a decimal number.

    References (``*name``) are refused: they can contain themselves, or grow without end.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  (PyYAML's own shape)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            here = self.current_event.start_mark
            raise yaml.composer.ComposerError(None, None, "references (*name) are not used", here)
        return super().compose_node(parent, index)


_DIGITS = list("-+0123456789")
for _tag, _pattern, _first in (
    ("bool", r"true|false", ["t", "f"]),
    ("null", r"~|null|", ["~", "n", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", _DIGITS),
    ("float", r"[-+]?[0-9]+(\.[0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)", _DIGITS),
):
    _NarrowLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def read_bytes(path: Path, error: type[DeclarationError]) -> tuple[str, str]:
    """The text of a file and the SHA-256 of its bytes; raises ``error`` when it cannot be read as UTF-8."""
    try:
        raw = path.read_bytes()
        return raw.decode("utf-8"), hashlib.sha256(raw).hexdigest()
    except OSError as failure:
        raise error(str(path), [Problem(1, "", f"cannot be read ({failure.strerror}); give a readable file")]) from None
    except UnicodeDecodeError as failure:
        line = raw[: failure.start].count(b"\n") + 1
        raise error(str(path), [Problem(line, "", "is not UTF-8 text; save the file as UTF-8")]) from None


def parse_declared(text: str, name: str, model: type[M], error: type[DeclarationError]) -> M:
    """``text`` as a ``model``; raises ``error`` with every problem at once, each with its line."""
    return cast(M, _parsed(text, name, model, error))  # type: ignore[arg-type]


#: What is declared is frozen, and the same files are asked for by every page and every batch of sends.
@lru_cache(maxsize=256)
def _parsed(text: str, name: str, model: type[BaseModel], error: type[DeclarationError]) -> BaseModel:
    try:
        loader = _NarrowLoader(text)
        root = loader.get_single_node()
        data = loader.construct_document(root) if root is not None else None
    except yaml.YAMLError as failure:
        raise error(name, [_syntax_problem(text, failure)]) from None
    if root is None or not isinstance(root, yaml.MappingNode):
        raise error(name, [Problem(1, "", f"expected fields as `name: value`, found {_quote(data)}")])
    problems = list(_repeated_keys(root, ()))
    try:
        declared = model.model_validate(data)
    except ValidationError as failure:
        problems += [_problem(detail, model, root) for detail in failure.errors(include_url=False)]
    if problems:
        raise error(name, problems)
    return declared


def line_of(text: str, *loc: int | str) -> int:
    """The line, from 1, of a field of a YAML text that parses; of the nearest field above it when it is not there."""
    return _line(_NarrowLoader(text).get_single_node(), loc)


def near_miss(found: object, candidates: Sequence[str]) -> str:
    """``; did you mean x?`` when one of the candidates is close to what was found, else nothing."""
    close = difflib.get_close_matches(str(found), candidates, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _syntax_problem(text: str, failure: yaml.YAMLError) -> Problem:
    if isinstance(failure, yaml.MarkedYAMLError) and failure.problem_mark is not None:
        return Problem(failure.problem_mark.line + 1, "", f"is not YAML: {failure.problem}; correct the line")
    position = getattr(failure, "position", 0)
    return Problem(text.count("\n", 0, position) + 1, "", "is not YAML: a control character; remove it")


def _repeated_keys(node: yaml.Node | None, loc: Loc) -> Iterator[Problem]:
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _repeated_keys(item, (*loc, position))
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            here = (*loc, str(key.value))
            if str(key.value) in seen:
                yield Problem(key.start_mark.line + 1, _path(here), "stands here a second time; keep one")
            seen.add(str(key.value))
            yield from _repeated_keys(value, here)


def _problem(detail: ErrorDetails, model: type[BaseModel], root: yaml.Node) -> Problem:
    loc, found = detail["loc"], detail["input"]
    expected = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    match detail["type"]:
        case "missing":
            message = "is missing; a value is expected"
        case "extra_forbidden":
            message = "is no field here" + (near_miss(loc[-1], _fields_at(model, loc[:-1])) or _known(model, loc[:-1]))
        case "value_error":
            message = expected
        case kind:
            hint = near_miss(found, re.findall(r"'([^']*)'", expected)) if kind == "literal_error" else ""
            private = any(part in _PRIVATE for part in loc)
            message = f"found {'a value' if private else _quote(found)}, expected {expected}{hint}"
    return Problem(_line(root, loc), _path(loc), message)


def _known(model: type[BaseModel], loc: Loc) -> str:
    return f"; expected one of {', '.join(_fields_at(model, loc))}"


def _fields_at(annotation: object, loc: Loc) -> list[str]:
    """Names of the fields that the model declares at ``loc``."""
    annotation = _bare(annotation)
    if not loc:
        return list(annotation.model_fields) if _is_model(annotation) else []
    if _is_model(annotation):
        inner = annotation.model_fields.get(str(loc[0]))
        return _fields_at(inner.annotation, loc[1:]) if inner else []
    inside = get_args(annotation)
    return _fields_at(inside[-1] if get_origin(annotation) in (dict, Mapping) else inside[0], loc[1:]) if inside else []


def _bare(annotation: object) -> object:
    while get_origin(annotation) in (Annotated, Union, types.UnionType):
        annotation = next(a for a in get_args(annotation) if a is not type(None))
    return annotation


def _is_model(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _line(node: yaml.Node | None, loc: Sequence[int | str]) -> int:
    line = node.start_mark.line if node is not None else 0
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            key, node = next(((k, v) for k, v in node.value if k.value == str(part)), (None, None))
            line = key.start_mark.line if key is not None else line
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
        else:
            break
    return line + 1


def _path(loc: Sequence[int | str]) -> str:
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc if part != "[key]")
    return shown.removeprefix(".")


def _quote(found: object) -> str:
    shown = repr(found)
    return shown if len(shown) <= _LONGEST_QUOTE else shown[: _LONGEST_QUOTE - 1] + "…"
