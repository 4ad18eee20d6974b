"""What an owner of accounts has to do: what he is asked now, and which of his accounts he will be asked about next.

Ids, codes and dates only.

Source: seed 001 (owner task queues; account review queue with priority and recommended next step).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation.evidence import EvidenceError
from reactivation.ledger import accounts, edits, lists, questions, runs
from reactivation.ledger.account_work import Waiting, waiting_for_owners
from reactivation.policy.accounts import PATHS
from reactivation.steps.deciding import ROLE, asked_account, today_of
from reactivation.steps.signing import may_sign

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: What is to be done, as a code: sign a message, sign one that another owner changed, decide without a message, or
#: nothing yet.
SIGN, SIGN_CHANGED, DECIDE, LATER = "sign", "sign_changed", "decide", "later"
_COLUMNS = ("account_id", "owner_id", "path", "priority", "next_best_action", "dormant_days", "reason_codes")
_LED, _DELAYED = PATHS[0], PATHS[3]


@dataclass(frozen=True)
class OwnerTask:
    """One account an owner has to do something about; ``due`` is when the question ends, if he is asked now."""

    what: str
    account_id: str
    playbook: str
    priority: Decimal | None
    next_step: str | None
    quiet_days: int | None
    due: datetime | None = None
    list_id: str | None = None
    question_id: str | None = None


def owner_tasks(workspace: Workspace, user_id: str, now: datetime) -> list[OwnerTask]:
    """Everything of one user: what ends first at the top, then by priority; what he is not asked about yet last."""
    with workspace.ledger.begin() as conn:
        waiting = waiting_for_owners(conn, now)
        mine = [(one, what) for one in waiting if (what := _asked_of(workspace, conn, one, user_id)) is not None]
        known = _Known(workspace, conn)
        asked = [known.task(one, what) for one, what in mine]
        later = [
            task
            for playbook in workspace.all_playbooks()
            if playbook.playbook.subject == "account"
            for task in _later(workspace, conn, playbook.playbook.playbook, user_id, waiting=waiting, now=now)
        ]
    asked.sort(key=lambda task: (task.due or now, -(task.priority or 0), task.account_id))
    return [*asked, *later]


def _asked_of(workspace: Workspace, conn: Connection, one: Waiting, user_id: str) -> str | None:
    """What a user has to do about a question, if it is his to answer."""
    if one.list_id is None:
        question = questions.question_of(conn, one.about.question_id)
        return DECIDE if question and user_id in asked_account(workspace, conn, question).signers else None
    row = lists.list_of(conn, one.list_id)
    if row is None or user_id in row.authors or user_id not in {s.user_id for s in may_sign(workspace, conn, row)}:
        return None
    return SIGN if edits.of_run(conn, row.run_id) is None else SIGN_CHANGED


class _Known:
    """What the runs behind questions decided about their accounts; each is read once."""

    def __init__(self, workspace: Workspace, conn: Connection) -> None:
        self._workspace, self._conn = workspace, conn
        self._decided: dict[str, pa.Table | None] = {}

    def task(self, one: Waiting, what: str) -> OwnerTask:
        about = one.about
        if about.run_id not in self._decided:
            try:
                self._decided[about.run_id] = self._workspace.run_folder(about.run_id).read("decisions", _COLUMNS)
            except EvidenceError:
                self._decided[about.run_id] = None
        table = self._decided[about.run_id]
        rows = [] if table is None else table.filter(pc.equal(table["account_id"], about.account_id)).to_pylist()
        row = rows[0] if rows else {}
        return OwnerTask(
            what, about.account_id, about.playbook, row.get("priority"), row.get("next_best_action"),
            row.get("dormant_days"), one.expires_at, one.list_id, one.about.question_id,
        )  # fmt: skip


def _later(
    workspace: Workspace, conn: Connection, playbook: str, user_id: str, *, waiting: Collection[Waiting], now: datetime
) -> list[OwnerTask]:
    """His accounts that the last run found dormant, and about which he was neither asked nor has decided."""
    run = runs.latest_run(conn, playbook, step="decide")
    if run is None:
        return []
    try:
        decisions = workspace.run_folder(run.run_id).read("decisions", _COLUMNS)
    except EvidenceError:
        return []
    today, owners = today_of(workspace, now), workspace.owners
    stands_for = [
        one for one in owners.by_id if user_id in {signer.user_id for signer in owners.asked_for(one, ROLE, today)}
    ]
    settled = {one.about.account_id for one in waiting} | {
        one.account_id for one in accounts.decisions(conn, playbook) if one.decided_at >= run.as_of
    }
    wanted = [
        pc.is_in(decisions["owner_id"], value_set=pa.array(stands_for, pa.string())),
        pc.is_in(decisions["path"], value_set=pa.array([_LED, _DELAYED])),
        pc.invert(pc.is_in(decisions["account_id"], value_set=pa.array(sorted(settled), pa.string()))),
    ]
    rows = decisions.filter(pc.and_(pc.and_(wanted[0], wanted[1]), wanted[2]))
    order = [("priority", "descending"), ("account_id", "ascending")]
    return [
        OwnerTask(LATER, row["account_id"], playbook, row["priority"], row["next_best_action"], row["dormant_days"])
        for row in rows.sort_by(order).to_pylist()
    ]
