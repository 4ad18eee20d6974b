"""The two-e-mail recipe for customers not active: decides, plans both e-mails, and opens the lists that people sign."""

from __future__ import annotations

from airflow.sdk import DAG

from reactivation.orchestration import tasks

PLAYBOOK = "customers_not_active"

with DAG(
    PLAYBOOK,
    dag_display_name="Customers not active",
    description="Two e-mails to customers who neither bought, opened, clicked nor visited in 90 days",
    is_paused_upon_creation=True,  # a playbook begins when somebody decides that it does
    **tasks.playbook_settings(PLAYBOOK, segments=("household", "care_plan", "business")),
    doc_md="""
    ### Customers not active

    The segment *Customers Not Active* gets one e-mail and, if nothing came back four days after it really went out, a
    second one; three days after that, whoever stayed away is tagged. Whoever is a candidate of a playbook that goes
    first is left to that one. It sends nothing: what is not signed does not go out.

    | task | what it does |
    |---|---|
    | begin | opens a run over the latest snapshot |
    | decide | twelve gates for every candidate, all of them recorded |
    | readiness | stops the run if the data do not carry the decisions |
    | plan | how many may begin today, and when each e-mail is due |
    | draft | the exact bytes each person would read |
    | ask_compliance | only after readiness stopped it: asks whether what may be waived is |
    | open_lists | freezes what is to be signed, one list per owner, e-mail and segment |

    **Try it safely**: trigger it with *Dry run*, or with one segment and a small number of customers.
    """,
):
    tasks.playbook_run(PLAYBOOK)
