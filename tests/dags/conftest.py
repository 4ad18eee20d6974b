"""The DAG folder as Airflow reads it, in a process and home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def bag(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What ``describe.py`` says of ``dags/``."""
    home = tmp_path_factory.mktemp("airflow")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment = kept | {
        "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PYTHONPATH": str(ROOT / "plugins"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"), "REACTIVATION_SENDING_POOL": "sending",
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("describe.py")), str(ROOT / "dags"), str(home / "bag.json")],
        env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    described: dict[str, Any] = json.loads((home / "bag.json").read_text(encoding="utf-8"))
    return described
