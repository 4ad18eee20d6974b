"""The funnel of a run: from everybody in the CRM down to what was sent, each number from its own evidence.

Customers come from the snapshot and ``decisions.parquet``, enrolments and touches from the ledger. In a dry run the
ledger has none, and the plan says how many there would be.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.approvals.lists import ONLY_AUTHORS, OWNER_AWAY
from reactivation.ledger import funnel as counts
from reactivation.ledger import runs
from reactivation.steps.plan import STEP as PLAN
from reactivation.steps.results import decisions_of
from reactivation.steps.workspace import Workspace

_ALLOWED = pa.array(["enrol", "review"])
_HELD = "held:"

#: Where a touch can be, in the order it gets there.
TOUCH_STATES = (
    "planned", "drafted", "listed", "held", "rejected", "signed", "claimed", "accepted", "refused", "unknown",
    "expired", "cancelled",
)  # fmt: skip


def funnel(workspace: Workspace, run_id: str) -> dict[str, int]:
    """Stage → how many, top to bottom; touch stages are ``touches <state>``, lists ``lists <state>``."""
    with workspace.ledger.begin() as conn:
        run = runs.run_of(conn, run_id)
        enrolled = counts.enrolled(conn, run_id)
        touches = counts.touch_states(conn, run_id)
        lists = counts.list_states(conn, run_id)
        planned = runs.step_of(conn, run_id, PLAN)
    _, decisions = decisions_of(workspace, run.playbook, run_id)
    contacts = workspace.snapshot_folder(run.snapshot_id).read("contacts").num_rows

    def decided(what: str) -> int:
        return int(pc.sum(pc.equal(decisions["decision"], what)).as_py() or 0)

    held = {
        key.removeprefix(_HELD): count for key, count in (planned.counts if planned else {}).items()
        if key.startswith(_HELD)
    }  # fmt: skip
    permitted = pc.is_in(decisions["decision"], value_set=_ALLOWED)
    fresh = pc.and_(permitted, pc.invert(decisions["enrolled"]))
    held_out = int(pc.sum(pc.and_(fresh, decisions["holdout"])).as_py() or 0)
    already = int(pc.sum(pc.and_(permitted, decisions["enrolled"])).as_py() or 0)
    folder = workspace.run_folder(run_id)
    if run.dry and folder.has("plan"):
        enrolled = len(folder.read("plan")["customer_id"].unique())
    # Its own stage: somebody has to come back, or to be named, before it changes.
    unsigned = {f"not begun: {why.replace('_', ' ')}": held[why] for why in (OWNER_AWAY, ONLY_AUTHORS) if why in held}
    rest = decided("enrol") + decided("review") - already - held_out - enrolled - sum(unsigned.values())
    return {
        "contacts": contacts,
        "candidates": decisions.num_rows,
        "suppressed": decided("suppress"),
        "on hold": decided("hold"),
        "may be contacted": decided("enrol"),
        "may be contacted after review": decided("review"),
        "already enrolled": already,
        "kept as holdout": held_out,
        "not begun (capacity, sample or segment)": rest,
        **unsigned,
        "enrolled": enrolled,
        **{f"touches {state}": touches[state] for state in TOUCH_STATES if state in touches},
        **{f"lists {state}": lists[state] for state in ("open", "signed", "held", "rejected") if state in lists},
    }
