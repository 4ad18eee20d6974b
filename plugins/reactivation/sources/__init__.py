"""Sources: systems we read. A source says as of when it speaks, and is read whole or by the ids of a few customers.

What it says becomes a snapshot: rows typed by the contract, broken ones in quarantine, broken noes kept as noes. Two
things are written: who bears our tags and who is in our segments, each in a table or a file of its own.
"""

from __future__ import annotations

from reactivation.sources.base import Source
from reactivation.sources.database import DatabaseSource
from reactivation.sources.errors import SourceAwayError, SourceError
from reactivation.sources.events import EVENTS, read_events
from reactivation.sources.extraction import extract
from reactivation.sources.folder import open_source
from reactivation.sources.membership import MEMBERS, Membership, SegmentsTable, open_membership
from reactivation.sources.several import Sources, by_table, sources_of
from reactivation.sources.tags import Tags, open_tags
from reactivation.sources.tags_table import TagsTable

__all__ = [
    "EVENTS", "MEMBERS", "DatabaseSource", "Membership", "SegmentsTable", "Source", "SourceAwayError", "SourceError",
    "Sources", "Tags", "TagsTable", "by_table", "extract", "open_membership", "open_source", "open_tags", "read_events",
    "sources_of",
]  # fmt: skip
