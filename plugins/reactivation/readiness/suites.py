"""The suites of ``expectations/``: what each asks, of which condition, and how a failure is told.

A suite is JSON, reviewed like code. One that does not hold together is refused with the line, the field and what was
expected; nothing is judged by half a suite.
"""

from __future__ import annotations

import json
from pathlib import Path
from string import Formatter
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from reactivation import paths
from reactivation.playbooks.declared import DeclarationError, Problem, near_miss, parse_declared, read_bytes
from reactivation.playbooks.words import Declared, Severity
from reactivation.readiness.conditions import conditions

#: The expectations we know how to read the result of.
ExpectationType = Literal[
    "expect_table_row_count_to_equal", "expect_table_row_count_to_be_between",
    "expect_column_values_to_not_be_null", "expect_column_values_to_be_in_set",
    "expect_column_values_to_be_between", "expect_column_values_to_be_unique",
]  # fmt: skip

#: When an expectation is asked: always, of what is there, of what the playbook requires (joinable: and there are
#: contacts it could belong to), of its kind of subject.
When = Literal[
    "always", "present", "required", "required_present", "required_filled", "required_whole", "joinable", "customer",
    "account",
]  # fmt: skip


#: What ``found`` and ``fix`` may ask for in braces.
_WORDS = frozenset({"count", "of", "value", "limit", "affected", "names", "file"})


class SuiteError(DeclarationError):
    """A suite is refused; every problem with its line."""

    kind = "suite"


class Meta(Declared):
    """What an expectation is about. ``found`` and ``fix`` may hold the words of ``_WORDS`` in braces; ``names`` and
    ``affected`` are columns of the rows that fail."""

    condition: str
    when: When
    why: str
    source: str
    fix: str
    found: str
    names: str | None = None
    affected: str | None = None

    @field_validator("condition")
    @classmethod
    def _is_declared(cls, condition: str) -> str:
        if condition not in conditions():
            known = list(conditions())
            raise ValueError(f"found {condition!r}, expected a condition{near_miss(condition, known)}")
        return condition

    @field_validator("fix", "found")
    @classmethod
    def _asks_for_what_is_known(cls, words: str) -> str:
        unknown = sorted({name for _, name, _, _ in Formatter().parse(words) if name is not None} - _WORDS)
        if unknown:
            known = ", ".join(sorted(_WORDS))
            raise ValueError(f"found {{{unknown[0]}}}{near_miss(unknown[0], sorted(_WORDS))}; known are {known}")
        return words


class Parameter(Declared):
    """A value that comes from the playbook or the run."""

    name: str = Field(alias="$PARAMETER")


class Kwargs(Declared):
    """What Great Expectations is asked with."""

    column: str | None = None
    value: int | None = None
    value_set: tuple[bool | str, ...] | None = None
    min_value: float | Parameter | None = None
    max_value: float | Parameter | None = None
    mostly: float | Parameter | None = None


class Expectation(Declared):
    """One question of a suite."""

    type: ExpectationType
    kwargs: Kwargs
    severity: Severity
    meta: Meta


class _About(Declared):
    frame: str
    grain: str


class Suite(Declared):
    """One file of ``expectations/``."""

    name: str
    meta: _About
    expectations: tuple[Expectation, ...] = Field(min_length=1)


def read_suite(path: Path) -> tuple[Suite, list[dict[str, Any]]]:
    """A suite, and its expectations as Great Expectations takes them. Raises ``SuiteError``."""
    text, _ = read_bytes(path, SuiteError)
    try:
        raw = json.loads(text)
        suite = Suite.model_validate(raw)
    except json.JSONDecodeError as error:
        raise SuiteError(
            str(path), [Problem(error.lineno, "", f"is not JSON: {error.msg}; correct the line")]
        ) from None
    except ValidationError:
        parse_declared(text, str(path), Suite, SuiteError)  # JSON is YAML too: read as such, each problem has its line
        raise
    if suite.name != path.stem:
        raise SuiteError(str(path), [Problem(1, "name", f"found {suite.name!r}, expected {path.stem!r}")])
    return suite, raw["expectations"]


def suite_files() -> list[Path]:
    """Every suite there is, by name."""
    return sorted(paths.EXPECTATIONS.glob("*.json"))
