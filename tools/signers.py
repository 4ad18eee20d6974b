"""Three people answer, each as himself through Airflow's REST API: one signs, one signs some and holds the rest, one
rejects. What they read is the same page a person would read."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reactivation.ledger import lists, questions
from reactivation.ledger.lists import ListRow
from reactivation.steps.workspace import Workspace
from tools.api import OUT_OF_ORDER, Api
from tools.home import Home, LocalError
from tools.stack import Stack

SIGNS, SIGNS_SOME, REJECTS = "ada", "ben", "olu"

#: A request answered within a moment of its opening can fail inside Airflow.
_SETTLED = timedelta(seconds=8)


@dataclass(frozen=True)
class Task:
    """An open list, the Airflow request that asks about it, and who answers."""

    asked: ListRow
    request: Mapping[str, Any]
    signer: str


def answer_all(stack: Stack, workspace: Workspace, home: Home, operator: Api) -> dict[str, int]:
    """Everybody answers what he is asked; returns how many lists each user answered.

    An answer that Airflow could not take, or lost, on a busy machine is given again, as a person would: its request
    still waits, or opens again.
    """
    answered: dict[str, set[str]] = {}
    everything = set(_open(workspace))
    stack.wait_until(lambda: everything <= set(_waiting(workspace, operator)), "every request waiting", 240)

    def nothing_is_open() -> bool:
        for task in _waiting(workspace, operator).values():
            if _answer(task, Api.log_in(stack.url, task.signer, home.passwords[task.signer])):
                answered.setdefault(task.signer, set()).add(task.asked.list_id)
        return not _open(workspace)

    stack.wait_until(nothing_is_open, "recording every answer in the ledger", 300)
    return {user: len(lists_) for user, lists_ in answered.items()}


def _answer(task: Task, api: Api) -> bool:
    """Whether Airflow took the answer; ``LocalError`` when it refuses it."""
    option, form = _decision(task, _read(api, task.asked.list_id))
    _wait_until_settled(task.request)
    response = api.respond(task.request["task_instance"], option, form)
    if not response.ok and response.status_code < OUT_OF_ORDER:
        raise LocalError(f"{task.signer} could not answer: {response.status_code} {response.text[:300]}")
    return bool(response.ok)


def _waiting(workspace: Workspace, operator: Api) -> dict[str, Task]:
    """By question, every open list whose request waits for an answer now."""
    asked = _open(workspace)
    found = {}
    for request in operator.requests_open():
        ti = request["task_instance"]
        found[ti["dag_run_id"], ti["map_index"]] = request
    with workspace.ledger.begin() as conn:
        shown = {question: questions.request_of(conn, question) for question in sorted(asked)}
        signers = {question: {s.user_id for s in lists.signers_of(conn, asked[question].list_id)} for question in asked}
    return {
        question: Task(asked[question], found[one.dag_run_id, one.map_index], _signer(signers[question]))
        for question, one in shown.items()
        if one is not None and (one.dag_run_id, one.map_index) in found
    }


def _open(workspace: Workspace) -> dict[str, ListRow]:
    with workspace.ledger.begin() as conn:
        by_list = questions.question_ids_of_lists(conn)
        return {by_list[one.list_id]: one for one in lists.open_lists(conn)}


def _signer(may_sign: set[str]) -> str:
    for user in (SIGNS, SIGNS_SOME, REJECTS):
        if user in may_sign:
            return user
    raise LocalError(f"nobody here may sign a list of {', '.join(sorted(may_sign))}")


def _read(api: Api, list_id: str) -> dict[str, Any]:
    """Every page of a list, as its signer sees it; the code appears once enough was on the screen."""
    first: dict[str, Any] = api.get(f"/reactivation/lists/{list_id}.json", page=1)
    pages = [first]
    for number in range(2, int(first["pages"]) + 1):
        pages.append(api.get(f"/reactivation/lists/{list_id}.json", page=number))
    code = pages[-1]["signing_code"] or api.get(f"/reactivation/lists/{list_id}.json", page=1)["signing_code"]
    if not code:
        raise LocalError(f"{api.user} read all of list {list_id} and was shown no signing code")
    return {"signing_code": code, "items": [item for page in pages for item in page["items"]]}


def _decision(task: Task, page: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The option and the form. Every second item is left out by the one who signs some."""
    points = {name: "ok" for name in task.request["params"] if name.startswith("point_")}
    form = {"signing_code": page["signing_code"], "left_out": "", "individual": "", "reason": ""} | points
    positions = [str(item["position"]) for item in page["items"]]
    individual = [str(item["position"]) for item in page["items"] if item["individual"]]
    if task.signer == REJECTS:
        return "Reject all", form | {"reason": "offer"}
    left_out = positions[1::2] if task.signer == SIGNS_SOME else []
    agreed = [number for number in individual if number not in left_out]
    reason = "timing" if left_out else ""
    return "Sign", form | {"left_out": ", ".join(left_out), "individual": ", ".join(agreed), "reason": reason}


def _wait_until_settled(request: Mapping[str, Any]) -> None:
    opened = datetime.fromisoformat(request["created_at"])
    time.sleep(max(0.0, (opened + _SETTLED - datetime.now(UTC)).total_seconds()))
