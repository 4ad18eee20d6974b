"""What the responses so far say of each segment's step of the incentive ladder. Looks and proposes; changes nothing.

A segment is raised by whoever writes the playbook (``optimizer.rungs``); the offers it is then made are signed by an
offer approver like all others.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.ledger import monitored, runs
from reactivation.policy.columns import frame_of
from reactivation.policy.proposals import MONEY_COLUMNS, Proposal, proposals
from reactivation.policy.segments import UNIT
from reactivation.policy.touch_offers import whole_offers
from reactivation.steps.results import decisions_of

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace


def proposals_for(workspace: Workspace, playbook_name: str, now: datetime) -> list[Proposal]:
    """The proposals of a playbook at ``now``, by the money of its last run. Raises ``StepError`` before the first."""
    playbook, rules = workspace.playbook(playbook_name).playbook, workspace.rules.incentives
    run_id, decisions = decisions_of(workspace, playbook_name)
    window = timedelta(days=playbook.measurement.compared_after_days)
    with workspace.ledger.begin() as conn:
        run = runs.run_of(conn, run_id)
        responded = monitored.responded(conn, playbook_name, first_before=now - window, until=now)
    offers = whole_offers(workspace.snapshot_folder(run.snapshot_id).read("offers"))
    return proposals(
        playbook, responded, _money(decisions), offers,
        contact_cost=float(rules.contact_cost), margin_floor=float(rules.margin_floor),
    )  # fmt: skip


def _money(decisions: pa.Table) -> pd.DataFrame:
    """``MONEY_COLUMNS`` of a run's candidates."""
    segment, currency, *amounts = MONEY_COLUMNS
    evidence = decisions["evidence"].combine_chunks()
    units = {name: pc.multiply(pc.struct_field(evidence, name).cast(pa.float64()), float(UNIT)) for name in amounts}
    return frame_of(
        pa.table({segment: decisions[segment], currency: pc.struct_field(evidence, currency), **units})
    )  # fmt: skip
