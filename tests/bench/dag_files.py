"""What a DAG file costs Airflow: in a fresh interpreter over the import of ``DAG`` itself, and read again when warm."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import time
from pathlib import Path

_DAGS = Path(__file__).resolve().parents[2] / "dags"
_RUNS = 5
_HEAVY = ("pandas", "duckdb", "great_expectations")
_FRESH = """
import runpy, sys, time
from airflow.sdk import DAG
began = time.perf_counter()
if len(sys.argv) > 1: runpy.run_path(sys.argv[1])
print(time.perf_counter() - began, *[m for m in {heavy!r} if m in sys.modules])
"""


def files() -> list[Path]:
    """Every DAG file of the project."""
    return sorted(_DAGS.glob("*.py"))


def fresh(file: Path) -> tuple[float, list[str]]:
    """Milliseconds beyond ``from airflow.sdk import DAG`` (median of five interpreters), and heavy imports seen."""
    took, heavy = [], []
    for _ in range(_RUNS):
        said = subprocess.run(
            [sys.executable, "-c", _FRESH.format(heavy=_HEAVY), str(file)], capture_output=True, text=True, check=True
        ).stdout.split()
        took.append(1000 * float(said[0]))
        heavy += said[1:]
    return sorted(took)[_RUNS // 2], sorted(set(heavy))


def warm() -> dict[str, float]:
    """Milliseconds of reading each file again in a process that has read them all (median of five)."""
    said = subprocess.run([sys.executable, "-m", "tests.bench.dag_files"], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(said.stdout)
    return found


def _again(file: Path) -> float:
    took = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        runpy.run_path(str(file))
        took.append(1000 * (time.perf_counter() - began))
    return sorted(took)[_RUNS // 2]


if __name__ == "__main__":
    for one in files():
        runpy.run_path(str(one))
    print(json.dumps({one.name: _again(one) for one in files()}))  # noqa: T201
