"""The commands of a pilot and of segments, as they are typed."""

from __future__ import annotations

import csv
import io
import json

import pytest
from tests.cli.conftest import Run

PLAYBOOK = "customer_reactivation"


def test_a_pilot_is_begun_reported_and_ended(run: Run) -> None:
    """Refused before there is a baseline; then the run enrols households alone, and the report says what it is."""
    begin = ("pilot", "begin", PLAYBOOK, "--segment", "household", "--user", "operator")
    code, _, err = run(*begin)
    assert code == 2
    assert f"reactivation run {PLAYBOOK}" in err
    assert run("run", PLAYBOOK, "--dry-run")[0] == 0
    code, _, err = run(*begin)
    assert code == 0
    assert "before: reactivation_eligibility_review_rate" in err

    assert run("run", PLAYBOOK)[0] == 0
    code, out, _ = run("plan", PLAYBOOK, "--json")
    planned = {row["customer_id"] for row in json.loads(out)}
    segment = {row["customer_id"]: row["business_segment"] for row in json.loads(run("candidates", "--json")[1])}
    assert {segment[one] for one in planned} == {"household"}

    code, out, _ = run("pilot", "report", PLAYBOOK, "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["state"], told["threshold"]["verdict"]) == ("running", "not enough data")
    assert told["threshold"]["counter_examples"] == []
    code, out, _ = run("pilot", "report", PLAYBOOK)
    assert code == 0
    assert "Pilot evidence, not validation" in out
    assert "100% of outreach candidates" in out

    code, out, _ = run("pilot", "end", PLAYBOOK, "--user", "mia", "--json")
    assert (code, json.loads(out)) == (0, {"playbook": PLAYBOOK, "pilot": "ended"})
    assert run("pilot", "end", PLAYBOOK, "--user", "mia")[0] == 2


@pytest.mark.parametrize("words", [("begin", PLAYBOOK, "--user", "x"), ("begin", PLAYBOOK, "--top", "5"), ("report",)])
def test_wrong_usage(run: Run, words: tuple[str, ...]) -> None:
    """Exit code 2 and a usage line: a sample and a name are needed."""
    code, _, err = run("pilot", *words)
    assert code == 2
    assert "usage:" in err


def test_a_segment_is_exported(run: Run) -> None:
    """By id, as comma-separated values; a wrong name is named with what was meant."""
    assert run("run", "customers_not_active", "--dry-run")[0] == 0
    code, out, _ = run("segment", "customers_not_active", "customers_not_active", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert rows
    assert set(rows[0]) == {"customer_id", "segment", "as_of"}
    code, _, err = run("segment", "customers_not_active", "customer_active")
    assert code == 2
    assert "did you mean customers_active" in err


def test_check_names_the_quality_gates_that_hold(run: Run) -> None:
    """Each by name, on standard error beside the verdict."""
    code, out, err = run("check")
    assert (code, out) == (0, "")
    assert "trigger_is_narrow" in err
    assert "stop_rules_are_visible" in err
