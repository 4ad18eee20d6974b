"""Which rows of the sources a failed condition concerns, by id: whoever mends the export must find them there."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from reactivation import paths
from reactivation.evidence import SnapshotFolder, query
from reactivation.playbooks.model import Playbook
from reactivation.readiness.checker import CONCERNED, concerned
from reactivation.readiness.verdict import ConditionResult

_JOINED = ("cases", "consents", "purchases", "engagements")


def concerned_in_sources(
    folder: SnapshotFolder, playbook: Playbook | None, results: Iterable[ConditionResult]
) -> pa.Table:
    """``CONCERNED`` of what failed: rows that join nobody, and customers of a segment without a window. Purchases and
    engagements are named by their customers. Rows that break the contract are in the snapshot's own quarantine."""
    failed = [one for one in results if not one.passed and one.broken is None and one.affected]
    found = [concerned(one, keys) for one in failed if (keys := _keys(folder, playbook, one)) is not None]
    return pa.concat_tables([CONCERNED.empty_table(), *found])


def _keys(folder: SnapshotFolder, playbook: Playbook | None, one: ConditionResult) -> pa.ChunkedArray | None:
    if one.subject in _JOINED and one.is_share:
        return query(folder, paths.sql("unjoined"), {"table": one.subject})["key"]
    if one.subject == "segments" and playbook is not None:
        contacts = folder.read("contacts", ["customer_id", "business_segment", "is_subscriber_only"])
        customers = pc.invert(pc.fill_null(contacts["is_subscriber_only"], False))
        windowless = pc.invert(pc.is_in(contacts["business_segment"], pa.array(list(playbook.windows))))
        return contacts.filter(pc.and_(customers, windowless))["customer_id"]
    return None
