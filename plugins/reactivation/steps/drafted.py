"""The drafts of touches, read from the runs that made them, as many as are asked for and no more.

The bytes and the recipient are in ``drafts.parquet`` alone; what was erased there is nowhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from reactivation.delivery import Call
from reactivation.evidence import EvidenceError, RunFolder, query
from reactivation.ledger import touches
from reactivation.ledger.sends import Send
from reactivation.ledger.touches import Touch
from reactivation.steps.verdicts import Verdict

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

_SOME = """SELECT drafts.* FROM drafts SEMI JOIN wanted USING (touch_id) ORDER BY touch_id"""


@dataclass(frozen=True)
class Drafts:
    """The drafts of one workspace; each file is checked against its manifest once."""

    workspace: Workspace
    _folders: dict[str, RunFolder] = field(default_factory=dict)

    def of(self, some: Sequence[Touch]) -> list[Mapping[str, Any] | Verdict]:
        """The draft of each touch, or why there is none to send."""
        by_run: dict[str, list[str]] = defaultdict(list)
        for touch in some:
            if touch.draft_run_id is not None:
                by_run[touch.draft_run_id].append(touch.touch_id)
        found: dict[str, Mapping[str, Any] | Verdict] = {}
        for run_id, ids in by_run.items():
            try:
                found |= self._read(run_id, ids)
            except EvidenceError:
                found |= dict.fromkeys(ids, Verdict("wait", "draft_unreadable"))
        return [found.get(touch.touch_id, Verdict("hold", "draft_missing")) for touch in some]

    def calls(self, some: Sequence[Send]) -> dict[str, Call]:
        """By send id, what is still known of the calls that were made."""
        if not some:
            return {}
        with self.workspace.ledger.begin() as conn:
            known = touches.touches_of(conn, {one.touch_id for one in some})
        drafts = {touch.touch_id: draft for touch, draft in zip(known, self.of(known), strict=True)}
        return {one.send_id: _call(one, drafts[one.touch_id]) for one in some}

    def _read(self, run_id: str, touch_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        folder = self._folders.setdefault(run_id, self.workspace.run_folder(run_id))
        wanted = pa.table({"touch_id": pa.array(touch_ids, pa.string())})
        rows = query(folder, _SOME, extra={"wanted": wanted}, personal=("drafts",), only={"drafts"}).to_pylist()
        return {row["touch_id"]: row for row in rows}


def _call(send: Send, draft: Mapping[str, Any] | Verdict) -> Call:
    at = send.called_at or send.intended_at
    if isinstance(draft, Verdict):
        return Call(send.send_id, at)
    return Call(send.send_id, at, draft["recipient"], draft["text"])
