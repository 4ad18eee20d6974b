"""How the suites are run: a check that fails itself is not taken for data that fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import reactivation
from reactivation.readiness.checker import Checker
from reactivation.readiness.verdict import Verdict


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker()


LIMITS = {"consent_clear_share": 0.95, "agreeing_share": 0.95, "stale_after_hours": 24}


def candidates(unclear: int, of: int) -> pd.DataFrame:
    statuses = ["unclear"] * unclear + ["clear"] * (of - unclear)
    return pd.DataFrame({"consent_status": statuses, "owner_known": [True] * of, "sources_say": ["the same"] * of})


class TestBrokenCheck:
    """An exception inside a check blocks, and says that the check failed."""

    @pytest.mark.parametrize(("frame", "parameters"), [
        (pd.DataFrame({"source": ["crm"]}), LIMITS),
        (pd.DataFrame({"source": ["crm"], "hours_old": ["yesterday"]}), LIMITS),
        (pd.DataFrame({"source": ["crm"], "hours_old": [1.0]}), {}),
        (None, LIMITS),
    ], ids=["no such column", "a text for a number", "no limit given", "no frame at all"])  # fmt: skip
    def test_the_check_failed_not_the_data(
        self, checker: Checker, frame: pd.DataFrame | None, parameters: dict[str, float]
    ) -> None:
        """The verdict blocks and the message tells whoever reads it to look at the check."""
        verdict = Verdict(checker.ask("sources", frame, {"always"}, parameters).results)
        assert not verdict.ready
        broken = [c for c in verdict.blocking if c.broken]
        assert broken
        assert all(c.observed == "unknown" for c in broken)
        assert "The check itself failed, not the data" in verdict.message
        assert "expectations/sources.json" in verdict.message

    def test_a_broken_warning_blocks_too(self, checker: Checker) -> None:
        """Whatever its severity, a check that cannot be made proves nothing."""
        results = checker.ask("profile", pd.DataFrame({"rule": ["purchases row"]}), {"always"}, {}).results
        assert [(c.severity, c.blocks) for c in results] == [("warning", True)]


class TestResults:
    """What a suite's results say."""

    def test_results_come_in_the_suites_order(self, checker: Checker) -> None:
        """Great Expectations returns broken ones first; we do not."""
        results = checker.ask("sources", pd.DataFrame({"source": ["crm"]}), {"always"}, LIMITS).results
        assert [c.broken is None for c in results] == [True, False, False]

    @pytest.mark.parametrize("size", [1_000, 1_020], ids=["every row named", "rows only counted"])
    def test_a_share_is_counted_whatever_the_size(self, checker: Checker, size: int) -> None:
        """5 % passes and one more does not, and how many is said."""
        at_limit = checker.ask("candidates", candidates(size // 20, size), {"always"}, LIMITS).results
        assert all(c.passed for c in at_limit)
        beyond = checker.ask("candidates", candidates(size // 20 + 1, size), {"always"}, LIMITS).results
        (failed,) = [c for c in beyond if not c.passed]
        assert failed.affected == size // 20 + 1
        assert failed.observed == f"{size // 20 + 1} of {size} candidates have no clear consent record"
        assert failed.threshold == "clear for at least 95%"

    def test_only_what_applies_is_asked(self, checker: Checker) -> None:
        """An expectation for required tables is not asked of another."""
        facts = pd.DataFrame([{"present": False, "rows": 0, "missing_columns": 0, "missing_names": ""}])
        assert [c.id for c in checker.ask("offers", facts, {"always"}, {}).results] == ["evidence_missing"]
        assert [c.passed for c in checker.ask("offers", facts, {"always", "required"}, {}).results] == [True, False]

    def test_missing_facts_do_not_pass(self, checker: Checker) -> None:
        """An empty frame passes every question about rows, so that there be one is a question itself."""
        facts = pd.DataFrame({"present": pd.Series([], dtype=bool)})
        found = checker.ask("offers", facts, {"always", "required"}, {}).results
        assert [(c.id, c.blocks) for c in found] == [("evidence_missing", True), ("evidence_missing", False)]


def test_nothing_heavy_is_imported_before_a_verdict() -> None:
    """A DAG file may import the room: Great Expectations is loaded where a verdict is asked for."""
    asked = "import sys, reactivation.readiness; print('great_expectations' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", asked],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(reactivation.__file__).parents[1])},
    )
    assert result.stdout.strip() == "False"


def test_what_cannot_be_told_is_a_broken_check(checker: Checker) -> None:
    """Great Expectations gave its verdict, and our own reading of it raised: that blocks too."""
    facts = pd.DataFrame([{"present": True, "rows": 5, "missing_columns": 1}])  # and not the names of what is missing
    (found,) = [one for one in checker.ask("offers", facts, {"required_filled"}, {}).results if one.broken]
    assert (found.broken, found.blocks) == ("KeyError", True)
