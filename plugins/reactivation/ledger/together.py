"""Statements that need nothing of each other, told to PostgreSQL in one breath: one round trip for all of them.

They are executed one after another, as they would be otherwise, and each sees what was committed before it. Where
several threads share an interpreter, each answer that is waited for is a wait for one's turn, too: of a batch, that
took longer than its statements (``make bench``: sends).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeAlias, TypeVar

import psycopg
from sqlalchemy import Connection, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import ReturningUpdate

_Statement: TypeAlias = Select[*tuple[Any, ...]] | ReturningUpdate[*tuple[Any, ...]]
#: A statement that is made once, and its parameters by name.
Question: TypeAlias = tuple[_Statement, Mapping[str, Any]]
Rows: TypeAlias = list[tuple[Any, ...]]
_Convert: TypeAlias = Callable[[Any], Any]
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Asking(Generic[T]):
    """Questions, and what is read from the rows of each: so that what several rooms ask is asked in one breath."""

    questions: tuple[Question, ...]
    read: Callable[[list[Rows]], T]

    def __and__(self, other: Asking[U]) -> Asking[tuple[T, U]]:
        """Both, in this order."""
        mine = len(self.questions)
        return Asking(
            self.questions + other.questions, lambda found: (self.read(found[:mine]), other.read(found[mine:]))
        )


def answer(conn: Connection, asking: Asking[T]) -> T:
    """What is read from the answers. Raises ``DBAPIError`` as the questions alone would."""
    return asking.read(asked(conn, *asking.questions))


def asked(conn: Connection, *questions: Question) -> list[Rows]:
    """The rows that answer each question, in the order asked. Raises ``DBAPIError`` as the questions alone would."""
    driver = conn.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        return [[tuple(row) for row in conn.execute(statement, values)] for statement, values in questions]
    made = [_made(statement, conn.dialect) for statement, _ in questions]
    with _named(conn), driver.pipeline() if len(made) > 1 else nullcontext():
        cursors = [
            driver.execute(one.text, one.bound(values)) for one, (_, values) in zip(made, questions, strict=True)
        ]  # fmt: skip
    return [one.read(cursor.fetchall()) for one, cursor in zip(made, cursors, strict=True)]


@contextmanager
def together(conn: Connection) -> Iterator[None]:
    """Inside, nothing may be read and nothing counted. What the database refuses is raised at the latest when the block
    ends, as the ``DBAPIError`` it would have been; then nothing of the transaction remains.
    """
    driver = conn.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        yield
        return
    with _named(conn), driver.pipeline():
        yield


@contextmanager
def _named(conn: Connection) -> Iterator[None]:
    """The driver's errors are those that any other statement raises."""
    try:
        yield
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error, dialect=conn.dialect) from error


@dataclass(frozen=True)
class _Made:
    """A statement in the driver's words. ``given``: its parameters, with what turns a value into the driver's;
    ``fixed``: those it always has; ``columns``: what turns a value of the driver's back, by place."""

    text: str
    given: Mapping[str, _Convert | None]
    fixed: Mapping[str, Any]
    columns: Mapping[int, _Convert]

    def bound(self, values: Mapping[str, Any]) -> dict[str, Any]:
        bound = dict(self.fixed)
        for name, convert in self.given.items():
            bound[name] = values[name] if convert is None else convert(values[name])
        return bound

    def read(self, rows: Rows) -> Rows:
        if not self.columns:
            return rows
        return [
            tuple(self.columns[at](one) if at in self.columns else one for at, one in enumerate(row)) for row in rows
        ]  # fmt: skip


@lru_cache(maxsize=128)  # of each ledger that is open: a dozen
def _made(statement: _Statement, dialect: Dialect) -> _Made:
    compiled = statement.compile(dialect=dialect)
    given: dict[str, _Convert | None] = {}
    fixed: dict[str, Any] = {}
    for bind, name in compiled.bind_names.items():
        convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if bind.required:
            given[name] = convert
        else:
            fixed[name] = bind.value if convert is None else convert(bind.value)
    back = (one.type.dialect_impl(dialect).result_processor(dialect, None) for one in statement.exported_columns)
    columns = {at: convert for at, convert in enumerate(back) if convert is not None}
    return _Made(str(compiled), given, fixed, columns)
