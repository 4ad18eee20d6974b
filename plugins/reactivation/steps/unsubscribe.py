"""A recipient used the link of a message: nobody writes to him again, and what waits for him is over at once.

Source: RULES.md, Permission (opt-out: immediate, permanent, all channels of the brand); ARCHITECTURE.md, invariant 4.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reactivation.ledger import enrolments, erasures, seals, suppressions, touches
from reactivation.ledger.suppressions import EVERY, Suppression
from reactivation.outcomes import exit_of_no
from reactivation.playbooks.declared import DeclarationError
from reactivation.steps.settings import ConfigurationError

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

ACTOR = "unsubscribe_link"


def unsubscribe(workspace: Workspace, touch_id: str, now: datetime) -> bool:
    """Commit the no of whoever got this touch; true once it is committed, also when it was before.

    False for a touch the ledger does not know. Raises ``LedgerError``; then the same may be asked again.
    """
    with workspace.ledger.begin() as conn:
        found = touches.touches_of(conn, [touch_id])
        if not found:
            return False
        [touch] = found
        keys = {touch.address_key, *enrolments.keys_of(conn, [touch.enrolment_id])[touch.enrolment_id]}
        active = erasures.occupied_by(conn, {touch.customer_id}, keys)
        keys |= {key for own in enrolments.keys_of(conn, active).values() for key in own}
    brand = _brand(workspace, touch.playbook)
    noes = [Suppression(key, brand, EVERY, "opt_out", source=ACTOR, occurred_at=now) for key in sorted(keys)]
    suppressions.commit(workspace.ledger, noes, actor=ACTOR, now=now)
    with workspace.ledger.begin() as conn:
        for one in active:
            enrolments.end_enrolment(
                conn, one, reason=exit_of_no("opt_out").reason, because="suppressed:opt_out", actor=ACTOR, now=now
            )
    seals.seal(workspace.ledger, now)
    return True


def _brand(workspace: Workspace, playbook: str) -> str:
    """Whose messages they are; of every brand where the playbook cannot be read any more."""
    try:
        return workspace.playbook(playbook).playbook.brand
    except (ConfigurationError, DeclarationError):
        return EVERY
