"""Sends what is due, signed and still allowed; everything else waits or expires."""

from __future__ import annotations

from airflow.sdk import DAG

from reactivation.orchestration import tasks
from reactivation.orchestration.notifiers import StoppedNotifier

with DAG(
    "send_due_touches",
    description="Send what is due, signed and still allowed, each touch at most once",
    schedule=tasks.at("0 * * * *"),
    catchup=False,
    max_active_runs=1,
    tags=["reactivation", "sending"],
    default_args=tasks.RETRIES | {"on_failure_callback": StoppedNotifier()},
    doc_md="""
    ### Send due touches

    Claims the touches that are due and signed, asks the sources again about exactly these people, runs the same gates
    on what they say now, and hands the signed bytes to the provider. The claim is written before the provider is
    called, so running this twice, or killing it, sends nothing twice. It reads the ledger and nothing of Airflow.

    When what came back (complaints, bounces) stops the sending, or nobody knows whether something was sent,
    `ask_about_sending` has the marketing owners asked; only their answer ends the stop, or lets a message go again.
    """,
):
    tasks.send_due() >> tasks.ask_about_sending()
