"""The playbook for customers gone quiet: decides who, why, what and when, and opens the lists that people sign."""

from __future__ import annotations

from airflow.sdk import DAG

from reactivation.orchestration import tasks

PLAYBOOK = "customer_reactivation"

with DAG(
    PLAYBOOK,
    dag_display_name="Customer reactivation",
    description="Who among the quiet customers should hear from us, why, and with which offer",
    **tasks.playbook_settings(PLAYBOOK, segments=("household", "care_plan", "business")),
    doc_md="""
    ### Customer reactivation

    Decides about every quiet customer, plans up to seven touches, drafts the next ones and opens lists for their
    owners. It sends nothing: what is not signed does not go out.

    | task | what it does |
    |---|---|
    | begin | opens a run over the latest snapshot |
    | decide | twelve gates for every candidate, all of them recorded |
    | readiness | stops the run if the data do not carry the decisions |
    | plan | how many may begin today, and when each touch is due |
    | draft | the exact bytes each person would read |
    | ask_compliance | only after readiness stopped it: asks whether what may be waived is |
    | open_lists | freezes what is to be signed, one list per owner, touch, segment and channel |

    **Try it safely**: trigger it with *Dry run*, or with one segment and a small number of customers.
    """,
):
    tasks.playbook_run(PLAYBOOK)
