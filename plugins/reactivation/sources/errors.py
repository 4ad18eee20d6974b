"""The one root of what can go wrong with a source."""

from __future__ import annotations


class SourceError(Exception):
    """A source is not there or a file of it cannot be read; the message names the file, the place in it and the fix.

    Bad rows are no error: they go to quarantine. A missing table or column is none either: readiness judges it.
    """


class SourceAwayError(SourceError):
    """A source does not answer now: it is not reachable, was interrupted or has no room. Another try may mend it."""
