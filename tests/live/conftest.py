"""One live Airflow for all tests here, with the product in it and lists that wait for their signers."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select
from tools.api import Api, instance_path
from tools.demo import NOW as DEMO_NOW
from tools.home import REPOSITORY, USERS, Home
from tools.product import start
from tools.stack import Stack

from reactivation import paths
from reactivation.approvals import ListToSign, signing_code
from reactivation.ledger import lists, questions, tables
from reactivation.ledger.lists import ListItem, ListRow, ListSigner
from reactivation.playbooks.owners import Signer
from reactivation.steps.dispatch import dispatch
from reactivation.steps.whole import RunRequest, run_playbook
from reactivation.steps.workspace import Workspace

#: The sample speaks of the full hour before the last: an hour and a half ago.
NOW = DEMO_NOW + timedelta(minutes=30)
ASKING = "ask_by_hand"
ITEMS = 2
#: A request answered within a moment of its opening can fail inside Airflow.
SETTLED_SECONDS = 6
#: A notifier whose post office is closed.
NOTIFIER = {
    "notifier": "airflow.providers.http.notifications.HttpNotifier",
    "arguments": {"http_conn_id": "compliance", "json": {"text": "{{ stopped.message }} {{ stopped.page }}"}},
}


@dataclass(frozen=True)
class Asked:
    """A list of a test's own with its question."""

    list_id: str
    question_id: str
    signing_code: str
    touch_ids: frozenset[str]


@dataclass
class Live:
    """The running product, everybody's session, and a supply of lists."""

    stack: Stack
    workspace: Workspace
    run_id: str
    users: dict[str, Api]
    model: ListRow
    touches: list[ListItem]
    taken: int = field(default=0)

    # --- lists ------------------------------------------------------------------------------------------------------
    def new_list(self, signers: tuple[str, ...] = ("ada", "ben")) -> Asked:
        """A list of two touches that no other test has, opened in the ledger as the product opens lists."""
        mine = self.touches[self.taken : self.taken + ITEMS]
        assert len(mine) == ITEMS, "the sample has too few drafted touches for these tests"
        self.taken += ITEMS
        list_id, question_id, model = str(uuid4()), str(uuid4()), self.model
        to_sign = ListToSign(
            kind="content", playbook=model.playbook, owner_id=model.owner_id, segment=model.segment,
            touch_number=model.touch_number, channel=model.channel, offer_id=None, offer_terms=None, cost=None,
            currency=None, authors=tuple(model.authors), expires_at=model.expires_at,
            signers=tuple(Signer(user, f"own-{user}", "marketing_owner", user) for user in signers),
            items=tuple(
                ListItem(n, i.touch_id, i.customer_id, i.draft_digest, False, ()) for n, i in enumerate(mine, start=1)
            ),
        )  # fmt: skip
        digest = to_sign.digest(list_id)
        row = vars(model) | {"list_id": list_id, "digest": digest, "signing_code": signing_code(digest)}
        with self.workspace.ledger.begin() as conn:
            if signers:
                as_signers = [ListSigner(s.user_id, s.owner_id, s.role) for s in to_sign.signers]
                lists.insert_list(conn, row, to_sign.items, as_signers)
            else:  # which the product never does
                conn.execute(insert(tables.lists).values(row))
            questions.insert_question(
                conn, question_id=question_id, kind="sign_list", subject=list_id, list_id=list_id,
                opened_at=model.opened_at, expires_at=model.expires_at,
            )  # fmt: skip
        return Asked(list_id, question_id, row["signing_code"], frozenset(i.touch_id for i in mine))

    def form(self, asked: Asked, user: str, **changes: str) -> dict[str, str]:
        """What a diligent signer fills in after reading the page."""
        page = self.users[user].get(f"/reactivation/lists/{asked.list_id}.json", page=1)
        blank = {"signing_code": page["signing_code"], "left_out": "", "individual": "", "reason": ""}
        return blank | {f"point_{point}": "ok" for point in page["review_points"]} | changes

    # --- requests ---------------------------------------------------------------------------------------------------
    def ask(self, *question_ids: str, run_id: str | None = None, **conf: str) -> list[dict[str, Any]]:
        """Opens requests by hand, as no user of the product can; returns their task instances once they wait."""
        body: dict[str, Any] = {"logical_date": None, "conf": {"question_ids": list(question_ids), **conf}}
        if run_id is not None:
            body["dag_run_id"] = run_id
        run = self.users["operator"].post(f"/api/v2/dags/{ASKING}/dagRuns", body)
        self.until(lambda: len(self.waiting(run["dag_run_id"])) == len(question_ids), "every request to wait")
        return self.waiting(run["dag_run_id"])

    def waiting(self, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run that wait for an answer, in the order of their questions."""
        found = [r["task_instance"] for r in self.users["operator"].requests_open(ASKING)]
        mine = [ti for ti in found if ti["dag_run_id"] == run_id]
        return sorted(mine, key=lambda ti: int(ti["map_index"]))

    def request(self, ti: Mapping[str, Any]) -> dict[str, Any]:
        """What a request shows."""
        shown: dict[str, Any] = self.users["operator"].get(f"{instance_path(ti)}/hitlDetails")
        return shown

    def state(self, ti: Mapping[str, Any]) -> str:
        """The state of a task instance."""
        state: str = self.users["operator"].get(instance_path(ti))["state"]
        return state

    def answer(self, ti: Mapping[str, Any], user: str, option: str, form: Mapping[str, str]) -> int:
        """Answers as a user, waits until the answer was dealt with; returns the HTTP status."""
        time.sleep(SETTLED_SECONDS)
        status = self.users[user].respond(ti, option, form).status_code
        if status == 200:
            self.until(lambda: self.state(ti) in ("success", "failed", "skipped"), "the answer to be recorded")
        return status

    def until(self, done: Any, what: str) -> None:
        """Waits, with a limit."""
        self.stack.wait_until(done, what, 240)

    # --- what the ledger says ---------------------------------------------------------------------------------------
    def list_state(self, asked: Asked) -> str:
        """The state of a list."""
        with self.workspace.ledger.begin() as conn:
            row = lists.list_of(conn, asked.list_id)
        assert row is not None
        return row.state

    def refusals(self, asked: Asked) -> list[str | None]:
        """Why each recorded answer to a list does not count."""
        with self.workspace.ledger.begin() as conn:
            found = conn.scalars(
                select(tables.answers.c.refusal).where(tables.answers.c.question_id == asked.question_id)
            )
            return list(found)

    def sent_of(self, asked: Asked) -> set[str]:
        """Which touches of a list went out, after the dispatcher has had its chance."""
        dispatch(self.workspace, self.workspace.now())
        with self.workspace.ledger.begin() as conn:
            signed = set(
                conn.scalars(
                    select(tables.item_verdicts.c.touch_id).where(
                        tables.item_verdicts.c.list_id == asked.list_id, tables.item_verdicts.c.verdict == "signed"
                    )
                )
            )
            rows = conn.execute(select(tables.sends.c.send_id, tables.sends.c.touch_id, tables.sends.c.state)).all()
        sent = {row.touch_id for row in rows if row.touch_id in asked.touch_ids}
        in_outbox = {file.stem for file in self.workspace.settings.outbox.glob("*.eml")}
        assert {row.send_id for row in rows if row.state == "accepted"} == in_outbox
        assert sent <= signed
        return sent


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Airflow with every DAG of ours and one for forgeries. The lists are opened by the command line's path, which
    leaves the asking to the tests."""
    folder = tmp_path_factory.mktemp("dags")
    for file in [*(REPOSITORY / "dags").glob("*.py"), *(Path(__file__).parent / "dags").glob("*.py")]:
        shutil.copy(file, folder)
    home = Home(tmp_path_factory.mktemp("live") / "home")
    owners = Path(shutil.copy(paths.OWNERS, folder.with_name("owners.yaml")))
    playbooks = Path(shutil.copytree(paths.PLAYBOOKS, folder.with_name("playbooks")))
    overrides = {
        "REACTIVATION_NOW": NOW.isoformat(), "REACTIVATION_OWNERS": str(owners),
        "REACTIVATION_PLAYBOOKS": str(playbooks), "AIRFLOW_CONN_COMPLIANCE": "http://127.0.0.1:9",
        "REACTIVATION_NOTIFIER": json.dumps(NOTIFIER),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
    }  # fmt: skip
    with Stack(home, _free_port(), say=print, overrides=overrides) as stack:
        workspace, _ = start(stack, NOW)
        users = {user: Api.log_in(stack.url, user, home.passwords[user]) for user in USERS}
        request = RunRequest("customer_reactivation", segment="household", triggered_by="schedule")
        run_id = run_playbook(workspace, request, now=workspace.now(), as_of=None, say=print)
        model, touches = _household(workspace)
        yield Live(stack, workspace, run_id, users, model, touches)


def _household(workspace: Workspace) -> tuple[ListRow, list[ListItem]]:
    """The longest list of first messages, as a model, and its group items."""
    with workspace.ledger.begin() as conn:
        found = [one for one in lists.open_lists(conn) if one.kind == "content" and one.touch_number == 1]
        items = {one.list_id: [i for i in lists.items_of(conn, one.list_id) if not i.individual] for one in found}
    model = max(found, key=lambda one: len(items[one.list_id]))
    return model, items[model.list_id]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
