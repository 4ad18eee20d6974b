"""For the tests of forgeries only: asks as ``ask_people`` does, but may be started by hand, under a chosen run id and
with any ``conf``. What must hold here holds where none of that is allowed."""

from __future__ import annotations

from airflow.sdk import DAG, task

from reactivation.orchestration.review import OwnerReviewOperator

with DAG("ask_by_hand", schedule=None, catchup=False, max_active_runs=64, default_args={"retries": 0}):

    @task
    def open_questions(dag_run: object = None) -> list[str]:
        """The question ids the run was triggered with."""
        found: list[str] = dag_run.conf["question_ids"]  # type: ignore[union-attr]
        return found

    OwnerReviewOperator.partial(task_id="ask").expand(question_id=open_questions())
