"""The one way the product asks a person something: an Airflow request that shows a question frozen in the ledger.

Nothing Airflow hands back is believed except who answered what: which question a request shows is read from the
ledger, where its first ``execute`` wrote it. A mapped argument, an XCom, a run's ``conf`` or a task's state can be
edited by any user and decide nothing here.

Source: ARCHITECTURE.md, A day, 3.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from reactivation.orchestration.links import PageLink

if TYPE_CHECKING:
    from airflow.sdk import Context

    from reactivation.approvals.form import FormField
    from reactivation.ledger.questions import RequestId
    from reactivation.steps.bound import BoundQuestion

LONGEST_WAIT = timedelta(days=3)
#: What silence means, whatever else a request offers. The options themselves come with the question.
SILENCE = "Hold all"


class OwnerReviewOperator(HITLOperator):
    """Asks the signers of one question and records what they answer in the ledger. Map it with
    ``.partial(task_id=…).expand(question_id=…)``, never inside a mapped task group.

    ``template_fields`` is empty: what a request shows must never be rendered as a template.
    """

    template_fields: Collection[str] = ()
    operator_extra_links = (PageLink(),)

    def __init__(self, *, question_id: str, **kwargs: Any) -> None:
        super().__init__(
            subject="A question", options=[SILENCE], defaults=SILENCE, response_timeout=LONGEST_WAIT, **kwargs
        )
        self.question_id = question_id

    def execute(self, context: Context) -> NoReturn:
        """Bind this request to its question, show it, and wait. The second try of a request shows what the first did.

        Everything shown is built here from the ledger, with constant defaults: what the run was triggered with must not
        fill in the signer's form.
        """
        bound = self._bind(context)
        if not bound.signers:  # Airflow reads "assigned to nobody" as "anybody may answer"
            raise AirflowFailException(f"question {bound.question_id} has no signers; nobody is asked")
        self.subject = bound.subject
        self.body = bound.body
        self.options = list(bound.options)
        self.defaults = [bound.default]
        self.params = ParamsDict({field.name: _param(field) for field in bound.form})
        self.assigned_users = [{"id": signer.user_id, "name": signer.name} for signer in bound.signers]
        context["ti"].xcom_push(key=PageLink().xcom_key, value=bound.page)
        super().execute(context)
        raise AssertionError("the request was not parked")

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, str]:
        """Record the answer, whatever it is. Only the ledger says what it amounts to; the return value is a code."""
        from reactivation.orchestration.rooms import explained, open_rooms
        from reactivation.steps.answers import record_answer

        with explained():
            workspace = open_rooms()
            outcome = record_answer(workspace, request_of(context), event, workspace.now())
        self.log.info("Recorded: %s", outcome)
        return {"outcome": outcome}

    def _bind(self, context: Context) -> BoundQuestion:
        from reactivation.orchestration.rooms import explained, open_rooms
        from reactivation.steps.answers import RequestRefused, bind_request

        with explained():
            workspace = open_rooms()
            try:
                bound = bind_request(workspace, request_of(context), self.question_id, workspace.now())
            except RequestRefused as refused:
                raise AirflowSkipException(f"nothing to ask: {refused.code}") from None
            self.response_timeout = min(LONGEST_WAIT, bound.expires_at - workspace.now())
            return bound


def request_of(context: Context) -> RequestId:
    """Which request this is, as Airflow itself names it."""
    from reactivation.ledger.questions import RequestId

    ti = context["ti"]
    return RequestId(ti.dag_id, ti.run_id, ti.task_id, -1 if ti.map_index is None else ti.map_index)


def _param(field: FormField) -> Param:
    """An optional text: where one field must be filled in, Airflow's page lets nobody press *Hold all*."""
    choices: dict[str, Sequence[str]] = {"enum": list(field.choices)} if field.choices else {}
    return Param("", type=["null", "string"], title=field.title, description=field.description, **choices)
