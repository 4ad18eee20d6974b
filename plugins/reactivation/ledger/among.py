"""Asking about many ids in one parameter, so that the statement's text does not depend on how many they are.

A list of a parameter per id is another statement for every length: each is compiled, sent and planned anew, which took
longer than finding the rows (``make bench``: sends), and a database takes only so many parameters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


class _Texts(TypeDecorator[Iterable[str]]):
    """Texts as one value: an array, or JSON where there are none."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(Text()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> list[str] | str | None:
        listed = sorted(value or ())
        return listed if dialect.name == "postgresql" else json.dumps(listed)


class _Among(FunctionElement[bool]):
    type = Boolean()
    #: Else SQLite, which has no booleans, is asked whether it equals 1: then no index leads to it, and it reads it all.
    _is_implicitly_boolean = True
    inherit_cache = True
    name = "among"


def checked(column: ColumnElement[str]) -> ColumnElement[str]:
    """A column that rows found by their key are checked by: its own index is never the way to find them. States change
    faster than a database counts them, so it takes a crowded one for empty and reads all of it."""
    return column.concat("")


def among(column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Whether a text column has one of the values, of which there may be any number."""
    return _Among(column, bindparam(None, list(values), _Texts(), unique=True))


def among_named(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """The same in a statement that is made once: the values are given under that name whenever it is executed."""
    return _Among(column, bindparam(name, type_=_Texts()))


@compiles(_Among, "postgresql")
def _as_array(element: _Among, compiler: SQLCompiler, **options: object) -> str:
    column, values = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(_Among, "sqlite")
def _as_json(element: _Among, compiler: SQLCompiler, **options: object) -> str:
    column, values = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608
