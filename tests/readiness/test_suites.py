"""The suites and conditions as files: what does not hold together is refused with its line, and blocks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.readiness.company import Company
from tests.sample.real import real_file

from reactivation import paths
from reactivation.contract.tables import TABLES
from reactivation.readiness.conditions import conditions
from reactivation.readiness.suites import SuiteError, read_suite, suite_files

SEEDS = ("000_customer_reactivation_workflow.txt", "001_dormant_account_outreach_workflow.txt")


@pytest.fixture
def expectations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the suites, to be spoiled."""
    folder = tmp_path / "expectations"
    shutil.copytree(paths.EXPECTATIONS, folder)
    monkeypatch.setattr(paths, "EXPECTATIONS", folder)
    return folder


def without_a_comma(text: str) -> str:
    return text.replace('"severity": "critical",', '"severity": "critical"', 1)


#: A typo, and words of the complaint about it.
TYPOS: dict[str, tuple[Callable[[str], str], str]] = {
    "a comma is missing": (without_a_comma, "is not JSON"),
    "a field is misspelt": (lambda t: t.replace('"kwargs"', '"kwarg"', 1), "did you mean kwargs"),
    "an expectation is misspelt": (
        lambda t: t.replace("expect_column_values_to_be_in_set", "expect_column_values_in_set", 1),
        "did you mean expect_column_values_to_be_in_set",
    ),
    "a condition is misspelt": (
        lambda t: t.replace("support_history_unavailable", "suport_history_unavailable", 1),
        "did you mean support_history_unavailable",
    ),
    "a severity is misspelt": (lambda t: t.replace('"critical"', '"citical"', 1), "did you mean critical"),
    "a time to ask is misspelt": (lambda t: t.replace('"joinable"', '"joined"', 1), "joinable"),
    "a word in braces is misspelt": (lambda t: t.replace("{file}", "{fiel}", 1), "did you mean file"),
    "another suite's name": (lambda t: t.replace('"name": "cases"', '"name": "case"', 1), "expected 'cases'"),
    "no expectations": (
        lambda _: '{"name": "cases", "meta": {"frame": "f", "grain": "g"}, "expectations": []}', "at least 1",
    ),
}  # fmt: skip


class TestTypo:
    """A suite with a typo asks nothing, so nothing is known of what it is about."""

    @pytest.mark.parametrize("what", TYPOS)
    def test_is_refused_with_its_place_and_the_fix(self, expectations: Path, what: str) -> None:
        """File, line, and what was meant."""
        spoil, words = TYPOS[what]
        path = expectations / "cases.json"
        path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
        with pytest.raises(SuiteError) as refused:
            read_suite(path)
        assert f"{path}:" in str(refused.value)
        assert words in str(refused.value)

    @pytest.mark.parametrize("what", TYPOS)
    def test_blocks_the_run_and_says_that_the_check_failed(self, expectations: Path, tmp_path: Path, what: str) -> None:
        """Not the data; and nothing else blocks."""
        path = expectations / "cases.json"
        path.write_text(TYPOS[what][0](path.read_text(encoding="utf-8")), encoding="utf-8")
        (blocking,) = Company().judged(tmp_path / "snapshot").blocking
        assert (blocking.subject, blocking.broken) == ("cases", "the suite is refused")
        assert "The check itself failed, not the data" in str(blocking)
        assert "expectations/cases.json (line " in blocking.fix

    def test_a_column_that_is_not_there_blocks_too(self, expectations: Path, tmp_path: Path) -> None:
        """The suite is well made, but asks for what the frame does not have."""
        path = expectations / "cases.json"
        path.write_text(path.read_text(encoding="utf-8").replace('"usable_rows"', '"useable_rows"'), encoding="utf-8")
        blocking = Company().judged(tmp_path / "snapshot").blocking
        assert {one.subject for one in blocking} == {"cases"}
        assert all(one.broken for one in blocking)

    def test_a_suite_that_is_gone_blocks_too(self, expectations: Path, tmp_path: Path) -> None:
        """Nothing is asked by what is not there."""
        (expectations / "consents.json").unlink()
        (blocking,) = Company().judged(tmp_path / "snapshot").blocking
        assert (blocking.subject, blocking.broken) == ("consents", "the suite is refused")


class TestConditions:
    """The conditions as they are declared."""

    def test_every_one_is_proven_by_some_suite(self) -> None:
        """And no suite speaks of another."""
        proven = {one.meta.condition for file in suite_files() for one in read_suite(file)[0].expectations}
        assert proven == set(conditions())

    def test_the_sentences_are_those_of_the_source_documents(self, seeds: dict[str, str]) -> None:
        """Word for word."""
        for name, one in conditions().items():
            assert one.sentence in seeds[one.document[:3]], name

    def test_the_six_of_the_source_documents_are_critical_and_never_waived(self) -> None:
        """Under Not Ready If: three in each document, of which one names two histories."""
        seed = {name: one for name, one in conditions().items() if one.seed}
        assert {one.document for one in seed.values()} == {"000, Not Ready If", "001, Not Ready If"}
        assert len({one.sentence for one in seed.values()}) == 6
        assert all(one.severity == "critical" and not one.waivable for one in seed.values())

    def test_only_staleness_shrinkage_and_trend_can_be_waived(self) -> None:
        """Nothing that a person's consent or history rests on."""
        waivable = {name for name, one in conditions().items() if one.waivable}
        assert waivable == {"source_stale", "source_shrunken", "source_off_trend"}

    def test_there_is_a_suite_for_every_table(self) -> None:
        """And for the candidates; each table's asks first that its one row of facts is there."""
        suites = {file.stem: read_suite(file)[0] for file in suite_files()}
        assert {*TABLES, "candidates"} <= set(suites)
        for name in TABLES:
            first = suites[name].expectations[0]
            assert (first.type, first.kwargs.value) == ("expect_table_row_count_to_equal", 1)

    def test_a_fix_names_only_what_its_expectation_knows(self) -> None:
        """Names are those of a column of the rows that fail."""
        for file in suite_files():
            for one in read_suite(file)[0].expectations:
                assert "{names}" not in one.meta.fix + one.meta.found or one.meta.names, (file.name, one.meta.found)

    def test_suites_hold_no_random_ids(self) -> None:
        """They are reviewed like code."""
        for file in suite_files():
            raw: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            assert "id" not in raw
            assert all("id" not in one for one in raw["expectations"])


@pytest.fixture(scope="module")
def seeds() -> dict[str, str]:
    """The source documents by their number."""
    return {name[:3]: real_file(f"../seeds/{name}").read_text(encoding="utf-8") for name in SEEDS}
