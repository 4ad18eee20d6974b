"""Has anybody touched the audit trail? Every seal is recomputed; the heads that runs remember must still be there, and
whatever was taken out of a file of evidence must be on record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Connection

from reactivation.evidence import EvidenceError
from reactivation.ledger import audit, seals
from reactivation.ledger.runs import run_ids
from reactivation.ledger.seals import Report
from reactivation.steps.begin import AUDIT_HEAD
from reactivation.steps.folders import all_folders
from reactivation.steps.taking_out import REWRITTEN, told_of
from reactivation.steps.workspace import Workspace


def verify_audit(workspace: Workspace) -> Report:
    """What recomputing every seal found, together with the heads in the manifests of the runs there are, and with the
    rewrites that no row of the trail tells of."""
    with workspace.ledger.begin() as conn:
        folders = [workspace.run_folder(run_id) for run_id in run_ids(conn)]
        heads = {folder.manifest["inputs"][AUDIT_HEAD] for folder in folders if folder.exists()}
        report = seals.verify(conn, heads)
        return replace(report, problems=(*report.problems, *_unrecorded(workspace, conn)))


def _unrecorded(workspace: Workspace, conn: Connection) -> Iterator[str]:
    for folder in all_folders(workspace):
        try:
            made = folder.rewrites
        except EvidenceError as error:
            yield str(error)
            continue
        recorded = [row.details for row in audit.about(conn, folder.id, (REWRITTEN,))] if made else []
        for one in made:
            if told_of(folder, one) not in recorded:
                yield f"{one.file} of {folder.id} was rewritten without a row in the audit trail"
