"""The playbook for accounts gone quiet: a brief for each, and its owner decides, account by account."""

from __future__ import annotations

from airflow.sdk import DAG

from reactivation.orchestration import tasks

PLAYBOOK = "dormant_account_outreach"

with DAG(
    PLAYBOOK,
    dag_display_name="Dormant account outreach",
    description="Why each quiet account went quiet, what to do next, and the question to its owner",
    is_paused_upon_creation=True,  # a playbook begins when somebody decides that it does
    **tasks.playbook_settings(PLAYBOOK, segments=("household", "care_plan", "business")),
    doc_md="""
    ### Dormant account outreach

    Starts with why an account went quiet, not with a comeback message. Each dormant account gets a path: led by its
    owner, left to the playbook of its contacts, suppressed or delayed. Its owner decides about each by name: write,
    hold until a day, close, monitor, leave alone, or resolve the issue first. Nothing is approved in bulk, and it sends
    nothing: what is not signed does not go out.

    | task | what it does |
    |---|---|
    | begin | opens a run over the latest snapshot |
    | decide | twelve gates for every dormant account, and its path |
    | readiness | stops the run if the data do not carry the decisions |
    | plan | how many may begin today, and when each message is due |
    | draft | the exact bytes each recipient would read, with at least two facts of the account |
    | ask_compliance | only after readiness stopped it: asks whether what may be waived is |
    | open_lists | one question per account to its owner, with the message where there is one |

    **Try it safely**: trigger it with *Dry run*, or with one segment and a small number of accounts.
    """,
):
    tasks.playbook_run(PLAYBOOK)
