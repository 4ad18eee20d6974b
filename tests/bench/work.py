"""One piece of work in a process of its own: ``python -m tests.bench.work NAME JSON`` prints what it took as JSON.

Seconds are of the work alone, without imports and preparation; memory is the peak of the whole process.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench import data

from reactivation.evidence import open_engine
from reactivation.evidence.engine import quoted
from reactivation.ledger import migrations
from reactivation.sample import generate
from reactivation.sources.summaries import SUMMARISED, add_facts, add_told, condensed
from reactivation.sources.values import install_macros
from reactivation.steps.begin import begin_run
from reactivation.steps.decide import decide_run
from reactivation.steps.draft import draft_run
from reactivation.steps.plan import plan_run
from reactivation.steps.readiness import check_readiness
from reactivation.steps.settings import Settings
from reactivation.steps.snapshot import take_snapshot
from reactivation.steps.workspace import Workspace, open_workspace

Told = dict[str, Any]
Counts = dict[str, Any]


class Clock:
    """Seconds by part, in the order of the parts."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Times the block."""
        began = time.perf_counter()
        yield
        self.parts[name] = round(time.perf_counter() - began, 2)


def sample(*, folder: str, customers: int) -> Told:
    """The generator: customers with about ten purchases and twenty engagements each, to Parquet."""
    out, clock = Path(folder) / "generated", Clock()
    shutil.rmtree(out, ignore_errors=True)
    with clock.part("generate"):
        made = generate(out, customers=customers, seed=data.SEED, as_of=data.AS_OF, format="parquet")
    shutil.rmtree(out)
    return {"parts": clock.parts, "rows": {name: made.rows[name] for name in ("contacts", "purchases", "engagements")}}


def begin(*, folder: str, customers: int, enrolments: int) -> Told:
    """An empty home with the playbook of so many enrolments a day, and the CRM."""
    data.crm(Path(folder), customers)
    data.playbooks(_empty(Path(folder) / "home") / "playbooks", enrolments)
    return {"parts": {}}


def step(*, folder: str, customers: int, ledger: str, name: str, run_id: str) -> Told:
    """One step of a real run over that home; ``snapshot`` begins the run too. None of ``STEPS`` is left out."""
    if name in JUDGING:
        import great_expectations  # noqa: F401

    clock = Clock()
    with _workspace(Path(folder) / "home", data.crm(Path(folder), customers), ledger) as workspace, clock.part(name):
        run_id, counts = STEPS[name](workspace, run_id)
    return {"parts": clock.parts, "run_id": run_id, "counts": counts}


def prepare_drafts(*, folder: str, customers: int, enrolments: int) -> Told:
    """A home in which so many first touches are due for drafting, and the run they belong to."""
    crm, home = data.crm(Path(folder), customers), _empty(Path(folder) / "home")
    data.playbooks(home / "playbooks", enrolments)
    run_id = ""
    with _workspace(home, crm, "") as workspace:
        for work in STEPS.values():
            run_id, _ = work(workspace, run_id)
    return {"run_id": run_id}


def drafts(*, folder: str, customers: int, run_id: str) -> Told:
    """The drafting step over the touches that are due: rendered, checked, digested, and entered in the ledger."""
    crm, clock, home = data.crm(Path(folder), customers), Clock(), Path(folder) / "home"
    with _workspace(home, crm, "") as workspace, clock.part("draft"):
        counts = draft_run(workspace, run_id, data.NOW)
    shutil.rmtree(home)
    return {"parts": clock.parts, "rows": {name: counts[name] for name in ("due", "drafted")}}


def bare(*, folder: str, customers: int) -> Told:
    """DuckDB alone on the same files, with the same SQL: both summaries, nothing read off, checked or written."""
    crm, clock = data.crm(Path(folder), customers), Clock()
    with open_engine() as engine:
        install_macros(engine)
        for name in SUMMARISED.values():
            file = quoted(str(crm / f"{name}.parquet"))
            engine.execute(f"CREATE VIEW typed_{name} AS SELECT *, false AS bad FROM read_parquet({file})")  # noqa: S608
        add_facts(engine)
        add_told(engine, {})
        for name in SUMMARISED:
            with clock.part(name):
                condensed(engine, name, data.AS_OF).read_all()
    return {"parts": clock.parts, "rows": {}}


def _snapshot(workspace: Workspace, _: str) -> tuple[str, Counts]:
    snapshot_id = take_snapshot(workspace, now=data.NOW)
    run_id = begin_run(
        workspace, data.PLAYBOOK, now=data.NOW, dry=False, triggered_by="bench", snapshot_id=snapshot_id
    )  # fmt: skip
    return run_id, {}


def _decide(workspace: Workspace, run_id: str) -> tuple[str, Counts]:
    return run_id, decide_run(workspace, run_id, data.NOW)


def _readiness(workspace: Workspace, run_id: str) -> tuple[str, Counts]:
    check_readiness(workspace, run_id, data.NOW)
    return run_id, {}


def _plan(workspace: Workspace, run_id: str) -> tuple[str, Counts]:
    return run_id, plan_run(workspace, run_id, data.NOW)


#: From the CRM to enrolments and first touches in the ledger, in order: each gets the run's id and tells it on.
STEPS: dict[str, Callable[[Workspace, str], tuple[str, Counts]]] = {
    "snapshot": _snapshot, "decide": _decide, "readiness": _readiness, "plan": _plan,
}  # fmt: skip
#: Those that ask Great Expectations; importing it is not their work.
JUDGING = ("snapshot", "readiness")


@contextmanager
def _workspace(home: Path, crm: Path, ledger: str) -> Iterator[Workspace]:
    """The rooms over a home, its ledger migrated."""
    settings = Settings(
        home=home, ledger_url=ledger or f"sqlite:///{home / 'ledger' / 'ledger.db'}",
        address_keys=(b"the address key of the figures",), source=str(crm), environment="bench",
        owners=crm / "owners.yaml", playbooks=home / "playbooks", given_now=data.NOW,
    )  # fmt: skip
    migrations.upgrade(settings.ledger_url)
    workspace = open_workspace(settings)
    try:
        yield workspace
    finally:
        workspace.ledger.close()


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


WORK: dict[str, Callable[..., Told]] = {
    "sample": sample, "begin": begin, "step": step, "prepare_drafts": prepare_drafts, "drafts": drafts, "bare": bare,
}  # fmt: skip


if __name__ == "__main__":
    told = WORK[sys.argv[1]](**json.loads(sys.argv[2]))
    print(json.dumps(told | {"peak": _peak()}))  # noqa: T201
