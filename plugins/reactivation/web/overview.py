"""The first page: what waits for a signature, whether the last runs might go on, and how far each playbook has come.
Counts only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from reactivation.evidence import EvidenceError
from reactivation.ledger import edits, judged, lists, questions, runs, views
from reactivation.ledger.judged import Judged
from reactivation.ledger.lists import ListRow
from reactivation.ledger.questions import QuestionRow
from reactivation.ledger.runs import Run, Snapshot
from reactivation.playbooks.owners import Owners, Role
from reactivation.steps.accepting import KIND as SIGN_SETTING
from reactivation.steps.confirming import KIND as CONFIRM_SEND
from reactivation.steps.deciding import KIND as DECIDE_ACCOUNT
from reactivation.steps.deciding import asked_account
from reactivation.steps.funnel import funnel
from reactivation.steps.labelling import KIND as LABEL_REPLY
from reactivation.steps.resuming import KIND as RESUME
from reactivation.steps.resuming import signers_of
from reactivation.steps.waiving import KIND as WAIVE
from reactivation.steps.workspace import Workspace
from reactivation.web import pausing
from reactivation.web.access import role_of
from reactivation.web.auth import Visitor
from reactivation.web.pausing import StoppedShown

#: The stages of the funnel that are drawn as bars, each a part of the one before.
CUSTOMER_STAGES = ("contacts", "candidates", "may be contacted", "may be contacted after review", "enrolled")

#: Who answers each kind of question that has a page of its own.
_ASKED_OF: Mapping[str, Role] = {
    SIGN_SETTING: "compliance", RESUME: "marketing_owner", CONFIRM_SEND: "marketing_owner",
    LABEL_REPLY: "marketing_owner",
    DECIDE_ACCOUNT: "account_owner",
}  # fmt: skip

#: So many verdicts of each playbook, and so many snapshots, are listed.
_VERDICTS, _SNAPSHOTS = 3, 2


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
class Verdicts:
    """Whether the last snapshots and the last runs of each playbook (by its title) might go on. ``waiting``: the
    questions whether a run may pass by a waiver, for compliance alone."""

    snapshots: Sequence[Snapshot]
    runs: Mapping[str, Sequence[Judged]]
    waiting: Sequence[QuestionRow]


@dataclass(frozen=True)
class Overview:
    """What the first page shows; the visitor's own lists come first. ``asked``: questions about settings, stops,
    sends and replies, for those alone who may answer; ``stopped``: the stops that stand, for everybody."""

    visitor: Visitor
    lists: Sequence[OpenList]
    verdicts: Verdicts
    asked: Sequence[QuestionRow]
    stopped: Sequence[StoppedShown]
    runs: Sequence[LastRun]
    now: datetime


def overview(workspace: Workspace, visitor: Visitor, now: datetime) -> Overview:
    """The first page for one visitor."""
    owners = workspace.owners
    with workspace.ledger.begin() as conn:
        sizes, signers = views.open_list_sizes(conn), views.open_list_signers(conn)
        approvers = edits.approvers_of_open(conn)
        waiting = [
            _open_list(
                row, sizes[row.list_id], owners, visitor, signers=signers.get(row.list_id, frozenset()),
                approver=approvers.get(row.list_id),
            )
            for row in lists.open_lists(conn)
        ]  # fmt: skip
        names = {p.playbook.playbook: p.playbook.title for p in workspace.all_playbooks()}
        last = {title: runs.latest_run(conn, name) for name, title in names.items()}
        verdicts = Verdicts(
            snapshots=runs.latest_snapshots(conn, _SNAPSHOTS),
            runs={title: judged.latest(conn, name, _VERDICTS) for name, title in names.items()},
            waiting=questions.waiting_of_kind(conn, WAIVE, now) if _has(owners, "compliance", visitor) else (),
        )
        stopped = pausing.standing(conn, now)
        asked = [
            one
            for kind, role in _ASKED_OF.items()
            for one in questions.waiting_of_kind(conn, kind, now)
            if _is_asked(workspace, conn, one, visitor, role)
        ]
    return Overview(
        visitor=visitor,
        lists=sorted(waiting, key=lambda one: not one.may_sign),
        verdicts=verdicts,
        asked=asked,
        stopped=stopped,
        runs=[LastRun(title, run, _funnel(workspace, run)) for title, run in last.items() if run is not None],
        now=now,
    )


def _open_list(
    row: ListRow, size: tuple[int, int], owners: Owners, visitor: Visitor, *, signers: frozenset[str],
    approver: str | None,
) -> OpenList:  # fmt: skip
    seen_as = role_of(owners, signers, visitor.user_id, approver=approver)
    name = owners.by_id[row.owner_id].name if owners.knows(row.owner_id) else row.owner_id
    return OpenList(row, name, *size, may_see=seen_as is not None, may_sign=seen_as == "signer")


def _is_asked(workspace: Workspace, conn: Connection, one: QuestionRow, visitor: Visitor, role: Role) -> bool:
    """Of a stop whoever may end it, of the rest who has the role; of an account only who answers for it now."""
    if one.kind == RESUME:
        return visitor.user_id in signers_of(workspace, conn, one.subject)
    if not _has(workspace.owners, role, visitor):
        return False
    return one.kind != DECIDE_ACCOUNT or visitor.user_id in asked_account(workspace, conn, one).signers


def _has(owners: Owners, role: Role, visitor: Visitor) -> bool:
    return any(signer.user_id == visitor.user_id for signer in owners.by_role(role))


def _funnel(workspace: Workspace, run: Run) -> Mapping[str, int] | None:
    try:
        return funnel(workspace, run.run_id)
    except EvidenceError:
        return None
