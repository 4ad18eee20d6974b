"""Rule data: typed, versioned by its text, refused with file, line and fix."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import get_args

import pytest

from reactivation import paths
from reactivation.playbooks.tenant import Acceptance
from reactivation.policy.rules import FILES, SETTING_OF, RulesError, terms_to_sign
from reactivation.steps.rules import read_rules


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the project's rules to change."""
    return Path(shutil.copytree(paths.RULES, tmp_path / "rules"))


def change(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / f"{name}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_projects_rules_are_read() -> None:
    """With a version that says when and which."""
    rules = read_rules()

    assert rules.version.startswith("2026-")
    assert len(rules.version.split("+")[1]) == 12


@pytest.mark.parametrize("name", sorted(FILES))
def test_any_change_of_any_file_is_another_version(folder: Path, name: str) -> None:
    """A comment too: what was in force can be told from the version alone."""
    path = folder / f"{name}.yaml"
    path.write_text(f"# a remark\n{path.read_text(encoding='utf-8')}", encoding="utf-8")

    assert read_rules(folder).version != read_rules().version
    assert read_rules(folder).version == read_rules(folder).version


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("permission", "months: 18}", "month: 18}", r"permission\.yaml:\d+ .*is no field here; did you mean months"),
        ("permission", "countries: [CA]", "countries: [CA, US]", r"permission\.yaml:\d+ regimes: US is in us"),
        ("permission", "countries: [CA]", "countries: [Canada]", r"permission\.yaml:\d+ .*Canada"),
        ("permission", "[not_condition_of_purchase]", "[not_condition]", r"permission\.yaml:\d+ .*not_condition"),
        ("permission", "  express: [method", "  flag: [method", r"permission\.yaml:\d+ .*flag"),
        ("permission", "      express_written: {months: 18, conditions: [not_condition_of_purchase]}",
         "      flag_only: {}", r"permission\.yaml:\d+ regimes\.us\.sms: flag_only is never enough for a text message"),
        ("incentives", 'uplift: "1.5"', 'uplift: "0.5"', r"incentives\.yaml:\d+ uplift: found .*0\.5"),
        ("priority", 'value: "0.5"', 'value: "half"', r"priority\.yaml:\d+ weights\.value: found .*half"),
        ("inbound", "help: [HELP", "help: [STOP, HELP", r"inbound\.yaml:\d+ help: STOP is in opt_out too"),
        ("inbound", "[STOP, ", "[Stop!, ", r"inbound\.yaml:\d+ opt_out\[0\]: found 'Stop!'"),
        ("timing", 'opens: "10:00", closes: "17:00"', 'opens: "09:00", closes: "17:00"',
         r"timing\.yaml:\d+ window: 09:00-17:00 on .* is wider than the legal hours of US-KY on mon"),
        ("timing", "places: [FR]", "places: [France]", r"timing\.yaml:\d+ legal_hours\[9\]\.places\[0\]: .*France"),
        ("deliverability", 'growth: "1.2"', 'growth: "1.5"', r"deliverability\.yaml:\d+ growth: found .*1\.5"),
        ("words", "acquisition:", "aquisition:", r"words\.yaml:\d+ "),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_its_line(folder: Path, name: str, old: str, new: str, message: str) -> None:
    """The file, the line, the field and what was expected."""
    change(folder, name, old, new)

    with pytest.raises(RulesError, match=message):
        read_rules(folder)


def test_a_basis_needs_to_say_what_must_be_on_record(folder: Path) -> None:
    """An accepted basis without evidence fields would be a flag."""
    change(folder, "permission", "  soft_opt_in: [method, disclosure_version, evidence_ref, collected_by_brand]\n", "")

    with pytest.raises(RulesError, match="accepts soft_opt_in, but evidence does not say"):
        read_rules(folder)


def test_what_is_signed_is_the_terms() -> None:
    """Where the basis counts and on which terms, so that a signature is of nothing else."""
    rules = read_rules().permission

    assert terms_to_sign(rules, "flag_only_email") == {
        "us": {"countries": ["US"], "months": 18, "counted_from": "last_evidence", "confirmed": False, "conditions": []}
    }
    assert set(SETTING_OF.values()) == set(get_args(Acceptance))


def test_a_missing_file_is_named(folder: Path) -> None:
    """With what to do about it."""
    (folder / "reasons.yaml").unlink()

    with pytest.raises(RulesError, match=r"reasons\.yaml.*cannot be read"):
        read_rules(folder)


def test_what_is_not_accepted_is_not_there() -> None:
    """Only American law knows an opt-out regime, no other place takes a bare flag, and Switzerland has no rules."""
    regimes = read_rules().permission.regimes

    abroad = {basis for name, regime in regimes.items() if name != "us" for basis in (*regime.email, *regime.sms)}
    assert abroad.isdisjoint(SETTING_OF)
    assert "CH" not in {country for regime in regimes.values() for country in regime.countries}
