"""The tasks that may find the data not ready: they fail at once, link to the report, and tell compliance.

What stops the run is in the ledger, where the next step looks: a task marked as successful lets nothing pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk.exceptions import AirflowFailException

from reactivation.orchestration.links import PREFIX, ReportLink

if TYPE_CHECKING:
    from airflow.sdk import Context


class JudgingOperator(PythonOperator):
    """Calls a step; ``NotReady`` is the end of it, without another try."""

    operator_extra_links = (ReportLink(),)

    def execute(self, context: Context) -> Any:
        """What the step returns. The failure's message is the paragraph that a marketer understands."""
        from reactivation.orchestration.telling import tell_compliance
        from reactivation.steps.readiness import NotReady

        try:
            return super().execute(context)
        except NotReady as stopped:
            page = f"{PREFIX}/readiness/{stopped.kind}s/{stopped.subject_id}"
            context["ti"].xcom_push(key=ReportLink().xcom_key, value=page)
            tell_compliance(stopped, page, context)
            raise AirflowFailException(str(stopped)) from stopped
