"""What a database refuses, said without its own words: they quote values, and values are personal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from reactivation.sources.errors import SourceAwayError, SourceError

_FIXES = {
    "42501": "may not be read; grant SELECT on it to the user of the connection",
    "42P01": "refers to a table that is not there; correct the view",
    "42703": "refers to a column that is not there; correct the view",
    "28": "refuses the user of the connection; correct its login and password",
    "3D": "has no such database; correct the connection",
    "08": "cannot be reached; start it, or correct the connection",
    "57": "stopped or interrupted the read; try again, and look into its log",
    "53": "has no room for the read; look into its log",
    "22": "has a value that its own type cannot give; correct the view or the value",
}
#: What may be otherwise in a minute.
_PASSING = ("08", "53", "57")
_UNREACHABLE = "cannot be reached or read; start it, or correct the connection"
_OTHER = "cannot be read; look into the log of the database"


@contextmanager
def asking(source: str, shown: str) -> Iterator[None]:
    """Turns the refusal of a database into ``SourceError`` naming the source, the table and the fix;
    ``SourceAwayError`` where another try may mend it."""
    try:
        yield
    except SQLAlchemyError as error:
        state = _state(error)
        refused = SourceAwayError if state is None or state[:2] in _PASSING else SourceError
        # ``from None``: the driver's message quotes values, and a URL a password.
        raise refused(
            f"{shown if shown.startswith(source) else f'{source}: {shown}'} {_explained(error, state)}"
        ) from None


def _state(error: SQLAlchemyError) -> str | None:
    original = error.orig if isinstance(error, DBAPIError) else None
    state: str | None = getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)
    return state


def _explained(error: SQLAlchemyError, state: str | None) -> str:
    if state:
        fix = _FIXES.get(state) or _FIXES.get(state[:2], _OTHER)
        return f"{fix} (SQLSTATE {state})"
    original = error.orig if isinstance(error, DBAPIError) else None
    return f"{_UNREACHABLE} ({type(original or error).__name__})"
