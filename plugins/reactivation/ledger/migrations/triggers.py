"""Triggers that keep rows from change, in the words of SQLite and of PostgreSQL. A refusal is an integrity error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

Event = Literal["UPDATE", "DELETE", "TRUNCATE"]

_FUNCTION = "reactivation_refuse"


def prepare(dialect: str) -> list[str]:
    """What must be there before the first trigger."""
    if dialect != "postgresql":
        return []
    return [
        f"CREATE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    ]


def unprepare(dialect: str) -> list[str]:
    """Takes back ``prepare``; the triggers went with their tables."""
    return [f"DROP FUNCTION {_FUNCTION}()"] if dialect == "postgresql" else []


def append_only(dialect: str, table: str) -> list[str]:
    """Rows of the table are never changed and never removed."""
    return [
        _refuse(dialect, table, "no_update", "UPDATE", message=f"rows of {table} are never changed"),
        *no_delete(dialect, table),
    ]


def no_delete(dialect: str, table: str, unless: str | None = None) -> list[str]:
    """Rows of the table are never removed, ``unless`` a condition on ``OLD`` holds."""
    message = f"rows of {table} are never removed"
    statements = [_refuse(dialect, table, "no_delete", "DELETE", message=message, when=unless and f"NOT ({unless})")]
    if dialect == "postgresql":
        statements.append(_refuse(dialect, table, "no_truncate", "TRUNCATE", message=message))
    return statements


def frozen(dialect: str, table: str, columns: Iterable[str]) -> str:
    """These columns of the table never change."""
    if dialect == "postgresql":
        changed = (f"OLD.{c}::text IS DISTINCT FROM NEW.{c}::text" for c in columns)
    else:
        changed = (f"OLD.{c} IS NOT NEW.{c}" for c in columns)
    return _refuse(
        dialect, table, "frozen", "UPDATE", message=f"what {table} froze never changes", when=" OR ".join(changed)
    )


def thaw(dialect: str, table: str) -> str:
    """Takes ``frozen`` back, so that it can be made anew for other columns."""
    return f"DROP TRIGGER {table}_frozen" + (f" ON {table}" if dialect == "postgresql" else "")


def closed(dialect: str, table: str, open_states: Sequence[str]) -> str:
    """A row that left its open states never changes again."""
    listed = ", ".join(f"'{s}'" for s in open_states)
    message = f"what is closed in {table} stays closed"
    return _refuse(dialect, table, "closed", "UPDATE", message=message, when=f"OLD.state NOT IN ({listed})")


def ended(dialect: str, table: str) -> str:
    """A row that has its end never changes again."""
    message = f"what has ended in {table} stays ended"
    return _refuse(dialect, table, "ended", "UPDATE", message=message, when="OLD.ended_at IS NOT NULL")


def _refuse(dialect: str, table: str, name: str, event: Event, *, message: str, when: str | None = None) -> str:
    condition = f"WHEN ({when}) " if when else ""
    if dialect == "postgresql":
        each = "STATEMENT" if event == "TRUNCATE" else "ROW"
        action = f"EXECUTE FUNCTION {_FUNCTION}('{message}')"
        return f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table} FOR EACH {each} {condition}{action}"
    action = f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    return f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table} FOR EACH ROW {condition}{action}"
