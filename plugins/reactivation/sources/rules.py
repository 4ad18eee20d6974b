"""What a row must keep to be good: the contract's types, codes and required columns, and rules between columns."""

from __future__ import annotations

from dataclasses import dataclass

from reactivation.contract.tables import MONEY, TEXT, TIME, Column
from reactivation.evidence.engine import quoted
from reactivation.sources.files import RawFile
from reactivation.sources.values import is_nested

NOT_AN_ID = "not_an_id"
#: From here on nobody means an amount, in whatever money.
_TOO_LARGE = 10**11


@dataclass(frozen=True)
class Rule:
    """What a row must not be: ``broken`` is true, of one column and for one reason, in SQL over ``typed_query``."""

    column: str
    reason: str
    broken: str


def rules_of(raw: RawFile) -> list[Rule]:
    """Every rule a row of this file must keep. A required column the whole file lacks is readiness's to judge, except
    the key: without it there is nothing to call the row by."""
    rules = [] if raw.table.key in raw.types else [Rule(raw.table.key, "missing", "true")]
    for column in raw.table.columns:
        if column.name in raw.types:
            rules += _of_column(column, raw.types[column.name])
    for needed, rule in _OF_TABLES.get(raw.table.name, ()):
        if needed <= set(raw.types):
            rules.append(Rule(rule.column, rule.reason, f"coalesce({rule.broken}, false)"))
    return rules


def reasons(rules: list[Rule], raw: RawFile) -> str:
    """SQL for the list of (column, reason) a row of ``typed_query`` breaks."""
    found = []
    for rule in rules:
        reason = quoted(rule.reason)
        if rule.reason == "wrong_type" and raw.types[rule.column] == "VARCHAR" and _is_time(raw, rule.column):
            reason = f"CASE WHEN is_ambiguous_date(\"{rule.column}!\") THEN 'ambiguous_date' ELSE 'wrong_type' END"
        found.append(f"CASE WHEN {rule.broken} THEN {{'column': {quoted(rule.column)}, 'reason': {reason}}} END")
    return f"list_filter([{', '.join(found)}], lambda x: x IS NOT NULL)"


def _is_time(raw: RawFile, column: str) -> bool:
    return bool(raw.table.column(column).type == TIME)


def _of_column(column: Column, type_: str) -> list[Rule]:
    name, given = column.name, f'"{column.name}?"'
    rules = []
    if column.required:
        rules.append(Rule(name, "missing", f"NOT {given}"))
    if column.type != TEXT or is_nested(type_):
        rules.append(Rule(name, "wrong_type", f"{given} AND {name} IS NULL"))
    if column.type == MONEY:
        rules.append(Rule(name, "too_large", f"coalesce(abs({name}) >= {_TOO_LARGE}, false)"))
    if column.values:
        codes = ", ".join(quoted(code) for code in column.values)
        rules.append(Rule(name, "unknown_code", f"coalesce({name} NOT IN ({codes}), false)"))
    if name.endswith("_id"):
        rules.append(Rule(name, NOT_AN_ID, f"NOT coalesce(is_id({name}), true)"))
    return rules


_READABLE = "SELECT text FROM suppressed_addresses"


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
        # An empty list has everything outside it, nothing included.
        _rule("address", "unreadable", f"address IS NOT NULL AND address NOT IN ({_READABLE})"),
        _rule("address", "ambiguous", f"address IN ({_READABLE} WHERE NOT sure)"),
    ),
    "offers": (
        _rule("ends_at", "before_it_began", "ends_at < starts_at", "ends_at", "starts_at"),
        _rule("value", "negative", "value < 0"),
        _rule("unit_cost", "negative", "unit_cost < 0"),
    ),
}
