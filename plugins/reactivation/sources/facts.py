# ruff: noqa: S608 - SQL is made of contract names and quoted names only
"""SQL that a database runs over its own tables, in DuckDB's words and the named functions of ``sources/dialects.py``.

Raw facts are judged by one conservative question per row, *is it questionable?*: may reading it meet a rule, a
duplicate, or another spelling? Customers with any such row are read row by row, where all rules apply; everybody else
is condensed in the database. The two are disjoint, because rows are told apart by customer as reading would name him.
"""

from __future__ import annotations

from collections.abc import Collection

from reactivation import paths
from reactivation.contract.tables import MONEY, TEXT, TIME, WHOLE, Column, Table
from reactivation.evidence.engine import quoted
from reactivation.sources.base import Few
from reactivation.sources.summaries import SUMMARY_OF

#: Tables in which nothing is about a customer.
_ALWAYS = ("products", "offers", "claims")
#: The least that ``sources/rules.py`` lets pass.
_AT_LEAST = {"amount": 0, "discount": 0, "quantity": 1}
_NOTHING = {TEXT: "TEXT", TIME: "TIMESTAMPTZ", MONEY: "DECIMAL(18, 4)", WHOLE: "BIGINT"}
_UNJUDGED = {TIME: "is_instant", MONEY: "is_amount", WHOLE: "is_whole"}


def named(table: Table, relation: str, columns: dict[str, str]) -> str:
    """CTEs over a table of the database: ``named`` has the contract's columns as they are, ``subject`` and ``row_key``
    as reading would leave them. ``columns`` are quoted names by contract name."""
    nothing = {column.name: f"CAST(NULL AS {_NOTHING.get(column.type, 'TEXT')})" for column in table.columns}
    raw = ", ".join(f"{value} AS {name}" for name, value in (nothing | columns).items())
    subject = "read(customer_id)" if _has(table, "customer_id") else "CAST(NULL AS TEXT)"
    return (
        f"WITH raw AS NOT MATERIALIZED (SELECT {raw} FROM {relation}), "
        f"named AS NOT MATERIALIZED (SELECT raw.*, {subject} AS subject, read({table.key}) AS row_key FROM raw)"
    )


def texts(there: Collection[str]) -> str:
    """The columns as they cross: as text."""
    return ", ".join(f"text({name}) AS {name}" for name in there)


# --- facts ----------------------------------------------------------------------------------------------------------
def unsure(table: Table, ctes: str) -> str:
    """A row if any id may be equal to another spelling of itself: then nobody can be told apart here."""
    return f"{ctes} SELECT 1 FROM named WHERE unsure(customer_id) OR unsure({table.key}) LIMIT 1"


def odd_customers(table: Table, ctes: str, there: Collection[str]) -> str:
    """Customers with a questionable row, or with one whose key another row has."""
    doubled = "SELECT row_key FROM named WHERE row_key IS NOT NULL GROUP BY row_key HAVING count(*) > 1"
    return (
        f"{ctes} SELECT subject FROM named WHERE subject IS NOT NULL AND ({questionable(table, there)}) "
        f"UNION SELECT subject FROM named WHERE subject IS NOT NULL AND row_key IN ({doubled})"
    )


def odd_rows(ctes: str, there: Collection[str]) -> str:
    """Every row of odd customers (parameter ``odd``, a JSON array), and rows of nobody."""
    return f"{ctes} SELECT {texts(there)} FROM named WHERE subject IN listed($odd) OR subject IS NULL"


def summary(table: Table, ctes: str) -> str:
    """The summary of everybody else, as told."""
    columns = ", ".join(f"{_whole(column)} AS {column.name}" for column in table.columns if column.type != WHOLE)
    return (
        f"{ctes}, {table.name} AS MATERIALIZED (SELECT {columns} FROM {_OTHERS}) "
        f"SELECT * FROM ({paths.sql(SUMMARY_OF[table.name])}) AS summary"
    )


def counts(ctes: str) -> str:
    """How many facts each of them has."""
    return f"{ctes} SELECT subject AS customer_id, count(*) AS facts FROM {_OTHERS} GROUP BY subject"


_OTHERS = "named WHERE subject IS NOT NULL AND subject NOT IN listed($odd)"


def questionable(table: Table, there: Collection[str]) -> str:
    """Whether a row of ``named`` may meet a rule: true more often than needed, never less often."""
    tests = []
    for column in table.columns:
        if column.name in there:
            odd = " OR ".join(_tests(column))
            tests.append(
                f"{column.name} IS NULL OR {odd}" if column.required else f"{column.name} IS NOT NULL AND ({odd})"
            )
    return " OR ".join(f"({test})" for test in tests)


def _tests(column: Column) -> list[str]:
    name = column.name
    if column.type in _UNJUDGED:
        tests = [f"NOT coalesce({_UNJUDGED[column.type]}({name}), false)"]
        return [*tests, f"{name} < {_AT_LEAST[name]}"] if name in _AT_LEAST else tests
    tests = [f"NOT coalesce(is_plain({name}), false)"]
    if name.endswith("_id"):
        tests.append(f"NOT coalesce(is_id(exact({name})), false)")
    if column.values:
        tests.append(f"{_whole(column)} NOT IN ({', '.join(quoted(code) for code in column.values)})")
    if name == "currency":
        tests.append("NOT coalesce(is_currency(exact(currency)), false)")
    return tests


def _whole(column: Column) -> str:
    """A value as the summaries want it, where it is read without judgement."""
    if column.type == TIME:
        return f"micros({column.name})"
    if column.type == MONEY:
        return f"ten_thousandths({column.name})"
    if column.values:
        return f"replace(replace(lower(exact({column.name})), ' ', '_'), '-', '_')"
    return "upper(exact(currency))" if column.name == "currency" else f"exact({column.name})"


# --- a few customers ------------------------------------------------------------------------------------------------
def few_rows(table: Table, ctes: str, there: Collection[str], few: Few) -> str:
    """At least every row that may be about them, and every row of the same keys. Parameters: customers, accounts,
    locals, endings (JSON arrays)."""
    if table.name in _ALWAYS:
        return f"{ctes} SELECT {texts(there)} FROM named"
    wanted = _wanted(table, few)
    keys = f"SELECT row_key AS wanted FROM named WHERE {wanted}"
    if few.similar is not None:
        # One contact of each country: in these a phone number without one is read.
        keys += " UNION SELECT min(row_key) FROM named GROUP BY country"
    return (
        f"{ctes} SELECT {texts(there)} FROM named LEFT JOIN (SELECT DISTINCT wanted FROM ({keys}) AS found) AS chosen "
        f"ON chosen.wanted = named.row_key WHERE chosen.wanted IS NOT NULL OR unsure({table.key}) "
        f"OR (named.row_key IS NULL AND ({wanted}))"
    )


def _wanted(table: Table, few: Few) -> str:
    if table.name == "accounts":
        return f"account_id IS NULL OR {_names('account_id', 'accounts')}"
    if table.name == "cases":
        nobody = "(customer_id IS NULL AND account_id IS NULL)"
        return f"{_names('customer_id', 'customers')} OR {_names('account_id', 'accounts')} OR {nobody}"
    of_customer = f"customer_id IS NULL OR {_names('customer_id', 'customers')}"
    if table.name == "suppressions":
        return f"{of_customer} OR address IS NOT NULL"
    if few.similar is not None:
        near = " OR ".join(
            f"coalesce({key}(exact({column})) IN listed(${values}), false) OR coalesce({odd}(exact({column})), false)"
            for column, key, values, odd in (
                ("email", "local_of", "locals", "is_odd_email"), ("phone", "ending_of", "endings", "is_odd_phone"),
            )
        )  # fmt: skip
        return f"{of_customer} OR {near} OR {_names('account_id', 'accounts')}"
    return of_customer


def _names(column: str, values: str) -> str:
    """Whether a row names one of these, or somebody who cannot be read."""
    odd = f"NOT coalesce(is_plain({column}), false) OR NOT coalesce(is_id(exact({column})), false)"
    return f"({column} IS NOT NULL AND ({odd} OR exact({column}) IN listed(${values})))"


def _has(table: Table, name: str) -> bool:
    return any(column.name == name for column in table.columns)
