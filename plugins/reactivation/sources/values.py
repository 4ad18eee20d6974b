# ruff: noqa: S608 - SQL is made of contract names only
"""From raw columns to typed ones: which SQL reads which column, and which rules a row must keep.

The readers of single values are macros in ``include/sql``; here they are applied column by column as the contract says.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from reactivation import paths
from reactivation.contract.tables import FLAG, MONEY, TEXT, TEXTS, TIME, WHOLE, Column, Table
from reactivation.evidence.engine import quoted
from reactivation.sources.files import RawFile

_MACROS = ("read_text", "read_instant", "is_ambiguous_date", "bare_amount", "read_amount", "read_whole", "read_flag",
           "read_texts", "is_id")  # fmt: skip

SQL_TYPES: dict[pa.DataType, str] = {
    TEXT: "VARCHAR", FLAG: "BOOLEAN", WHOLE: "BIGINT", TIME: "TIMESTAMPTZ", MONEY: "DECIMAL(18, 4)",
    TEXTS: "VARCHAR[]",
}  # fmt: skip
_READERS = {FLAG: "read_flag", WHOLE: "read_whole", TIME: "read_instant", MONEY: "read_amount", TEXTS: "read_texts"}
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "UHUGEINT", "DECIMAL")  # fmt: skip
_FRACTIONS = ("FLOAT", "DOUBLE")


@dataclass(frozen=True)
class Rule:
    """What a row must not be: ``broken`` is true, of one column and for one reason, in SQL over typed values."""

    column: str
    reason: str
    broken: str


def install_macros(engine: duckdb.DuckDBPyConnection) -> None:
    """Gives the engine the readers of single values."""
    for name in _MACROS:
        engine.execute(paths.sql(name))


def typed_query(raw: RawFile, *, texts: bool = False) -> str:
    """A query for ``row``, every contract column typed, and ``<column>?``: whether anything was given.

    With ``texts`` also ``<column>!``, the text an instant was read from. Rows without any value are no rows.
    """
    parts = ["row"]
    for column in raw.table.columns:
        if column.name not in raw.types:
            parts.append(f"CAST(NULL AS {SQL_TYPES[column.type]}) AS {column.name}")
            continue
        type_ = raw.types[column.name]
        parts += [f"{_value(column, type_)} AS {column.name}", f'{_given(column.name, type_)} AS "{column.name}?"']
        if texts and column.type == TIME:
            parts.append(f'{_text(column.name, type_)} AS "{column.name}!"')
    anything = " OR ".join(_given(name, type_) for name, type_ in raw.types.items()) or "false"
    return f"SELECT {', '.join(parts)} FROM ({raw.scan}) WHERE {anything}"


def rules_of(raw: RawFile) -> list[Rule]:
    """Every rule a row of this file must keep. A required column the whole file lacks is readiness's to judge, except
    the key: without it there is nothing to call the row by."""
    table = raw.table
    rules = [] if table.key in raw.types else [Rule(table.key, "missing", "true")]
    for column in table.columns:
        if column.name not in raw.types:
            continue
        given = f'"{column.name}?"'
        if column.required:
            rules.append(Rule(column.name, "missing", f"NOT {given}"))
        if column.type != TEXT or _is_nested(raw.types[column.name]):
            rules.append(Rule(column.name, "wrong_type", f"{given} AND {column.name} IS NULL"))
        if column.values:
            codes = ", ".join(quoted(code) for code in column.values)
            rules.append(Rule(column.name, "unknown_code", f"coalesce({column.name} NOT IN ({codes}), false)"))
        if is_id(column):
            rules.append(Rule(column.name, "not_an_id", f"NOT coalesce(is_id({column.name}), true)"))
    for needed, rule in _OF_TABLES.get(table.name, ()):
        if needed <= set(raw.types):
            rules.append(Rule(rule.column, rule.reason, f"coalesce({rule.broken}, false)"))
    return rules


def reasons(rules: list[Rule], raw: RawFile) -> str:
    """SQL for the list of (column, reason) a row of ``typed_query(raw, texts=True)`` breaks."""
    found = []
    for rule in rules:
        reason = quoted(rule.reason)
        if rule.reason == "wrong_type" and raw.table.column(rule.column).type == TIME:
            text = f'"{rule.column}!"'
            reason = f"CASE WHEN is_ambiguous_date({text}) THEN 'ambiguous_date' ELSE 'wrong_type' END"
        found.append(f"CASE WHEN {rule.broken} THEN {{'column': {quoted(rule.column)}, 'reason': {reason}}} END")
    return f"list_filter([{', '.join(found)}], lambda x: x IS NOT NULL)"


def is_id(column: Column) -> bool:
    """Whether a column holds an id, which goes into logs and the ledger."""
    return column.name.endswith("_id")


def _rule(column: str, reason: str, broken: str, *needed: str) -> tuple[frozenset[str], Rule]:
    return frozenset(needed or (column,)), Rule(column, reason, broken)


_OF_TABLES: dict[str, tuple[tuple[frozenset[str], Rule], ...]] = {
    "purchases": (
        _rule("amount", "negative", "amount < 0"),
        _rule("discount", "negative", "discount < 0"),
        _rule("quantity", "not_positive", "quantity < 1"),
        _rule("currency", "unknown_code", "NOT regexp_full_match(currency, '[A-Z]{3}')"),
    ),
    "cases": (
        _rule("customer_id", "no_subject", "customer_id IS NULL AND account_id IS NULL", "case_id"),
        _rule("closed_at", "before_it_began", "closed_at < opened_at", "closed_at", "opened_at"),
    ),
    "suppressions": (
        _rule("customer_id", "no_subject", "customer_id IS NULL AND address IS NULL", "suppression_id"),
        _rule("address", "unreadable", "address NOT IN (SELECT text FROM suppressed_addresses)"),
        _rule("address", "ambiguous", "address IN (SELECT text FROM suppressed_addresses WHERE NOT sure)"),
    ),
    "offers": (
        _rule("ends_at", "before_it_began", "ends_at < starts_at", "ends_at", "starts_at"),
        _rule("value", "negative", "value < 0"),
        _rule("unit_cost", "negative", "unit_cost < 0"),
    ),
}


def _value(column: Column, type_: str) -> str:
    name = column.name
    if column.type == TEXTS and type_.endswith("[]") and not type_.startswith(("STRUCT", "MAP")):
        return f"list_filter(list_transform({name}, lambda t: read_text(CAST(t AS VARCHAR))), lambda t: t IS NOT NULL)"
    if _is_nested(type_):
        return f"CAST(NULL AS {SQL_TYPES[column.type]})"
    if column.type == FLAG and type_ == "BOOLEAN":
        return name
    if column.type == TIME and type_.startswith(("TIMESTAMP", "DATE")):
        instant = f"TRY_CAST({name} AS TIMESTAMPTZ)"
        return f"CASE WHEN {instant} BETWEEN TIMESTAMPTZ '1900-01-01' AND TIMESTAMPTZ '2200-01-01' THEN {instant} END"
    if column.type == MONEY and type_.startswith((*_NUMBERS, *_FRACTIONS)):
        return f"TRY_CAST({name} AS DECIMAL(18, 4))"
    if column.type != TEXT:
        return f"{_READERS[column.type]}({_text(name, type_)})"
    return _spelling(column, _text(name, type_))


def _spelling(column: Column, text: str) -> str:
    if column.values:
        return f"replace(replace(lower({text}), ' ', '_'), '-', '_')"
    if column.name == "currency":
        return f"upper({text})"
    if column.name == "country":
        return f"CASE upper({text}) WHEN 'UK' THEN 'GB' ELSE upper({text}) END"
    return text


def _text(name: str, type_: str) -> str:
    if type_ == "VARCHAR":
        return f"read_text({name})"
    if type_.startswith(_FRACTIONS):
        # Numbers become fractions on the way through a data frame as soon as one of them is missing: 1001.0 is 1001.
        whole = f"CAST(CAST({name} AS HUGEINT) AS VARCHAR)"
        return f"CASE WHEN NOT isfinite({name}) THEN NULL WHEN {name} = trunc({name}) THEN {whole} ELSE {name}::VARCHAR END"
    return f"CAST({name} AS VARCHAR)"


def _given(name: str, type_: str) -> str:
    if type_ == "VARCHAR":
        return f"read_text({name}) IS NOT NULL"
    return f"coalesce(NOT isnan({name}), false)" if type_.startswith(_FRACTIONS) else f"{name} IS NOT NULL"


def _is_nested(type_: str) -> bool:
    return type_.endswith("]") or type_.startswith(("STRUCT", "MAP", "UNION", "BLOB"))
