"""Airflow's public REST API as one user sees it, and the product's pages beside it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote

import requests
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential

from tools.home import LocalError

#: From this status on the server says that it is at fault, not the request.
OUT_OF_ORDER = 500

_TIMEOUT = 60

#: What Airflow says when a statement failed and the transaction of the whole request was rolled back.
_ROLLED_BACK = "Database error"


@dataclass(frozen=True)
class Api:
    """A user's session: his own token, nobody else's rights."""

    url: str
    user: str
    token: str = field(repr=False)

    @classmethod
    def log_in(cls, url: str, user: str, password: str) -> Api:
        """Raises ``LocalError`` when Airflow does not accept the password."""
        answer = requests.post(f"{url}/auth/token", json={"username": user, "password": password}, timeout=_TIMEOUT)
        if answer.status_code != 201:
            raise LocalError(f"Airflow does not let {user} in: {answer.status_code} {answer.text[:200]}")
        return cls(url, user, answer.json()["access_token"])

    def call(
        self, method: str, path: str, body: Any = None, params: Mapping[str, Any] | None = None
    ) -> requests.Response:
        """One request to a path below the server's root; whatever the status.

        A local Airflow keeps its tables in SQLite: who meets its one writer is answered 500, and asks again where
        that cannot do a thing twice.
        """
        again = Retrying(
            retry=retry_if_result(_undone), wait=wait_exponential(), stop=stop_after_attempt(4),
            retry_error_callback=_last_answer,
        )  # fmt: skip
        answer: requests.Response = again(
            requests.request, method, f"{self.url}{path}", json=body, params=params, timeout=_TIMEOUT,
            headers={"Authorization": f"Bearer {self.token}"},
        )  # fmt: skip
        return answer

    def get(self, path: str, **params: Any) -> Any:
        """The JSON at a path; ``LocalError`` for anything but success."""
        return self._body(self.call("GET", path, params=params))

    def post(self, path: str, body: Any) -> Any:
        """The JSON of the answer; ``LocalError`` for anything but success."""
        return self._body(self.call("POST", path, body))

    def patch(self, path: str, body: Any) -> Any:
        """The JSON of the answer; ``LocalError`` for anything but success."""
        return self._body(self.call("PATCH", path, body))

    # --- runs -------------------------------------------------------------------------------------------------------
    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Starts a DAG by hand; returns the id of the DAG run."""
        run: str = self.post(f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})["dag_run_id"]
        return run

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The latest runs of a DAG, newest first."""
        page = self.get(f"/api/v2/dags/{dag_id}/dagRuns", order_by="-run_after", limit=50)
        found: list[dict[str, Any]] = page["dag_runs"]
        return found

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """One DAG run."""
        found: dict[str, Any] = self.get(f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}")
        return found

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        found: list[dict[str, Any]] = self.get(path, limit=100)["task_instances"]
        return found

    # --- requests to people -----------------------------------------------------------------------------------------
    def requests_open(self, dag_id: str = "ask_people") -> list[dict[str, Any]]:
        """The human-in-the-loop requests that wait for an answer, each with its task instance."""
        found: list[dict[str, Any]] = self.get(
            "/api/v2/dags/~/dagRuns/~/hitlDetails", dag_id_pattern=dag_id, state="awaiting_input",
            response_received="false", limit=100,
        )["hitl_details"]  # fmt: skip
        return found

    def respond(self, task_instance: Mapping[str, Any], option: str, form: Mapping[str, str]) -> requests.Response:
        """Answers one request as this user."""
        return self.call("PATCH", f"{instance_path(task_instance)}/hitlDetails",
                         {"chosen_options": [option], "params_input": dict(form)})  # fmt: skip

    def _body(self, answer: requests.Response) -> Any:
        if not answer.ok:
            raise LocalError(
                f"{answer.request.method} {answer.request.path_url} as {self.user}: {answer.status_code} "
                f"{answer.text[:300]}"
            )
        return answer.json() if answer.content else None


def _undone(answer: requests.Response) -> bool:
    if answer.status_code != OUT_OF_ORDER:
        return False
    return answer.request.method == "GET" or _ROLLED_BACK in answer.text


def _last_answer(state: RetryCallState) -> requests.Response:
    return cast("Future[requests.Response]", state.outcome).result()


def instance_path(task_instance: Mapping[str, Any]) -> str:
    """The path of a mapped task instance in the REST API."""
    ti = task_instance
    run = quote(ti["dag_run_id"], safe="")
    return f"/api/v2/dags/{ti['dag_id']}/dagRuns/{run}/taskInstances/{ti['task_id']}/{ti['map_index']}"
