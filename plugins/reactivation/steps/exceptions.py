"""There is no exception past a gate: who asks for one is refused, and that it was asked for is on record.

Source: RULES.md, The gate ladder ("a request for one is recorded and refused; a flag is changed at its source"); seed
000, What not to automate (no-contact exceptions).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from reactivation.ledger import audit, seals
from reactivation.steps.results import decisions_of

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace


def refuse_exception(workspace: Workspace, customer_id: str, playbook: str, *, user: str, now: datetime) -> str:
    """Record that ``user`` asked for an exception for a customer, and say why there is none and what helps instead.

    Raises ``StepError`` for a playbook that has decided nothing yet.
    """
    run_id, decisions = decisions_of(workspace, playbook, None)
    found = decisions.filter(pc.equal(decisions["customer_id"], customer_id)).select(["decision", "reason_codes"])
    row = next(iter(found.to_pylist()), {"decision": "not_a_candidate", "reason_codes": []})
    with workspace.ledger.begin() as conn:
        audit.write(
            conn, at=now, actor=user, action="exception_refused", subject=customer_id,
            details={"playbook": playbook, "run_id": run_id, **row},
        )  # fmt: skip
    seals.seal(workspace.ledger, now)
    because = f" because of {', '.join(row['reason_codes'])}" if row["reason_codes"] else ""
    return (
        f"refused, and recorded: there is no exception for {customer_id} ({row['decision']}{because}). What a source "
        f"says wrongly is changed there; reactivation explain {customer_id} names the records"
    )
