"""Waits for people: one request per open question, to its signers alone."""

from __future__ import annotations

from airflow.sdk import DAG

from reactivation.orchestration import tasks
from reactivation.orchestration.assets import LISTS, QUESTIONS
from reactivation.orchestration.review import OwnerReviewOperator

with DAG(
    "ask_people",
    description="Ask the signers of every open list; silence means hold",
    schedule=LISTS | QUESTIONS,
    # By hand nobody starts it: what a run is triggered with would stand in the signer's form.
    allowed_run_types=["asset_triggered"],
    catchup=False,
    # A waiting run counts as active. No dagrun_timeout: it would turn waiting requests into skipped ones.
    max_active_runs=64,
    tags=["reactivation", "people"],
    default_args=tasks.RETRIES,
    doc_md="""
    ### Ask people

    Opens one request per list or question. Only its signers can answer; only the ledger says what an answer counts.

    1. Open the **list's page** (linked in the request): every message exactly as it will go out, and the signing code.
    2. Answer under **Required actions**: *Sign*, *Hold all* or *Reject all*; codes and item numbers only.
    3. Not answered within three days, or not valid, means **held**; the next run of the playbook asks again.

    When data is not ready, **compliance** may be asked here to let one run go on all the same: only for sources that
    are stale or have changed in size. Read the report first; once it is waived, clear the failed task `readiness` of
    that run.

    Marking a task here as successful, clearing it or editing what it returns signs nothing.
    """,
):
    OwnerReviewOperator.partial(task_id="ask").expand(question_id=tasks.open_questions())
