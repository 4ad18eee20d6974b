# ruff: noqa: S608 - SQL is made of contract names only
"""A broken *no* is still a no: rows that forbid, or may forbid, and cannot be kept as they are.

What could be read of their subject is collected in ``broken``; whoever has a row there is suppressed. A row whose
subject cannot be read at all makes its table not ready.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from reactivation.contract.tables import Table
from reactivation.evidence.engine import quoted


def may_forbid(table: Table, there: Collection[str]) -> str:
    """SQL: whether a typed row says no, or could have said it. ``there`` are the columns the file has.

    A code that is not one of the contract's, in a column that can forbid, may be a misspelt no.
    """
    if table.every_row_forbids:
        return "true"
    conditions = []
    for column in table.columns:
        if column.forbids and column.name in there:
            harmless = ", ".join(quoted(code) for code in column.values if code not in column.forbids)
            unread = "true" if column.required else "false"
            conditions.append(f"coalesce({column.name} NOT IN ({harmless}), {unread})")
    return f"({' OR '.join(conditions)})" if conditions else "false"


def keep_broken_nos(engine: duckdb.DuckDBPyConnection, table: Table, which: str, there: Collection[str]) -> None:
    """Adds the rows of ``typed_<table>`` that match ``which`` and may forbid to ``broken``."""
    names = {column.name for column in table.columns}

    def known(column: str, *, of: Collection[str] = names) -> str:
        return column if column in of else "NULL"

    customer = "CASE WHEN is_id(customer_id) THEN customer_id END" if "customer_id" in names else "NULL"
    # A contact's account is where it belongs, not whom the row is about.
    by_account = table.name in ("accounts", "cases")
    account = "CASE WHEN is_id(account_id) THEN account_id END" if by_account else "NULL"
    engine.execute(
        f"""INSERT INTO broken
            SELECT {quoted(table.name)}, CASE WHEN is_id({table.key}) THEN {table.key} END, {customer}, {account},
                   {known("email")}, {known("phone")}, {known("country")}, {known("address")}
            FROM typed_{table.name} WHERE {which} AND {may_forbid(table, there)}"""
    )
