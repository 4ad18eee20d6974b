# ruff: noqa: S608 - SQL is made of contract names only
"""From raw columns to typed ones: which SQL reads which column.

The readers of single values are macros in ``include/sql``; here they are applied column by column as the contract says.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb
import pyarrow as pa

from reactivation import paths
from reactivation.contract.tables import FLAG, MONEY, TEXT, TEXTS, TIME, WHOLE, Column
from reactivation.sources.files import RawFile

_MACROS = ("read_text", "read_instant", "is_ambiguous_date", "read_amount", "read_whole", "read_flag", "read_texts",
           "is_id", "day_of", "month_of", "ten_thousandths", "within_money")  # fmt: skip

SQL_TYPES: dict[pa.DataType, str] = {
    TEXT: "VARCHAR", FLAG: "BOOLEAN", WHOLE: "BIGINT", TIME: "TIMESTAMPTZ", MONEY: "DECIMAL(18, 4)",
    TEXTS: "VARCHAR[]",
}  # fmt: skip
_READERS = {FLAG: "read_flag", WHOLE: "read_whole", TIME: "read_instant", MONEY: "read_amount", TEXTS: "read_texts"}
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "UHUGEINT", "DECIMAL")  # fmt: skip
_WHOLE_NUMBERS = _NUMBERS[:4]
_FRACTIONS = ("FLOAT", "DOUBLE")
#: The largest number that ``read_whole`` reads.
_LARGEST = 10**18 - 1


def install_macros(engine: duckdb.DuckDBPyConnection) -> None:
    """Gives the engine the readers of single values."""
    for name in _MACROS:
        engine.execute(paths.sql(name))


def typed_query(
    raw: RawFile, *, only: Collection[str] | None = None, rows: str | None = None, in_order: bool = False,
    empty: bool = False,
) -> str:  # fmt: skip
    """A query for ``row`` and, of every contract column, the typed value, ``<column>!``: what was given, and
    ``<column>?``: whether anything was. Rows without any value are no rows.

    ``only`` names the columns wanted; a row is then one that has any of these, or with ``empty`` any row at all.
    ``rows`` is a query for the numbers of the rows wanted. With ``in_order`` rows come in the
    file's order without ``row``, and with ``empty``: whether it is no row. Blanks are read off in an inner query: the
    readers repeat their argument, and nested into each other they would make an expression that takes longer to plan
    than a small file to read.
    """
    given, typed = _columns(raw, only, as_is=False)
    anything = (
        "true" if empty else " OR ".join(f"{name} IS NOT NULL" for name in typed if name.endswith('!"')) or "false"
    )
    if in_order:
        columns, source = ", ".join(typed[1:]), f"SELECT {', '.join(given[1:])} FROM ({raw.in_order})"
        return f"SELECT NOT ({anything}) AS empty, {columns} FROM ({source})"
    return f"SELECT {', '.join(typed)} FROM (SELECT {', '.join(given)} FROM ({raw.scan(rows)})) WHERE {anything}"


def as_is_query(raw: RawFile) -> str:
    """A query like ``typed_query`` over every row, in which texts are as the file has them."""
    given, typed = _columns(raw, None, as_is=True)
    return f"SELECT {', '.join(typed)} FROM (SELECT {', '.join(given)} FROM ({raw.scan()}))"


def is_text(raw: RawFile, column: Column) -> bool:
    """Whether a column is a text, in the contract and in the file."""
    return column.type == TEXT and raw.types.get(column.name) == "VARCHAR"


def is_nested(type_: str) -> bool:
    """Whether a DuckDB type is no single value."""
    return type_.endswith("]") or type_.startswith(("STRUCT", "MAP", "UNION", "BLOB"))


def _columns(raw: RawFile, only: Collection[str] | None, *, as_is: bool) -> tuple[list[str], list[str]]:
    """SQL for what was given, and for what is made of it."""
    given, typed = ["row"], ["row"]
    for column in raw.table.columns:
        if only is not None and column.name not in only:
            continue
        if column.name not in raw.types:
            typed.append(f"CAST(NULL AS {SQL_TYPES[column.type]}) AS {column.name}")
            continue
        type_, name = raw.types[column.name], f'"{column.name}!"'
        untouched = as_is and is_text(raw, column)
        given.append(f"{column.name if untouched else _given(column, type_)} AS {name}")
        value = name if untouched else _value(column, type_)
        typed += [f"{value} AS {column.name}", name, f'{name} IS NOT NULL AS "{column.name}?"']
    return given, typed


def _given(column: Column, type_: str) -> str:
    """SQL for what was given: a text, or the value itself where its type fits already."""
    if type_ == "VARCHAR":
        return f"read_text({column.name})"
    if type_.startswith(_FRACTIONS):
        # In a data frame a column of numbers turns into fractions when one is missing: NaN is nothing, 1001.0 is 1001.
        number = f"CASE WHEN NOT isnan({column.name}) THEN {column.name} END"
        whole = f"CASE WHEN {column.name} = trunc({column.name}) THEN TRY_CAST({column.name} AS HUGEINT) END"
        return number if _fits(column, type_) else f"coalesce(CAST({whole} AS VARCHAR), CAST({number} AS VARCHAR))"
    return column.name if _fits(column, type_) or is_nested(type_) else f"CAST({column.name} AS VARCHAR)"


def _fits(column: Column, type_: str) -> bool:
    return (
        (column.type == FLAG and type_ == "BOOLEAN")
        or (column.type == TIME and type_.startswith(("TIMESTAMP", "DATE")))
        or (column.type == WHOLE and type_ in _WHOLE_NUMBERS)
        or (column.type == MONEY and type_.startswith((*_NUMBERS, *_FRACTIONS)))
    )


def _value(column: Column, type_: str) -> str:
    name = f'"{column.name}!"'
    if is_nested(type_):
        return _list(name) if column.type == TEXTS and _is_list(type_) else f"CAST(NULL AS {SQL_TYPES[column.type]})"
    if column.type == TEXT:
        return _spelling(column, name)
    if not _fits(column, type_):
        return f"{_READERS[column.type]}({name})"
    fitting = f"TRY_CAST({name} AS {SQL_TYPES[column.type]})"
    if column.type == TIME:
        return f"CASE WHEN {fitting} BETWEEN TIMESTAMPTZ '1900-01-01' AND TIMESTAMPTZ '2200-01-01' THEN {fitting} END"
    if column.type == WHOLE:
        return f"CASE WHEN {name} BETWEEN -{_LARGEST} AND {_LARGEST} THEN {fitting} END"
    return fitting


def _is_list(type_: str) -> bool:
    return type_.endswith("[]") and not type_.startswith(("STRUCT", "MAP"))


def _list(name: str) -> str:
    texts = f"list_transform({name}, lambda t: read_text(CAST(t AS VARCHAR)))"
    return f"list_filter({texts}, lambda t: t IS NOT NULL)"


def _spelling(column: Column, text: str) -> str:
    if column.values:
        return f"replace(replace(lower({text}), ' ', '_'), '-', '_')"
    if column.name == "currency":
        return f"upper({text})"
    if column.name == "country":
        return f"CASE upper({text}) WHEN 'UK' THEN 'GB' ELSE upper({text}) END"
    return text
