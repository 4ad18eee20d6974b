"""A legal hold: what concerns a customer, or everybody, is neither purged nor erased until somebody ends it.

Source: RULES.md, Evidence and privacy (legal hold stops purging).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reactivation.ledger import holds, seals
from reactivation.ledger.holds import EVERYTHING, Hold
from reactivation.steps.persons import require_known

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace


def begin_hold(workspace: Workspace, customer_id: str | None, *, user: str, now: datetime) -> str:
    """Begin a hold on a customer, or on everything (``None``); what came of it, in words.

    Raises ``StepError`` for a customer nobody knows.
    """
    if customer_id is not None:
        require_known(workspace, customer_id)
    with workspace.ledger.begin() as conn:
        new = holds.begin(conn, customer_id=customer_id, actor=user, now=now)
    seals.seal(workspace.ledger, now)
    what = customer_id or EVERYTHING
    return f"the hold on {what} stands, by {user}" if new else f"a hold on {what} stands already; nothing changed"


def lift_hold(workspace: Workspace, customer_id: str | None, *, user: str, now: datetime) -> str:
    """End the hold on a customer, or on everything; what came of it, in words."""
    with workspace.ledger.begin() as conn:
        ended = holds.end(conn, customer_id=customer_id, actor=user, now=now)
    seals.seal(workspace.ledger, now)
    what = customer_id or EVERYTHING
    return f"the hold on {what} has ended, by {user}" if ended else f"no hold on {what} stands; nothing changed"


def standing_holds(workspace: Workspace) -> tuple[Hold, ...]:
    """The holds that stand, oldest first."""
    with workspace.ledger.begin() as conn:
        return holds.standing(conn)
