"""An installation to type commands in: a sample CRM, a home of its own, a given clock."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.company import AS_OF, KEY, NOW

from reactivation import cli
from reactivation.sample import generate


@pytest.fixture(scope="session")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample CRM that nobody changes."""
    out = tmp_path_factory.mktemp("crm") / "sample"
    generate(out, customers=200, seed=7, as_of=AS_OF)
    return out


@pytest.fixture
def home(tmp_path: Path, crm: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own: environment set, CRM copied, clock given."""
    home = tmp_path / "home"
    shutil.copytree(crm, home / "sample")
    for name, value in {
        "REACTIVATION_HOME": str(home),
        "REACTIVATION_OWNERS": str(home / "sample" / "owners.yaml"),
        "REACTIVATION_NOW": NOW.isoformat(),
        "AIRFLOW_CONN_REACTIVATION_ADDRESS_KEY": json.dumps({"conn_type": "generic", "password": KEY.decode()}),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "200")
    return home


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; its exit code, standard output and standard error."""

    def _run(*words: str) -> tuple[int, str, str]:
        try:
            code = cli.main(words)
        except SystemExit as left:
            code = int(left.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return _run
