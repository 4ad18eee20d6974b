"""Sources: systems we read. A source says as of when it speaks, and is read whole or by the ids of a few customers.

What it says becomes a snapshot: rows typed by the contract, broken ones in quarantine, broken noes kept as noes.
"""

from __future__ import annotations

from reactivation.sources.errors import SourceError
from reactivation.sources.events import EVENTS, read_events
from reactivation.sources.extraction import extract
from reactivation.sources.folder import Source, open_source

__all__ = ["EVENTS", "Source", "SourceError", "extract", "open_source", "read_events"]
