"""What a database refuses, said without its own words: they quote values, and values are personal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
_FIXES_OF_WRITING = {
    "42501": "may not be written; grant SELECT, INSERT, UPDATE and DELETE on it to the user of the connection",
    "25006": "is in a database that is only read from; correct the connection",
    "23": "refuses a row: somebody else just wrote it, or a rule of its own forbids it; try again, then drop the rule",
    "28": _FIXES["28"],
    "3D": _FIXES["3D"],
    "08": _FIXES["08"],
    "57": "stopped or interrupted the writing; try again, and look into its log",
    "53": "has no room for it; look into its log",
    "22": "has a column that a value of ours does not fit; make it as wide as we ask for",
}
#: What may be otherwise in a minute.
_PASSING = ("08", "23", "40", "53", "57")
_UNREACHABLE = "cannot be reached or {done}; start it, or correct the connection"
_OTHER = "cannot be {done}; look into the log of the database"


@contextmanager
def asking(source: str, shown: str) -> Iterator[None]:
    """Turns the refusal of a database into ``SourceError`` naming the source, the table and the fix;
    ``SourceAwayError`` where another try may mend it."""
    with _told(source, shown, _FIXES, "read"):
        yield


@contextmanager
def writing(source: str, shown: str) -> Iterator[None]:
    """The same of a table that is written to."""
    with _told(source, shown, _FIXES_OF_WRITING, "written"):
        yield


@contextmanager
def _told(source: str, shown: str, fixes: Mapping[str, str], done: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        state = _state(error)
        refused = SourceAwayError if state is None or state[:2] in _PASSING else SourceError
        # ``from None``: the driver's message quotes values, and a URL a password.
        raise refused(
            f"{shown if shown.startswith(source) else f'{source}: {shown}'} {_explained(error, state, fixes, done)}"
        ) from None


def _state(error: SQLAlchemyError) -> str | None:
    original = error.orig if isinstance(error, DBAPIError) else None
    state: str | None = getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)
    return state


def _explained(error: SQLAlchemyError, state: str | None, fixes: Mapping[str, str], done: str) -> str:
    if state:
        fix = fixes.get(state) or fixes.get(state[:2], _OTHER.format(done=done))
        return f"{fix} (SQLSTATE {state})"
    original = error.orig if isinstance(error, DBAPIError) else None
    return f"{_UNREACHABLE.format(done=done)} ({type(original or error).__name__})"
