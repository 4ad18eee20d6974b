"""What ``make run`` and ``make demo`` have in common: sample, migrations, the first snapshot, and telling about it."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import requests
from rich.console import Console
from rich.table import Table

from reactivation.ledger import lists, runs
from reactivation.orchestration.connections import settings_from_environment
from reactivation.sample import dress, generate
from reactivation.steps.answers import questions_to_ask
from reactivation.steps.errors import EXPECTED_ERRORS
from reactivation.steps.funnel import funnel
from reactivation.steps.workspace import Workspace, open_workspace
from tools.api import Api
from tools.home import Home, LocalError
from tools.stack import Stack, port_of

PLAYBOOK = "customer_reactivation"
#: The playbooks beside it, which begin once somebody lets them.
OTHERS = ("dormant_account_outreach", "customers_not_active")
DAGS = ("take_snapshot", PLAYBOOK, *OTHERS, "ask_people", "send_due_touches", "record_outcomes", "purge")
CUSTOMERS, SEED = 400, 7
SAMPLE_LASTS = timedelta(hours=20)

console = Console()
say = partial(console.print, highlight=False, soft_wrap=True)


def start(
    stack: Stack, now: datetime, *, triggerer: bool = False, purchases: Path | None = None
) -> tuple[Workspace, Api]:
    """From an empty or used home to a running Airflow that has read our DAGs; also returns the operator's session.

    ``purchases``: a real history to make the company of, instead of the sample.
    """
    os.environ.update(stack.environment)  # what we read in this process is what the tasks read in theirs
    if purchases is None:
        _sample(stack.home, now)
    else:
        say(f"dressing {purchases.name} as a CRM")
        dress(purchases, stack.home.sample, seed=SEED)
    stack.run("migrating Airflow's database", "airflow", "db", "migrate")
    stack.run("migrating the ledger", "reactivation", "ledger", "upgrade")
    workspace = open_workspace(settings_from_environment())
    stack.start(triggerer=triggerer)
    stack.wait_until(partial(_healthy, stack.url), "a healthy Airflow", 240)
    operator = Api.log_in(stack.url, "operator", stack.home.passwords["operator"])
    for dag_id in DAGS:
        stack.wait_until(partial(_is_parsed, operator, dag_id), f"Airflow reading the DAG {dag_id}", 120)
    return workspace, operator


def first_run(stack: Stack, workspace: Workspace, operator: Api) -> str:
    """Triggers a snapshot and follows the playbook it sets off; returns the id of our run."""
    before = {run["dag_run_id"] for run in operator.runs(PLAYBOOK)}
    say("taking a snapshot of the sample CRM")
    follow(stack, operator, "take_snapshot", operator.trigger("take_snapshot"))
    say("deciding, judging readiness, planning, drafting")
    started: list[str] = []

    def playbook_started() -> bool:
        started[:] = [r["dag_run_id"] for r in operator.runs(PLAYBOOK) if r["dag_run_id"] not in before]
        return bool(started)

    stack.wait_until(playbook_started, f"the start of {PLAYBOOK} after the snapshot", 120)
    follow(stack, operator, PLAYBOOK, started[-1])
    with workspace.ledger.begin() as conn:
        run = runs.latest_run(conn, PLAYBOOK, step="open_lists")
    if run is None:
        raise LocalError(f"{PLAYBOOK} ended well but opened no lists; see {stack.url}/dags/{PLAYBOOK}")
    return run.run_id


def let_others_begin(operator: Api) -> None:
    """Ends the pause in which a new playbook waits."""
    for dag_id in OTHERS:
        operator.patch(f"/api/v2/dags/{dag_id}", {"is_paused": False})


def follow_others(stack: Stack, operator: Api) -> None:
    """Waits for the runs of the other playbooks that the snapshot set off."""
    for dag_id in OTHERS:
        stack.wait_until(lambda dag_id=dag_id: bool(operator.runs(dag_id)), f"the start of {dag_id}", 120)  # type: ignore[misc]
        follow(stack, operator, dag_id, operator.runs(dag_id)[0]["dag_run_id"])


def wait_until_asked(stack: Stack, workspace: Workspace) -> None:
    """Until every open question is shown by a request."""
    say("asking people")
    stack.wait_until(lambda: not questions_to_ask(workspace, workspace.now()), "asking every open question", 600)


def follow(stack: Stack, api: Api, dag_id: str, run_id: str, seconds: float = 300) -> None:
    """Waits for a DAG run to succeed; ``LocalError`` names the task that failed and where its log is."""
    stack.wait_until(lambda: api.run(dag_id, run_id)["state"] in ("success", "failed"), f"the end of {dag_id}", seconds)
    if api.run(dag_id, run_id)["state"] == "failed":
        failed = [t["task_id"] for t in api.tasks(dag_id, run_id) if t["state"] == "failed"]
        raise LocalError(
            f"{dag_id} failed at {', '.join(failed) or 'an unknown task'}. Why: the last lines below "
            f"{stack.home.logs / 'tasks' / f'dag_id={dag_id}' / f'run_id={run_id}'}, or {stack.url}/dags/{dag_id}"
        )


def show_funnel(workspace: Workspace, run_id: str) -> None:
    """Prints how many were quiet, what stopped whom, and what waits."""
    _print_table(f"{PLAYBOOK} · run {run_id}", ("stage", "number"), funnel(workspace, run_id).items())


def show_lists(workspace: Workspace, url: str) -> None:
    """Prints every open list with who may sign it and its page."""
    with workspace.ledger.begin() as conn:
        shown = [
            (one, len(lists.items_of(conn, one.list_id)), [s.user_id for s in lists.signers_of(conn, one.list_id)])
            for one in lists.open_lists(conn)
        ]
    say(f"\n{len(shown)} lists wait for a signature:")
    for one, items, signers in shown:
        what = f"{one.kind} · touch {one.touch_number} · {one.segment} · {one.channel}"
        say(f"  {what:40} {items:4} items   {' or '.join(signers):12} {url}/reactivation/lists/{one.list_id}")


def main(work: Callable[[Path, int], int]) -> NoReturn:
    """Runs ``work(home, port)`` with clear endings: 0, 1 with a message, 130 when interrupted on the way."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a shell starts background work with INT ignored
        signal.signal(number, signal.default_int_handler)
    home = Path(os.environ.get("REACTIVATION_HOME") or ".reactivation").absolute()
    try:
        code = work(home, port_of(os.environ))
    except (LocalError, *EXPECTED_ERRORS) as error:
        Console(stderr=True).print(f"\n{error}", style="bold red", markup=False, highlight=False, soft_wrap=True)
        code = 1
    except KeyboardInterrupt:
        say("stopped")
        code = 130
    sys.exit(code)


def _sample(home: Home, now: datetime) -> None:
    """Generates the sample CRM, or keeps the one there is while it is fresh enough to decide on."""
    with suppress(FileNotFoundError):
        speaks_as_of = datetime.fromisoformat(json.loads((home.sample / "source.json").read_text())["as_of"])
        if timedelta(0) <= now - speaks_as_of < SAMPLE_LASTS:
            say(f"using the sample CRM in {home.sample}")
            return
    say(f"generating a sample CRM of {CUSTOMERS} customers")
    as_of = (now - timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    generate(home.sample, customers=CUSTOMERS, seed=SEED, as_of=as_of)


def _healthy(url: str) -> bool:
    with suppress(requests.RequestException, ValueError, KeyError):
        parts = requests.get(f"{url}/api/v2/monitor/health", timeout=5).json()
        return all(parts[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))
    return False


def _is_parsed(api: Api, dag_id: str) -> bool:
    return api.call("GET", f"/api/v2/dags/{dag_id}").ok


def _print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console.print(table)
