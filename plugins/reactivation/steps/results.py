"""The decided candidates of a run, for the command line and the pages."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from reactivation.ledger import runs
from reactivation.ledger.runs import StepError
from reactivation.steps.decide import SCORING
from reactivation.steps.workspace import Workspace


def decisions_of(workspace: Workspace, playbook: str, run_id: str | None = None) -> tuple[str, pa.Table]:
    """A run's id and its ``decisions.parquet``: the run named, or the playbook's last that decided.

    Raises ``StepError`` when there is none.
    """
    found = _decided(workspace, playbook, run_id)
    return found, workspace.run_folder(found).read("decisions")


def scoring_of(workspace: Workspace, playbook: str, run_id: str | None = None) -> tuple[str, dict[str, Any]]:
    """The same run's id, and how its customers were scored (``steps.decide.scored``)."""
    found = _decided(workspace, playbook, run_id)
    return found, workspace.run_folder(found).read_json(SCORING)


def _decided(workspace: Workspace, playbook: str, run_id: str | None) -> str:
    with workspace.ledger.begin() as conn:
        run = runs.latest_run(conn, playbook, step="decide") if run_id is None else runs.run_of(conn, run_id)
    if run is None:
        raise StepError(f"playbook {playbook} has decided nothing yet; say: reactivation run {playbook}")
    return run.run_id
