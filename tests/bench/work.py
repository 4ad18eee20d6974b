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

import pyarrow as pa
import pyarrow.compute as pc
from tests.bench import crowd, data, science, sending

from reactivation import paths
from reactivation.evidence import SnapshotFolder, open_engine
from reactivation.evidence.engine import quoted
from reactivation.ledger import migrations, runs
from reactivation.policy import candidates
from reactivation.policy.columns import frame_of
from reactivation.readiness import CANDIDATE_COLUMNS, frames, judge
from reactivation.readiness.data_docs import data_docs
from reactivation.sample import generate
from reactivation.sources.summaries import SUMMARISED, add_facts, add_told, condensed
from reactivation.sources.values import install_macros
from reactivation.steps.begin import begin_run
from reactivation.steps.decide import decide_run, gathered
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
    home = _empty(Path(folder) / "home")
    data.playbooks(home / "playbooks", enrolments)
    data.tenant(home, enrolments)
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
    data.tenant(home, enrolments)
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


def prepare_sends(*, folder: str, customers: int, enrolments: int, ledger: str) -> Told:
    """A home in which so many first touches are signed and due."""
    begin(folder=folder, customers=customers, enrolments=enrolments)
    run_id = ""
    with _workspace(Path(folder) / "home", data.crm(Path(folder), customers), ledger) as workspace:
        for work in STEPS.values():
            run_id, _ = work(workspace, run_id)
        sending.sign_everything(workspace, run_id)
    return {"parts": {}}


def bare_sends(*, folder: str, customers: int, count: int, ledger: str) -> Told:
    """The HTTP client alone, with the same bytes to the same provider."""
    with _workspace(Path(folder) / "home", data.crm(Path(folder), customers), ledger) as workspace:
        return {"parts": {"post": sending.post_all(workspace, count)}}


def sends(*, folder: str, customers: int, ledger: str) -> Told:
    """Everything that is due, sent: what the claims, calls and outcomes take, and the whole run with its asking."""
    with _workspace(Path(folder) / "home", data.crm(Path(folder), customers), ledger) as workspace:
        whole, spent, computed, sent = sending.send_all(workspace)
    return {"parts": {"sending": spent}, "whole": whole, "computed": computed, "sent": sent}


def faulty(*, folder: str, customers: int, ledger: str) -> Told:
    """Everything that is due, sent to a provider that goes wrong with one call in seventeen, until nothing is left."""
    with _workspace(Path(folder) / "home", data.crm(Path(folder), customers), ledger) as workspace:
        return sending.send_in_spite(workspace, Path(folder))


def steady(*, folder: str, customers: int, ledger: str) -> Told:
    """Everything that is due, sent; bytes in memory by how many were sent by then."""
    with _workspace(Path(folder) / "home", data.crm(Path(folder), customers), ledger) as workspace:
        return {"memory": sending.memory_while_sending(workspace)}


def kills(*, folder: str, ledger: str, count: int) -> Told:
    """Random kills, and how often something was wrong afterwards."""
    from tests.bench import killed  # it forks from a server that has everything imported

    done, wrong = killed.kill_often(_empty(Path(folder) / "kills"), ledger, count, data.SEED)
    return {"killed": done, "wrong": wrong}


def questions(*, ledger: str, count: int) -> Told:
    """What a dispatcher asks of a ledger with so many touches, in milliseconds."""
    return {"parts": crowd.ask_much(ledger, count)}


def scores(*, customers: int) -> Told:
    """So many customers fitted, backtested and scored."""
    return science.score_many(customers)


def simulations() -> Told:
    """Monitor, harm limits and incentive policy over many streams and populations."""
    return science.simulate()


def prepare_verdicts(*, folder: str, customers: int) -> Told:
    """A home with a run that is decided and not yet judged."""
    begin(folder=folder, customers=customers, enrolments=1)
    run_id = ""
    with _workspace(Path(folder) / "home", data.crm(Path(folder), customers), "") as workspace:
        for name in ("snapshot", "decide"):
            run_id, _ = STEPS[name](workspace, run_id)
    return {"run_id": run_id}


def verdict(*, folder: str, customers: int, run_id: str, bad: int) -> Told:
    """Every suite over as many candidates as customers, of whom so many have no clear consent, and who they are."""
    import great_expectations  # noqa: F401  (its import is no work of ours)

    clock = Clock()
    with _decided(folder, customers, run_id) as (workspace, snapshot, decided):
        candidates = _spoiled(decided, bad)
        with clock.part("verdict"):
            playbook = workspace.playbook(data.PLAYBOOK).playbook
            found = judge(snapshot, playbook, workspace.owners, candidates, data.NOW)
            data_docs(found.said)
    concerned = found.rows.filter(pc.equal(found.rows["condition"], "consent_status_unclear")).num_rows
    if concerned != bad:
        raise ValueError(f"{bad} candidates have no clear consent, and {concerned} are named")
    return {"parts": clock.parts, "rows": {"candidates": candidates.num_rows, "named": concerned}}


def bare_verdict(*, folder: str, customers: int, run_id: str) -> Told:
    """Great Expectations alone: a validation definition over the same frame of candidates, and nothing around it."""
    import great_expectations as gx

    clock = Clock()
    with _decided(folder, customers, run_id) as (workspace, snapshot, candidates):
        frame = frames.candidates(candidates, workspace.owners, snapshot.read("accounts", frames.ACCOUNT_COLUMNS))
    context = gx.get_context(mode="ephemeral")
    raw = json.loads((paths.EXPECTATIONS / "candidates.json").read_text(encoding="utf-8"))
    suite = context.suites.add(gx.ExpectationSuite(**raw))
    batch = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    asked = context.validation_definitions.add(gx.ValidationDefinition(name="v", data=batch, suite=suite))
    with clock.part("validate"):
        asked.run(
            batch_parameters={"dataframe": frame}, result_format={"result_format": "BASIC"},
            expectation_parameters={"consent_clear_share": 0.95, "agreeing_share": 0.95, "joined_share": 0.95},
        )  # fmt: skip
    return {"parts": clock.parts, "rows": {"candidates": len(frame)}}


def ladder(*, folder: str, customers: int, run_id: str) -> Told:
    """Every gate of everybody, permission and timing among them; a day of silence makes nearly all of them candidates.
    What it takes only to look at the same columns comes beside it."""
    clock = Clock()
    with _workspace(Path(folder) / "home", data.crm(Path(folder), customers), "") as workspace:
        run = workspace.run_folder(run_id)
        snapshot = workspace.snapshot_folder(run.manifest["inputs"]["snapshot_id"])
        declared = workspace.playbook(data.PLAYBOOK).playbook
        facts, consents, context, accounts = gathered(
            snapshot, run.read("ledger_extract"),
            declared.model_copy(update={"windows": dict.fromkeys(declared.windows, 1)}), workspace.rules,
            workspace.owners, data.AS_OF,
        )  # fmt: skip
    records = len(consents)
    with clock.part("touched"):
        for table in (facts, consents):
            frame = frame_of(table)
            for name in frame:
                frame[name].copy().isna().sum()
    del table, frame
    counts, shares = candidates.Counts(), candidates.decide_in_shares(facts, consents, context, accounts)
    del facts, consents, accounts  # the step lets go of them, too
    with clock.part("ladder"):
        for share in shares:
            counts.add(share)
    return {"parts": clock.parts, "rows": {"candidates": counts.told()["candidates"], "consent records": records}}


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
def _decided(folder: str, customers: int, run_id: str) -> Iterator[tuple[Workspace, SnapshotFolder, pa.Table]]:
    """The rooms, the run's snapshot, and its decisions over again until there are as many as customers."""
    crm = data.crm(Path(folder), customers)
    with _workspace(Path(folder) / "home", crm, "") as workspace:
        with workspace.ledger.begin() as conn:
            snapshot = workspace.snapshot_folder(runs.run_of(conn, run_id).snapshot_id)
        decisions = workspace.run_folder(run_id).read("decisions", CANDIDATE_COLUMNS)
        again = -(-customers // decisions.num_rows)
        yield workspace, snapshot, pa.concat_tables([decisions] * again).slice(0, customers).combine_chunks()


def _spoiled(candidates: pa.Table, bad: int) -> pa.Table:
    """The candidates, the first so many without a consent record and all others with a clear one."""
    codes = pa.array(["fail:no_record"] * bad + ["pass"] * (candidates.num_rows - bad))
    said_nothing = pa.array(["pass"] * candidates.num_rows)
    spoiled = {"gate_permission": codes, "gate_not_suppressed": said_nothing}
    return pa.table({name: spoiled.get(name, candidates[name]) for name in candidates.column_names})


@contextmanager
def _workspace(home: Path, crm: Path, ledger: str) -> Iterator[Workspace]:
    """The rooms over a home, its ledger migrated."""
    settings = Settings(
        home=home, ledger_url=ledger or f"sqlite:///{home / 'ledger' / 'ledger.db'}",
        address_keys=(b"the address key of the figures",), source=str(crm), environment="bench",
        owners=crm / "owners.yaml", tenant=home / "tenant.yaml", playbooks=home / "playbooks", given_now=data.NOW,
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
    "prepare_verdicts": prepare_verdicts, "verdict": verdict, "bare_verdict": bare_verdict, "ladder": ladder,
    "prepare_sends": prepare_sends, "sends": sends, "bare_sends": bare_sends, "faulty": faulty, "steady": steady,
    "kills": kills, "questions": questions, "scores": scores, "simulations": simulations,
}  # fmt: skip


if __name__ == "__main__":
    told = WORK[sys.argv[1]](**json.loads(sys.argv[2]))
    print(json.dumps(told | {"peak": _peak()}))  # noqa: T201
