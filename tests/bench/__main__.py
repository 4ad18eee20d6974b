"""``make bench``: every figure with its limit, the ratio to bare DuckDB where there is one, and the peak memory.

``BENCH_CUSTOMERS`` (default a million) makes it smaller for a quick look; limits shrink with it. So do, for the proofs
of sending, ``BENCH_FAULTY`` (50,000 touches, of whose calls some go wrong), ``BENCH_STEADY`` (100,000 touches, while
memory is watched), ``BENCH_KILLS`` (200 on each database) and ``BENCH_TOUCHES`` (5,000,000 in the ledger).
``BENCH_ONLY`` names the groups wanted, else all of them are measured. ``BENCH_DIR`` keeps the generated CRM between
runs. Exits 1 when a figure does not hold.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from rich.console import Console
from rich.table import Column, Table
from tests.bench import dag_files, work

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "1000000"))
FOLDER = Path(os.environ.get("BENCH_DIR", ".bench")).absolute()
POSTGRES = os.environ.get("REACTIVATION_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/")
ENROLLED_SHARE = 0.4
DRAFTS = 50_000
SENDS = 20_000
FAULTY, STEADY = int(os.environ.get("BENCH_FAULTY", "50000")), int(os.environ.get("BENCH_STEADY", "100000"))
KILLS, TOUCHES = int(os.environ.get("BENCH_KILLS", "200")), int(os.environ.get("BENCH_TOUCHES", "5000000"))
GIB, MIB = 1 << 30, 1 << 20
_WIDE = 200
#: What it takes to ask two dozen suites about anybody at all, in seconds.
_ASKING = 5


@dataclass(frozen=True)
class Figure:
    """One line of the table. ``ratio`` is to the bare engine on the same data: DuckDB, Great Expectations, aiohttp."""

    name: str
    value: float
    limit: float
    unit: str
    detail: str
    peak: int | None = None
    peak_limit: int | None = None
    ratio: float | None = None
    ratio_limit: float | None = None

    @property
    def holds(self) -> bool:
        """Whether time, memory and the ratio are within their limits."""
        return (
            self.value <= self.limit
            and (self.peak or 0) <= (self.peak_limit or self.peak or 0)
            and (self.ratio or 0) <= (self.ratio_limit or self.ratio or 0)
        )


def main() -> int:
    """Measures everything, one after another, and prints the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    share, console = CUSTOMERS / 1_000_000, Console(width=_WIDE)
    found: list[Figure] = []
    groups: dict[str, Callable[[], Iterator[Figure]]] = {
        "generator": lambda: _generator(share), "runs": lambda: _runs(share), "decided": lambda: _decided(share),
        "drafts": _drafts, "sends": _sends, "faulty": _faulty, "steady": _steady, "kills": _kills,
        "questions": _questions, "science": lambda: _science(share), "dags": _dags,
    }  # fmt: skip
    wanted = os.environ.get("BENCH_ONLY", "").split() or list(groups)
    for figure in chain.from_iterable(groups[name]() for name in wanted):
        console.print(f"{figure.name}: {figure.value:.1f} {figure.unit}")
        found.append(figure)
    console.print(_table(found))
    return 0 if all(figure.holds for figure in found) else 1


def _generator(share: float) -> Iterator[Figure]:
    told = _work("sample", folder=str(FOLDER), customers=CUSTOMERS)
    rows = ", ".join(f"{count:,} {name}" for name, count in told["rows"].items())
    yield Figure("sample CRM to Parquet", _sum(told), 180 * share, "s", rows, told["peak"])


def _runs(share: float) -> Iterator[Figure]:
    asked: dict[str, Any] = {"folder": str(FOLDER), "customers": CUSTOMERS}
    bare = _sum(_work("bare", **asked))
    with _database() as postgres:
        for name, url in (("SQLite", ""), ("PostgreSQL", postgres)):
            took, peak, rows = _run(asked, url)
            parts = ", ".join(f"{part} {seconds:.1f}" for part, seconds in took.items())
            total = sum(took.values())
            yield Figure(
                f"snapshot to first touches, {name}", total, 60 * share, "s", f"{rows}; {parts}", peak, 4 * GIB,
                total / bare,
            )  # fmt: skip


def _run(asked: dict[str, Any], ledger: str) -> tuple[dict[str, float], int, str]:
    """Seconds by step, the peak of the largest, and what came of it. Each step is a process, as under Airflow."""
    _work("begin", **asked, enrolments=int(CUSTOMERS * ENROLLED_SHARE))
    took: dict[str, float] = {}
    peak, run_id = 0, ""
    counts: dict[str, int] = {}
    for step in work.STEPS:
        told = _work("step", **asked, ledger=ledger, name=step, run_id=run_id)
        took |= told["parts"]
        peak, run_id, counts = max(peak, told["peak"]), told["run_id"], told["counts"] or counts
    return took, peak, ", ".join(f"{counts[row]:,} {row}" for row in ("candidates", "begun", "entered"))


def _decided(share: float) -> Iterator[Figure]:
    asked: dict[str, Any] = {"folder": str(FOLDER), "customers": CUSTOMERS}
    asked["run_id"] = _work("prepare_verdicts", **asked)["run_id"]
    yield _ladder(share, asked)
    yield from _verdicts(share, asked)


def _ladder(share: float, asked: dict[str, Any]) -> Figure:
    told = _work("ladder", **asked)
    took, touched = told["parts"]["ladder"], told["parts"]["touched"]
    rows = ", ".join(f"{count:,} {name}" for name, count in told["rows"].items())
    return Figure("the ladder", took, 15 * share, "s", f"{rows}; to look at them {touched}", told["peak"], 4 * GIB,
                  took / touched)  # fmt: skip


def _verdicts(share: float, asked: dict[str, Any]) -> Iterator[Figure]:
    alone = _sum(_work("bare_verdict", **asked))
    for name, bad, limit in (("readiness", 0, 15), ("readiness, three in ten bad", int(CUSTOMERS * 0.3), 30)):
        told = _work("verdict", **asked, bad=bad)
        rows = ", ".join(f"{count:,} {name}" for name, count in told["rows"].items())
        yield Figure(
            name, _sum(told), max(limit * share, _ASKING), "s", rows, told["peak"], 2 * GIB, _sum(told) / alone
        )


def _drafts() -> Iterator[Figure]:
    # So many customers that as many touches can be due; the ledger is the embedded one.
    asked: dict[str, Any] = {"folder": str(FOLDER), "customers": 3 * DRAFTS}
    run_id = _work("prepare_drafts", **asked, enrolments=DRAFTS)["run_id"]
    told = _work("drafts", **asked, run_id=run_id)
    rows = ", ".join(f"{count:,} {name}" for name, count in told["rows"].items())
    yield Figure("drafts", _sum(told), 15, "s", rows, told["peak"], GIB)


def _sends() -> Iterator[Figure]:
    asked: dict[str, Any] = {"folder": str(FOLDER), "customers": 3 * SENDS}
    with _database() as postgres:
        for name, url, a_second, ratio in (("PostgreSQL", postgres, 2_000, 5), ("SQLite", "", 1_000, None)):
            asked["ledger"] = url
            _work("prepare_sends", **asked, enrolments=SENDS)
            bare = _sum(_work("bare_sends", **asked, count=SENDS)) / SENDS
            told = _work("sends", **asked)
            each = _sum(told) / told["sent"]
            detail = (f"{told['sent']:,} sent, {1 / each:,.0f} a second (at least {a_second:,}), each with "
                      f"{told['computed'] / told['sent'] * 1000:.2f} ms of computing; "
                      f"{told['sent'] / told['whole']:,.0f} with asking the sources")  # fmt: skip
            yield Figure(
                f"a thousand messages, {name}", each * 1_000, 1_000 / a_second, "s", detail, told["peak"],
                ratio=each / bare, ratio_limit=ratio,
            )  # fmt: skip


def _faulty() -> Iterator[Figure]:
    asked: dict[str, Any] = {"folder": str(FOLDER), "customers": 3 * FAULTY}
    with _database() as postgres:
        asked["ledger"] = postgres
        _work("prepare_sends", **asked, enrolments=FAULTY)
        told = _work("faulty", **asked)
    states = ", ".join(f"{count:,} {state}" for state, count in sorted(told["states"].items()))
    detail = f"{told['due']:,} due, 1 % of each fault: {states} in {told['runs']} runs, {_sum(told):.0f} s"
    yield Figure("ledger and provider disagree", told["apart"], 0, "sends", detail, told["peak"], GIB)


def _steady() -> Iterator[Figure]:
    asked: dict[str, Any] = {"folder": str(FOLDER), "customers": 3 * STEADY}
    with _database() as postgres:
        asked["ledger"] = postgres
        _work("prepare_sends", **asked, enrolments=STEADY)
        told = _work("steady", **asked)
    sent = told["memory"][-1][0]
    early = max(weight for done, weight in told["memory"] if done <= max(sent / 4, told["memory"][0][0]))
    late = max(weight for _, weight in told["memory"])
    detail = f"{sent:,} sent; {early / MIB:.0f} MiB over the first quarter, at most {late / MIB:.0f} MiB"
    yield Figure("a dispatcher's memory grows by", max(0, late - early) / MIB, 64, "MiB", detail, told["peak"], GIB)


def _kills() -> Iterator[Figure]:
    with _database() as postgres:
        for name, url in (("SQLite", ""), ("PostgreSQL", postgres)):
            told = _work("kills", folder=str(FOLDER), ledger=url, count=KILLS)
            yield Figure(
                f"wrong after a kill, {name}", told["wrong"], 0, "kills", f"{told['killed']:,} of {KILLS:,} killed"
            )


def _questions() -> Iterator[Figure]:
    with _database() as postgres:
        told = _work("questions", ledger=postgres, count=TOUCHES)
    took, among = told["parts"], f"median of 50, among {TOUCHES:,} touches"
    yield Figure("reserving 100 touches", took["reserve"], 10, "ms", among)
    all_of_it = f"{among}; all its questions {took['claim']} ms"
    yield Figure("the slowest question of a claim of 25", took["slowest"], 10, "ms", all_of_it)
    of_all = f"each hour; two variants, all {TOUCHES // 3:,} enrolments compared and counted"
    yield Figure("the monitor's look", took["watch"], 60, "s", of_all, told["peak"], 2 * GIB)


def _science(share: float) -> Iterator[Figure]:
    told = _work("scores", customers=CUSTOMERS)
    detail = f"{CUSTOMERS:,} customers, processor time; AUC {told['auc']:.3f}, level {told['level']:.3f}"
    yield Figure("fit, backtest and score", _sum(told), 8 * share, "s", detail, told["peak"], 2 * GIB)
    told = _work("simulations")
    paused, naive, stopped = told["paused"], told["naive"], told["stopped"]
    looks = "2,000 streams, looked at on each of 28 days; the naive z-test"
    yield Figure("good variants paused", paused["same"], 5, "%", f"{looks} {naive['same']} %")
    yield Figure("good variants paused, of four", paused["four"], 5, "%", f"{looks} {naive['four']} %")
    yield Figure("variants 20 % worse not paused", 100 - paused["worse"], 25, "%", "base 10 %, 200 an arm a day")
    detail = f"true .2 %, limit .3 %; observed above the limit in {told['observed']} %; {stopped['beyond']} % at .6 %"
    yield Figure("stopped within the harm limit", stopped["within"], 1, "%", detail)
    yield Figure("stopped at the harm limit", stopped["at_limit"], 5, "%", "true .3 %, limit .3 %")
    for name, one in told["incentives"].items():
        detail = f"worst of 100 populations {100 - one['worst']:.1f}, Thompson sampling {100 - one['thompson']:.1f}"
        yield Figure(f"short of the best rung, {name}", 100 - one["profit"], 15, "%", detail)
        yield Figure(f"discount of Thompson's, {name}", one["discount"], 100, "%", "on average of the same populations")
        yield Figure(f"beyond the margin floor, {name}", one["beyond_floor"], 0, "%", "deepest discount of all")


def _dags() -> Iterator[Figure]:
    warm = dag_files.warm()
    for file in dag_files.files():
        milliseconds, heavy = dag_files.fresh(file)
        detail = f"imports {', '.join(heavy)}" if heavy else "nothing heavy imported"
        limit = 0 if heavy else 150
        yield Figure(f"{file.name}, fresh interpreter", milliseconds, limit, "ms", detail)
        yield Figure(f"{file.name}, read again", warm[file.name], 30, "ms", "")


def _work(name: str, /, **arguments: Any) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.work", name, json.dumps(arguments)], stdout=subprocess.PIPE, text=True,
        check=True,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _sum(told: dict[str, Any]) -> float:
    return float(sum(told["parts"].values()))


@contextmanager
def _database() -> Iterator[str]:
    """A PostgreSQL database for the length of the block; its URL."""
    name = f"reactivation_bench_{uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES, dbname="postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{POSTGRES.rstrip('/')}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _table(figures: list[Figure]) -> Table:
    table = Table(Column("figure", no_wrap=True), "value", "limit", "holds", "× bare engine", "peak memory", "detail")
    for one in figures:
        memory = "" if one.peak is None else f"{one.peak / GIB:.2f} GiB"
        limit = "" if one.peak_limit is None else f" of {one.peak_limit / GIB:.0f}"
        most = "" if one.ratio_limit is None else f" of {one.ratio_limit:g}"
        table.add_row(
            one.name, f"{one.value:.1f} {one.unit}", f"{one.limit:g} {one.unit}", "yes" if one.holds else "NO",
            "" if one.ratio is None else f"{one.ratio:.1f}{most}", memory + limit, one.detail,
        )  # fmt: skip
    return table


if __name__ == "__main__":
    sys.exit(main())
