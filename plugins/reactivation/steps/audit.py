"""Has anybody touched the audit trail? Every seal is recomputed; the heads that runs remember must still be there."""

from __future__ import annotations

from reactivation.ledger import seals
from reactivation.ledger.runs import run_ids
from reactivation.ledger.seals import Report
from reactivation.steps.begin import AUDIT_HEAD
from reactivation.steps.workspace import Workspace


def verify_audit(workspace: Workspace) -> Report:
    """What recomputing every seal found, together with the heads in the manifests of the runs there are."""
    with workspace.ledger.begin() as conn:
        folders = [workspace.run_folder(run_id) for run_id in run_ids(conn)]
        heads = {folder.manifest["inputs"][AUDIT_HEAD] for folder in folders if folder.exists()}
        return seals.verify(conn, heads)
