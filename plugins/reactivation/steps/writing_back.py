"""Writes back who bears which of our tags and who is in which segment, to where the settings say: a folder, an object
store or a table.

One way, and nothing else: no consent, no address, no subscription. Whoever was erased is left out, and taken out where
they were written before.

Source: PLAYBOOKS.md section 3 (tags and segment membership are written back to the CRM, one-way, never a
re-subscription).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reactivation.ledger import erasures, tags
from reactivation.sources import Membership, SegmentsTable, Tags, TagsTable, open_membership, open_tags
from reactivation.sources.streaming import read_into
from reactivation.sources.tags import SAID
from reactivation.steps.segmented import members_now
from reactivation.steps.sourcing import named_connection

if TYPE_CHECKING:
    from reactivation.steps.settings import Settings
    from reactivation.steps.workspace import Workspace

VARIABLE, SEGMENTS_VARIABLE = "REACTIVATION_TAGS_TO", "REACTIVATION_SEGMENTS_TO"


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


def write_segments_back(workspace: Workspace) -> dict[str, int]:
    """Make the table or file say who is in which segment by the last real runs; counts by what was done, none where
    the settings name no place or no playbook has found anybody yet. Raises like ``write_tags_back``."""
    place = workspace.settings.segments_to
    if not place:
        return {}
    there = _open_membership(workspace.settings, place)
    members, playbooks = members_now(workspace)
    if not playbooks:
        return {}
    with workspace.ledger.begin() as conn:
        erased = erasures.customers(conn)
    stay = pc.invert(pc.is_in(members["customer_id"], pa.array(sorted(erased), pa.string())))
    with tempfile.TemporaryDirectory() as made:
        ours = Path(made) / "ours.parquet"
        pq.write_table(members.filter(stay), ours)
        return there.write(ours, playbooks, erased, Path(made))


def _open(settings: Settings, place: str) -> Tags:
    named = named_connection(VARIABLE, place)
    if named is None:
        return open_tags(place)
    conn_id, schema = named
    return TagsTable(settings.connect_to_write(conn_id), conn_id, schema)


def _open_membership(settings: Settings, place: str) -> Membership:
    named = named_connection(SEGMENTS_VARIABLE, place)
    if named is None:
        return open_membership(place)
    conn_id, schema = named
    return SegmentsTable(settings.connect_to_write(conn_id), conn_id, schema)
