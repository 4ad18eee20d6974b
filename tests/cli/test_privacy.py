"""purge, erase and hold as they are typed."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.cli.conftest import Run
from tests.company import NOW

PLAYBOOK = "customer_reactivation"


@pytest.fixture
def enrolled(run: Run) -> str:
    """Somebody who may be written to, by id, after a run."""
    assert run("run", PLAYBOOK)[0] == 0
    rows = csv.DictReader(io.StringIO(run("candidates", "--csv")[1]))
    return next(row["customer_id"] for row in rows if row["decision"] == "enrol")


def people(home: Path) -> list[dict[str, Any]]:
    (file,) = home.glob("evidence/snapshots/*/people.parquet")
    rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return rows


def test_purge_counts_first_and_then_takes_out(
    run: Run, home: Path, enrolled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dry run says what the real one does, and both say nothing personal."""
    assert run("purge", "--json")[:2] == (0, run("purge", "--json", "--dry-run")[1].replace("true", "false", 1))
    monkeypatch.setenv("REACTIVATION_NOW", (NOW + timedelta(days=31)).isoformat())
    names = {row["email"] for row in people(home) if row["email"]}
    code, dry, err = run("purge", "--dry-run")
    assert code == 0
    assert "would be taken out of" in err
    assert people(home)
    code, out, err = run("purge", "--json")
    done = json.loads(out)
    assert (code, done["stopped"], done["problems"]) == (0, False, [])
    assert done["rows"] == sum(one["rows"] for one in done["taken_out"]) > 0
    assert people(home) == []
    assert not [name for name in names if name in dry + out + err]
    assert run("audit", "verify")[0] == 0


def test_erase_reads_the_address_from_standard_input(
    run: Run, home: Path, enrolled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the command line everybody would see it; it is printed nowhere."""
    address = next(row["email"] for row in people(home) if row["customer_id"] == enrolled)
    code, out, err = run("erase", "--customer", enrolled, "--user", "cleo", "--dry-run")
    assert (code, "would stay, by id and HMAC alone" in err, "1 enrolments ended" in err) == (0, True, True)
    assert enrolled in {row["customer_id"] for row in people(home)}
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{address}\n"))
    code, out, err = run("erase", "--address-stdin", "--user", "cleo")
    assert code == 0, err
    assert "1 enrolments ended" in err
    assert address not in out + err
    assert not [row for row in people(home) if enrolled == row["customer_id"] or address == row["email"]]
    assert "erased" in run("explain", enrolled)[1]
    code, out, _ = run("preview", PLAYBOOK, "1", "--customer", enrolled)
    assert "Subject: " not in out
    assert run("audit", "verify")[0] == 0


def test_a_hold_refuses_an_erasure_until_it_is_lifted(run: Run, home: Path, enrolled: str) -> None:
    """Who began it is told; exit code 2."""
    assert run("hold", "--customer", enrolled, "--user", "lea")[0] == 0
    assert json.loads(run("hold", "--json")[1])[0]["began_by"] == "lea"
    code, _, err = run("erase", "--customer", enrolled, "--user", "cleo")
    assert code == 2
    assert f"a legal hold stands on {enrolled} (by lea)" in err
    assert run("hold", "--customer", enrolled, "--lift", "--user", "lea")[0] == 0
    assert run("hold", "--json")[1] == "[]\n"
    code, out, _ = run("erase", "--customer", enrolled, "--user", "cleo", "--json")
    assert (code, json.loads(out)["customers"]) == (0, [enrolled])


@pytest.mark.parametrize(
    "words",
    [
        ("erase", "--user", "cleo"),
        ("erase", "--customer", "c-1"),
        ("erase", "--customer", "c-1", "--address-stdin", "--user", "cleo"),
        ("erase", "--address", "ada@example.org", "--user", "cleo"),
        ("hold", "--customer", "c-1"),
        ("hold", "--lift", "--user", "lea"),
        ("hold", "--customer", "c-1", "--everything", "--user", "lea"),
    ],
)
def test_who_and_on_whom_must_be_said(run: Run, words: tuple[str, ...]) -> None:
    """And no address is an argument."""
    assert run(*words)[0] == 2
