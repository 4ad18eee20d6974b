# ruff: noqa: S608 - SQL is made of contract names only
"""Several rows under one key: which one stands.

Consents, suppressions and cases: the most restrictive. Elsewhere the latest ``updated_at``, and in contacts and
accounts the columns that can forbid take the most restrictive value of all the rows; two latest rows that differ are
both quarantined, because nobody can say which is true. Identical rows are one.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from reactivation.contract.tables import CONSENT_BASES, RELATIONSHIPS, Table
from reactivation.evidence.engine import quoted
from reactivation.sources.nos import keep_broken_nos

#: From harmless to restrictive, in SQL literals; an unknown value restricts more than a harmless one.
_SCALES = {
    "relationship": ("'normal'", "NULL", *(quoted(code) for code in RELATIONSHIPS[1:])),
    "fit": ("'good'", "NULL", "'bad'"),
    "consent_email": ("true", "NULL", "false"),
    "is_subscriber_only": ("false", "NULL", "true"),
}

_MOST_RESTRICTIVE = {
    "consents": (
        "list_position(['objected', 'withdrawn', 'unknown', 'granted'], state)",
        f"list_position([{', '.join(quoted(basis) for basis in reversed(CONSENT_BASES))}], basis)",
        "occurred_at",
    ),
    "suppressions": ("brand IS NOT NULL", "channel IS NOT NULL", "occurred_at"),
    "cases": ("closed_at IS NOT NULL", "closed_at DESC", "opened_at"),
}
#: The row that stands speaks of one subject only: another's no would be lost with the row that falls.
_SUBJECT = ("customer_id", "account_id", "address", "channel", "brand")
#: When nothing is lost all the same. Of two closed cases one may have been opened again.
_SAME = {"cases": "(first_value(closed_at) OVER one_key IS NULL OR status = first_value(status) OVER one_key)"}


def settle(engine: duckdb.DuckDBPyConnection, table: Table, there: Collection[str]) -> int:
    """Leaves one good row per key in ``typed_<table>``, or none; returns how many rows were too many."""
    name, key = f"typed_{table.name}", table.key
    # Whole numbers are grouped in half the time that texts take; the few that meet are then compared as texts.
    engine.execute(
        f"""CREATE OR REPLACE TABLE doubled AS
            SELECT {key} AS key FROM {name}
            WHERE NOT bad AND hash({key}) IN (
                SELECT hash({key}) FROM {name} WHERE NOT bad GROUP BY hash({key}) HAVING count(*) > 1
            )
            GROUP BY {key} HAVING count(*) > 1"""
    )
    in_doubt = f"SELECT count(*), count(DISTINCT {key}) FROM {name} WHERE NOT bad AND {key} IN (FROM doubled)"
    ((found, keys),) = engine.sql(in_doubt).fetchall()
    if not found:
        return 0
    if table.name in _MOST_RESTRICTIVE:
        _keep_most_restrictive(engine, table, there)
    else:
        _keep_latest(engine, table)
    return int(found - keys)


def _keep_most_restrictive(engine: duckdb.DuckDBPyConnection, table: Table, there: Collection[str]) -> None:
    subject = _pack([name for name in _SUBJECT if name in _names(table)])
    same = _SAME.get(table.name, "true")
    order = ", ".join((*_MOST_RESTRICTIVE[table.name], *_names(table), "row"))
    engine.execute(
        f"""CREATE OR REPLACE TABLE ranked AS
            SELECT row, row_number() OVER one_key AS place,
                   {subject} = first_value({subject}) OVER one_key AND {same} AS nothing_lost
            FROM typed_{table.name} WHERE NOT bad AND {table.key} IN (FROM doubled)
            WINDOW one_key AS (PARTITION BY {table.key} ORDER BY {order})"""
    )
    lost = "SELECT row FROM ranked WHERE place > 1"
    keep_broken_nos(engine, table, f"row IN ({lost} AND NOT nothing_lost)", there)
    engine.execute(f"DELETE FROM typed_{table.name} WHERE row IN ({lost})")


def _keep_latest(engine: duckdb.DuckDBPyConnection, table: Table) -> None:
    name, key, names = f"typed_{table.name}", table.key, _names(table)
    merged = [column for column in (*_SCALES, "relationship_notes") if column in names]
    updated = "updated_at" if "updated_at" in names else "0"
    content = _pack([column for column in names if column not in merged])
    engine.execute(
        f"""CREATE OR REPLACE TABLE ranked AS
            SELECT row, {key} AS key, row_number() OVER (PARTITION BY {key} ORDER BY {updated} DESC, row) AS place,
                   {updated} IS NOT DISTINCT FROM max({updated}) OVER (PARTITION BY {key}) AS latest,
                   {content} AS content
            FROM {name} WHERE NOT bad AND {key} IN (FROM doubled)"""
    )
    engine.execute(
        """CREATE OR REPLACE TABLE undecided AS
           SELECT key FROM ranked WHERE latest GROUP BY key HAVING count(DISTINCT content) > 1"""
    )
    if merged:
        values = ", ".join(f"{column} = worst.{column}" for column in merged)
        worst = ", ".join(f"{_worst(column)} AS {column}" for column in merged)
        engine.execute(
            f"""UPDATE {name} SET {values}
                FROM (SELECT {key} AS key, {worst} FROM {name} WHERE row IN (SELECT row FROM ranked)
                      GROUP BY {key}) worst
                WHERE {name}.{key} = worst.key AND {name}.row IN (SELECT row FROM ranked)"""
        )
    older = "SELECT row FROM ranked WHERE place > 1 AND key NOT IN (FROM undecided)"
    engine.execute(f"DELETE FROM {name} WHERE row IN ({older})")
    engine.execute(f"UPDATE {name} SET bad = true WHERE row IN (SELECT row FROM ranked WHERE key IN (FROM undecided))")
    engine.execute(
        f"""INSERT INTO problems SELECT {quoted(table.name)}, key, row, {quoted(key)}, 'duplicate_key'
            FROM ranked WHERE key IN (FROM undecided)"""
    )


def _worst(column: str) -> str:
    if column not in _SCALES:
        return f"string_agg(DISTINCT {column}, ' / ' ORDER BY {column})"
    scale = _SCALES[column]
    places = " ".join(f"WHEN {value} THEN {place}" for place, value in enumerate(scale, 1) if value != "NULL")
    return f"[{', '.join(scale)}][max(CASE {column} {places} ELSE {scale.index('NULL') + 1} END)]"


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def _pack(names: Collection[str]) -> str:
    return f"{{{', '.join(f'{quoted(name)}: {name}' for name in names)}}}"
