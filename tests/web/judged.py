"""Real runs judged by the real steps, for the pages of the readiness report: one that went on, one that stopped for
good, and one that compliance may let pass.

Judging takes seconds, so each is made once and copied for every test.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
from tests.builders import AS_OF, KEYS, case, contact, purchase, tables
from tests.steps.six import NOW, Six

from reactivation.evidence import RunFolder
from reactivation.ledger import questions, runs
from reactivation.ledger.engine import Ledger, open_ledger
from reactivation.ledger.questions import RequestId
from reactivation.steps.answers import bind_request, questions_to_ask, record_answer
from reactivation.steps.readiness import NotReady, check_readiness, record_told
from reactivation.steps.settings import Settings
from reactivation.steps.snapshot import take_snapshot
from reactivation.steps.workspace import Workspace

REQUEST = RequestId("ask_people", "scheduled__2026-11-17T11:00:00+00:00", "ask", 0)
PLAYBOOK_FILE = "playbooks/customer_reactivation.yaml"
#: Ids as a source with ill will would write them.
HOSTILE = ("<script>alert(1)</script>", "=cmd|' /C calc'!A0", "x" * 500, "k-\u202egnp.exe", "@SUM(1)", '"><img src=x>')


def begun(six: Six, *, minutes: int = 0) -> str:
    """A run of the source as it is, decided and judged; its id, whatever the verdict."""
    now = NOW + timedelta(minutes=minutes)
    take_snapshot(six.workspace, now=now, as_of=AS_OF + timedelta(minutes=minutes))
    run_id = six.decided(now)
    try:
        check_readiness(six.workspace, run_id, now)
    except NotReady:
        record_told(six.workspace, run_id, people=["own-cleo"], means="log", problem=None, now=now)
        record_told(six.workspace, run_id, people=["own-cleo"], means="mail", problem="no_connection", now=now)
    return run_id


def went_on(six: Six) -> str:
    """Ready, with a broken purchase set aside and a candidate whose owner nobody knows."""
    ada, _, *others = tables()["contacts"]
    broken = purchase("b-9", "c-ben", AS_OF - timedelta(days=90), amount="lots")
    six.write(
        contacts=[ada, contact("c-ben", owner_id="own-gone"), *others], purchases=[*tables()["purchases"], broken]
    )
    return begun(six)


def stopped(six: Six) -> str:
    """Cases that join nobody, by hostile ids: nobody may let that pass."""
    six.write(cases=[case(key, customer_id="nobody") for key in HOSTILE])
    return begun(six)


def stale(six: Six) -> str:
    """An export of yesterday, after two runs that went on: compliance may let it pass."""
    begun(six)
    begun(six, minutes=5)
    six.write(as_of=AS_OF - timedelta(hours=24))
    return begun(six, minutes=10)


MAKES: dict[str, Callable[[Six], str]] = {"went_on": went_on, "stopped": stopped, "stale": stale}


def made(name: str, home: Path, sqlite_template: Path) -> str:
    """That run below ``home``, ledger and all; its id."""
    ledger = _ledger(home, sqlite_template)
    run_id = MAKES[name](Six(home, ledger))
    ledger.close()
    return run_id


def opened(home: Path) -> Workspace:
    """A workspace over a home made before, on a clock ten minutes after the runs."""
    ledger = open_ledger(f"sqlite:///{home / 'ledger' / 'ledger.db'}")
    settings = Settings(
        home=home, ledger_url=ledger.name, address_keys=(b"k" * 32,), source=str(home / "source"),
        playbooks=home / "playbooks", owners=home / "owners.yaml", given_now=NOW + timedelta(minutes=20),
    )  # fmt: skip
    return Workspace(settings, ledger, KEYS)


def added(workspace: Workspace, like: str, rows: pa.Table | None, *, report: Mapping[str, Any] | None = None) -> str:
    """Another run, whose report is that of the run ``like`` unless given, with these rows concerned; its id."""
    with workspace.ledger.begin() as conn:
        run = runs.run_of(conn, like)
    run_id, first = str(uuid4()), workspace.run_folder(like)
    folder = RunFolder.create(workspace.run_folder(run_id).path, as_of=run.as_of, inputs=first.manifest["inputs"])
    files: dict[str, Any] = {"readiness.json": report or first.read_json("readiness.json")}
    digest = folder.add(files if rows is None else files | {"readiness_rows": rows})
    with workspace.ledger.begin() as conn:
        runs.begin_run(conn, **(vars(run) | {"run_id": run_id}))
        runs.record_step(
            conn, run_id, "readiness", state="succeeded", manifest_digest=digest, counts={}, now=workspace.now()
        )
    return run_id


def at(workspace: Workspace, **later: float) -> Workspace:
    """The same, later."""
    return replace(workspace, settings=replace(workspace.settings, given_now=workspace.now() + timedelta(**later)))


def asked(workspace: Workspace) -> Workspace:
    """The open question shown by Airflow's request."""
    (question,) = questions_to_ask(workspace, workspace.now())
    bind_request(workspace, REQUEST, question, workspace.now())
    return workspace


def waive(workspace: Workspace, code: str, user: str = "cleo") -> str:
    """That user's answer to the request; what came of it."""
    form = {"signing_code": code, "reason": "export_late", "hours": "4"}
    event = {
        "chosen_options": ["Waive for this run"],
        "params_input": form,
        "responded_by_user": {"id": user, "name": user},
    }
    return record_answer(workspace, REQUEST, event, workspace.now())


def question(workspace: Workspace, run_id: str) -> questions.QuestionRow | None:
    """The question about a run."""
    with workspace.ledger.begin() as conn:
        return questions.question_about(conn, "waive", run_id)


def _ledger(home: Path, sqlite_template: Path) -> Ledger:
    file = home / "ledger" / "ledger.db"
    file.parent.mkdir(parents=True)
    shutil.copyfile(sqlite_template, file)
    return open_ledger(f"sqlite:///{file}")
