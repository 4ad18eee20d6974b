"""Records what came back: opt-outs before anything else, then what ends an enrolment."""

from __future__ import annotations

from airflow.sdk import DAG

from reactivation.orchestration import tasks
from reactivation.orchestration.notifiers import StoppedNotifier

with DAG(
    "record_outcomes",
    description="Record opt-outs first, then purchases, replies and visits, and end the enrolments they end",
    # Ten minutes before the sending, so that a reply of this hour stops a touch of the next.
    schedule=tasks.at("50 * * * *"),
    catchup=False,
    max_active_runs=1,
    tags=["reactivation", "outcomes"],
    default_args=tasks.RETRIES | {"on_failure_callback": StoppedNotifier()},
    doc_md="""
    ### Record outcomes

    Asks the providers what they were told, then the sources. Opt-outs, complaints and objections are committed first;
    purchases, bookings, replies, clicks and visits end an enrolment, and its remaining touches are cancelled. A silent
    provider keeps nothing else from being recorded; once it was silent for too long, nothing is sent. At the end, tags
    that were set or taken off are written to where `REACTIVATION_TAGS_TO` says, and who is in which segment to where
    `REACTIVATION_SEGMENTS_TO` says, if anywhere. Beside that, `watch_variants` pauses what is worse than its control or
    does harm; its owners are asked before anything of it goes on.
    """,
):
    recorded = tasks.ask_providers() >> tasks.record_what_came_back()
    recorded >> [tasks.write_tags_back(), tasks.write_segments_back(), tasks.watch_variants()]
