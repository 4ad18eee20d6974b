"""Which claims the messages of a list make, from the drafts behind it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.evidence import EvidenceError
from reactivation.ledger.lists import ListItem, ListRow

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace


def claims_of(workspace: Workspace, row: ListRow, items: Iterable[ListItem]) -> dict[str, str]:
    """Claim id to the digest of its words, for the items whose bytes are still kept as they were frozen."""
    frozen = {item.touch_id: item.draft_digest for item in items}
    try:
        drafts = workspace.run_folder(row.run_id).read("drafts", ("touch_id", "digest", "claims"))
    except EvidenceError:
        return {}
    mine = drafts.filter(pc.is_in(drafts["touch_id"], value_set=pa.array(list(frozen), pa.string())))
    return {
        claim["claim_id"]: claim["text_digest"]
        for draft in mine.to_pylist()
        if draft["digest"] == frozen[draft["touch_id"]]
        for claim in draft["claims"]
    }
