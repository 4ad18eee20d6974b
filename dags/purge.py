"""Removes what is past its time, and says so in the audit trail."""

from __future__ import annotations

from airflow.sdk import DAG

from reactivation.orchestration import tasks
from reactivation.orchestration.notifiers import StoppedNotifier

with DAG(
    "purge",
    description="Remove names, addresses, drafts and decisions that are past their time, on record",
    # Before the snapshot of the day, so that nothing is read that should be gone.
    schedule=tasks.at("0 3 * * *"),
    catchup=False,
    max_active_runs=1,
    tags=["reactivation", "privacy"],
    default_args=tasks.RETRIES | {"on_failure_callback": StoppedNotifier()},
    doc_md="""
    ### Purge

    Takes out of the evidence what the rules of retention say is past its time: names and addresses of snapshots,
    drafts, decisions about people nobody wrote to, and in the end the proof of what was sent. An erasure that was cut
    short is finished. Every file that lost rows is in the audit trail with its old and its new digest.

    * **Runs** every day, and by hand at any time; running it twice, or killing it, does no harm.
    * **A legal hold** on a customer keeps what concerns that customer; one on everything stops it.
    * **Failed?** A file of evidence is not what its manifest says: the log names it. All others were purged.
    """,
):
    tasks.purge_what_is_past()
