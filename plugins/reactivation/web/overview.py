"""The first page: what waits for a signature, and how far the last run of each playbook has come. Counts only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reactivation.evidence import EvidenceError
from reactivation.ledger import lists, runs, views
from reactivation.ledger.lists import ListRow
from reactivation.ledger.runs import Run
from reactivation.playbooks.owners import Owners
from reactivation.steps.funnel import funnel
from reactivation.steps.workspace import Workspace
from reactivation.web.access import role_of
from reactivation.web.auth import Visitor

#: The stages of the funnel that are drawn as bars, each a part of the one before.
CUSTOMER_STAGES = ("contacts", "candidates", "may be contacted", "may be contacted after review", "enrolled")


@dataclass(frozen=True)
class OpenList:
    """One list that waits, how long it is, and whether this visitor may open or sign it."""

    row: ListRow
    owner_name: str
    items: int
    individual: int
    may_see: bool
    may_sign: bool


@dataclass(frozen=True)
class LastRun:
    """The last run of a playbook and its funnel, or nothing when its evidence cannot be read."""

    title: str
    run: Run
    funnel: Mapping[str, int] | None

    @property
    def bars(self) -> list[tuple[str, int, float]]:
        """Stage, count, and its share of the widest, for the customers."""
        counts = self.funnel or {}
        widest = max((counts.get(stage, 0) for stage in CUSTOMER_STAGES), default=0) or 1
        return [(stage, counts[stage], counts[stage] / widest) for stage in CUSTOMER_STAGES if stage in counts]

    @property
    def rest(self) -> list[tuple[str, int]]:
        """The other stages."""
        return [(stage, n) for stage, n in (self.funnel or {}).items() if stage not in CUSTOMER_STAGES]


@dataclass(frozen=True)
class Overview:
    """What the first page shows; the visitor's own lists come first."""

    visitor: Visitor
    lists: Sequence[OpenList]
    runs: Sequence[LastRun]
    now: datetime


def overview(workspace: Workspace, visitor: Visitor, now: datetime) -> Overview:
    """The first page for one visitor."""
    owners = workspace.owners
    with workspace.ledger.begin() as conn:
        sizes, signers = views.open_list_sizes(conn), views.open_list_signers(conn)
        waiting = [_open_list(row, sizes[row.list_id], owners, signers, visitor) for row in lists.open_lists(conn)]
        last = {p.playbook.title: runs.latest_run(conn, p.playbook.playbook) for p in workspace.all_playbooks()}
    return Overview(
        visitor=visitor,
        lists=sorted(waiting, key=lambda one: not one.may_sign),
        runs=[LastRun(title, run, _funnel(workspace, run)) for title, run in last.items() if run is not None],
        now=now,
    )


def _open_list(
    row: ListRow, size: tuple[int, int], owners: Owners, signers: Mapping[str, frozenset[str]], visitor: Visitor
) -> OpenList:
    seen_as = role_of(owners, signers.get(row.list_id, frozenset()), visitor.user_id)
    name = owners.by_id[row.owner_id].name if owners.knows(row.owner_id) else row.owner_id
    return OpenList(row, name, *size, may_see=seen_as is not None, may_sign=seen_as == "signer")


def _funnel(workspace: Workspace, run: Run) -> Mapping[str, int] | None:
    try:
        return funnel(workspace, run.run_id)
    except EvidenceError:
        return None
