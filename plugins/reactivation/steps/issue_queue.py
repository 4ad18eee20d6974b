"""The issue-resolution queue: accounts with an open issue, how long it waits, what was decided and what is next.

Ids, codes and dates only.

Source: seed 001 (exclude accounts with unresolved issues; issue-resolution routing); PLAYBOOKS.md section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reactivation import paths
from reactivation.evidence import EvidenceError, query
from reactivation.ledger import accounts, runs
from reactivation.ledger.account_work import IssueTouch, Waiting, issue_touches, waiting_for_owners
from reactivation.ledger.accounts import AccountDecision
from reactivation.policy.accounts import APPROVE, CLOSE, HOLD_UNTIL, ISSUE, MONITOR, NO_OUTREACH, RESOLVE_ISSUE

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

_COLUMNS = ("account_id", "owner_id", "priority", "path", "evidence")
#: How far the message about the issue has come, in words.
_TOUCHED = {
    "planned": "the next run drafts the message about it", "drafted": "the message about it is drafted",
    "listed": "the message about it waits for a signature", "signed": "the message about it is signed, and sent next",
    "claimed": "the message about it is being sent", "accepted": "the message about it was sent: wait for an answer",
    "refused": "the message about it was refused by the provider: call", "rejected": "its owner rejected the message",
    "unknown": "nobody knows whether the message about it was sent", "held": "the message about it is held",
    "expired": "the message about it was not sent in time: decide anew", "cancelled": "nothing more is written",
}  # fmt: skip
_DECIDED = {
    CLOSE: "closed for outreach; the issue still has to be settled",
    MONITOR: "watched until somebody of it does anything",
    NO_OUTREACH: "left alone; the issue still has to be settled", APPROVE: "its owner is asked about the issue first",
}  # fmt: skip


@dataclass(frozen=True)
class OpenIssue:
    """One account with its open cases, oldest first; ``next_step`` in words, and where its question is read."""

    account_id: str
    owner_id: str | None
    owner_known: bool
    priority: Decimal | None
    cases: Sequence[tuple[str, str]]
    opened_at: datetime | None
    days: int | None
    decided: str | None
    decided_at: datetime | None
    next_step: str
    list_id: str | None
    question_id: str | None


@dataclass(frozen=True)
class Issues:
    """One page of the queue; ``total``: how many accounts it has altogether."""

    rows: Sequence[OpenIssue]
    total: int
    as_of: datetime | None


def open_issues(workspace: Workspace, playbook: str, now: datetime, *, first: int, most: int) -> Issues:
    """``most`` accounts from the ``first`` on (from 0), by the last run that decided, the longest waiting first; none
    where its evidence is gone."""
    with workspace.ledger.begin() as conn:
        run = runs.latest_run(conn, playbook, step="decide")
    if run is None:
        return Issues((), 0, None)
    try:
        decisions = workspace.run_folder(run.run_id).read("decisions", _COLUMNS)
        snapshot = workspace.snapshot_folder(run.snapshot_id)
        found = query(
            snapshot, paths.sql("account_issues"), extra={"decisions": decisions}, only={"cases"}
        )  # fmt: skip
    except EvidenceError:
        return Issues((), 0, run.as_of)
    shown = found.slice(first, most).to_pylist()
    ids = [row["account_id"] for row in shown]
    touched = [touch.number for touch in workspace.playbook(playbook).playbook.touches if touch.purpose == ISSUE]
    with workspace.ledger.begin() as conn:
        said = {one.account_id: one for one in accounts.decisions(conn, playbook, ids)}
        asked = {one.about.account_id: one for one in waiting_for_owners(conn, now, playbook)}
        written = issue_touches(conn, playbook, touched, ids)
    rows = [
        _issue(workspace, row, said.get(row["account_id"]), asked.get(row["account_id"]),
               written.get(row["account_id"]), now=now)
        for row in shown
    ]  # fmt: skip
    return Issues(rows, found.num_rows, run.as_of)


def _issue(
    workspace: Workspace, row: dict[str, Any], said: AccountDecision | None, asked: Waiting | None,
    written: IssueTouch | None, *, now: datetime,
) -> OpenIssue:  # fmt: skip
    known = row["owner_id"] is not None and workspace.owners.knows(row["owner_id"])
    return OpenIssue(
        account_id=row["account_id"], owner_id=row["owner_id"], owner_known=known, priority=row["priority"],
        cases=list(zip(row["case_ids"], (kind or "unknown" for kind in row["kinds"]), strict=True)),
        opened_at=row["opened_at"], days=None if row["opened_at"] is None else (now - row["opened_at"]).days,
        decided=said.decision if said else None, decided_at=said.decided_at if said else None,
        next_step=_next(said, asked, written, owner_known=known),
        list_id=asked.list_id if asked else None, question_id=asked.about.question_id if asked else None,
    )  # fmt: skip


def _next(
    said: AccountDecision | None, asked: Waiting | None, written: IssueTouch | None, *, owner_known: bool
) -> str:  # fmt: skip
    """What happens next with the issue of an account."""
    if asked is not None:
        return "its owner is asked now"
    if not owner_known:
        return "give it an owner in the CRM who is in owners.yaml"
    if said is None:
        return "its owner is asked by one of the next runs"
    if said.decision == RESOLVE_ISSUE:
        new = written is not None and written.changed_at >= said.decided_at
        return _TOUCHED[written.state] if new and written else "the next run drafts the message about it"
    if said.decision == HOLD_UNTIL:
        return "held until its day" if said.until is None else f"held until {said.until:%Y-%m-%d}"
    return _DECIDED[said.decision]
