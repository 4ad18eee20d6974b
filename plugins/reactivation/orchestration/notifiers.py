"""Telling the owners that a run stopped, and keeping a record that they were told.

Airflow calls a notifier and swallows what goes wrong in it, so "the owner was told" is proven by the ledger alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk.bases.notifier import BaseNotifier

if TYPE_CHECKING:
    from airflow.sdk import Context


class StoppedNotifier(BaseNotifier):
    """Writes to the task's log, and to the audit trail, that a task of ours stopped and who is to look at it."""

    def __init__(self, playbook: str | None = None) -> None:
        """``playbook``: whose owners to name; without it, the owners of every playbook."""
        super().__init__()
        self.playbook = playbook

    def notify(self, context: Context) -> None:
        """One log line and one audit row per failed try that is the last."""
        from reactivation.ledger import audit
        from reactivation.orchestration.rooms import open_rooms

        workspace = open_rooms()
        ti = context["ti"]
        playbooks = workspace.all_playbooks() if self.playbook is None else (workspace.playbook(self.playbook),)
        told = sorted({owner for loaded in playbooks for owner in loaded.playbook.owners.values()})
        with workspace.ledger.begin() as connection:
            audit.write(
                connection, at=workspace.now(), actor="notifier", action="stop_announced", subject=ti.dag_id,
                details={"dag_run": ti.run_id, "task": ti.task_id, "owners": told},
            )  # fmt: skip
        why = context.get("exception")
        self.log.error("%s stopped at %s; told: %s. %s", ti.dag_id, ti.task_id, ", ".join(told), why)
