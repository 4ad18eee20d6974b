"""Reads every source once, at one instant; the playbooks start when it is done."""

from __future__ import annotations

from airflow.sdk import DAG

from reactivation.orchestration import tasks
from reactivation.orchestration.notifiers import StoppedNotifier

with DAG(
    "take_snapshot",
    description="Copy what every source says, at one instant, and judge whether it is fit to decide on",
    schedule=tasks.at("0 5 * * *"),
    catchup=False,
    max_active_runs=1,
    tags=["reactivation", "sources"],
    default_args=tasks.RETRIES | {"on_failure_callback": StoppedNotifier()},
    doc_md="""
    ### Take a snapshot

    Copies CRM, purchases, engagement, support cases, consents, suppressions, offers and claims into an immutable
    folder, puts rows that break the data contract into quarantine with a reason, and judges the tables.

    * **Runs** every morning, and by hand whenever the sources have changed.
    * **Not ready?** The task fails and its log says which condition, how many rows, and where the report is. Nothing is
      decided on a snapshot that is not ready.
    * **Afterwards** every playbook starts by itself.
    """,
):
    tasks.take_snapshot()
