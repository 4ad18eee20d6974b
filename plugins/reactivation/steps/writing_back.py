"""Writes back who bears which of our tags, to a folder, an object store or a table that the settings name.

One way, and nothing else: no consent, no address, no subscription. Whoever was erased is left out, and taken out where
they were written before.

Source: PLAYBOOKS.md section 3 (tags are written back to the CRM, one-way, never a re-subscription).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reactivation.ledger import erasures, tags
from reactivation.sources import Tags, TagsTable, open_tags
from reactivation.sources.streaming import read_into
from reactivation.sources.tags import SAID
from reactivation.steps.sourcing import named_connection

if TYPE_CHECKING:
    from reactivation.steps.settings import Settings
    from reactivation.steps.workspace import Workspace

VARIABLE = "REACTIVATION_TAGS_TO"


def write_tags_back(workspace: Workspace) -> dict[str, int]:
    """Make the table or file say what the ledger says; counts by what was done, none where the settings name no place.

    Raises ``SourceError`` where it refuses, and ``ConfigurationError`` for a place or a connection there is not.
    """
    place = workspace.settings.tags_to
    if not place:
        return {}
    there = _open(workspace.settings, place)
    with tempfile.TemporaryDirectory() as made:
        ours = Path(made) / "ours.parquet"
        with workspace.ledger.begin() as conn:
            read_into(ours, conn, tags.all_but_of_the_erased(), {}, SAID)
            erased = erasures.customers(conn)
        return there.write(ours, erased, Path(made))


def _open(settings: Settings, place: str) -> Tags:
    named = named_connection(VARIABLE, place)
    if named is None:
        return open_tags(place)
    conn_id, schema = named
    return TagsTable(settings.connect_to_write(conn_id), conn_id, schema)
