"""The quality and stop gates of the source documents, asked of a run: before anybody is enrolled, and again, with what
the ledger logged of it, before any list is opened.

The report (``quality.json``) has every gate by name with its sentence and how many decisions do not hold to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from reactivation.ledger import measured
from reactivation.ledger.runs import Run, StepError
from reactivation.playbooks.quality import quality
from reactivation.policy.quality import COLUMNS, unproven

if TYPE_CHECKING:
    from reactivation.evidence import RunFolder
    from reactivation.playbooks.model import Playbook

REPORT = "quality.json"
LOGGED = "measurement_is_logged"


def require_quality(folder: RunFolder, playbook: Playbook) -> None:
    """Raises ``StepError`` naming every gate that stops and does not hold of a run's decisions."""
    _require(folder, unproven(folder.read("decisions", COLUMNS), playbook.subject))


def quality_report(conn: Connection, folder: RunFolder, run: Run, playbook: Playbook) -> dict[str, Any]:
    """Every gate of a run that was planned. Raises ``StepError`` like ``require_quality``. A dry run logs nothing, and
    is not asked whether it did."""
    decisions = folder.read("decisions", COLUMNS)
    found: dict[str, int | None] = dict(unproven(decisions, playbook.subject))
    logged = measured.decided_in(conn, run)
    found[LOGGED] = None if run.dry else decisions.num_rows - logged
    _require(folder, found)
    return {"decisions": decisions.num_rows, "gates": [_told(name, found) for name in quality().gates]}


def counts(report: Mapping[str, Any]) -> dict[str, int]:
    """The report for the ledger: how many decisions do not hold to each gate that was asked."""
    return {f"quality:{one['gate']}": one["unproven"] for one in report["gates"] if one["unproven"] is not None}


def _told(name: str, found: Mapping[str, int | None]) -> dict[str, Any]:
    gate, count = quality().gates[name], found.get(name)
    return {
        "gate": name, "sentence": gate.sentence, "document": gate.document, "proof": gate.of_run, "unproven": count,
        "holds": None if count is None else count == 0,
    }  # fmt: skip


def _require(folder: RunFolder, found: Mapping[str, int | None]) -> None:
    broken = [
        f"{name} ({quality().gates[name].sentence}): {count} decisions"
        for name, count in found.items()
        if count and quality().gates[name].stops
    ]
    if broken:
        raise StepError(
            f"run {folder.id} stops at a quality gate: {'; '.join(broken)}. Nobody was asked; look at "
            f"{folder.path / 'decisions.parquet'}, correct what is named, and begin a new run"
        )
