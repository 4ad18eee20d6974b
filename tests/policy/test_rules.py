"""Rule data: typed, versioned by its text, refused with file, line and fix."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError
from tests.policy.people import rules

from reactivation import paths
from reactivation.playbooks.tenant import Acceptance
from reactivation.policy.rules import FILES, SETTING_OF, RulesError, parse_rules, terms_to_sign
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
    version = read_rules().version

    assert version.startswith("2026-")
    assert len(version.split("+")[1]) == 12


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
        ("priority", 'engagement: "0.15"', 'engagement: "0.2"', r"priority\.yaml:\d+ weights: .*add up to 1\.05"),
        ("priority", 'value: "0.4"', 'value: "half"', r"priority\.yaml:\d+ weights\.value: found .*half"),
        ("inbound", "help: [HELP", "help: [STOP, HELP", r"inbound\.yaml:\d+ help: STOP is in opt_out too"),
        ("inbound", "start: [START", "start: [INFO, START", r"inbound\.yaml:\d+ start: INFO is in help too"),
        ("inbound", "courtesies: [PLEASE", "courtesies: [START, PLEASE",
         r"inbound\.yaml:\d+ courtesies: START is in start too"),
        ("inbound", "[STOP, ", "[Stop!, ", r"inbound\.yaml:\d+ opt_out\[0\]: found 'Stop!'"),
        ("timing", 'opens: "10:00", closes: "17:00"', 'opens: "09:00", closes: "17:00"',
         r"timing\.yaml:\d+ window: 09:00-17:00 on .* is wider than the legal hours of US-KY on mon"),
        ("timing", "places: [FR]", "places: [France]", r"timing\.yaml:\d+ legal_hours\[9\]\.places\[0\]: .*France"),
        ("deliverability", 'growth: "1.2"', 'growth: "1.5"', r"deliverability\.yaml:\d+ growth: found .*1\.5"),
        ("retention", "suppressions: for_ever", "suppressions: ten_years",
         r"retention\.yaml:\d+ suppressions: .*for_ever"),
        ("retention", "evidence_years: 5", "evidence_years: 1",
         r"retention\.yaml:\d+ evidence_years: 1 is less than blocked_years, 2"),
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


def test_each_setting_is_signed_by_its_own_terms() -> None:
    """Of two bases that count for a different time, a signature under one says nothing of the other."""
    shorter = declared_with("permission", "regimes.us.email.opt_out_regime.months", 6)

    assert {name: terms_to_sign(shorter, name)["us"]["months"] for name in get_args(Acceptance)} == {  # type: ignore[arg-type]
        "flag_only_email": 18, "opt_out_email": 6,
    }  # fmt: skip


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_what_a_basis_needs_is_said_for_each_channel(channel: str) -> None:
    """One that is accepted for a single channel, too."""
    regime = {"countries": ["US"], "email": {}, "sms": {}} | {channel: {"express": {}}}
    declared = rules().permission.model_dump(mode="json") | {"evidence": {}, "regimes": {"us": regime}}

    with pytest.raises(ValidationError, match="us accepts express, but evidence does not say"):
        FILES["permission"].model_validate(declared)


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


#: Where a number stands, the least it may be and the most; what is not limited is not there.
LIMITS: list[tuple[str, str, int | None, float | None]] = [
    ("timing", "caps.any_hours", 48, None), ("timing", "caps.sms_per_24h", 1, 1), ("timing", "caps.sms_per_7d", 1, 2),
    ("timing", "look_ahead_days", 7, 90), ("timing", "zones_without_address", 1, 4),
    ("timing", "redeem_hours_at_least", 48, 72),
    ("permission", "crowd", 2, None), ("permission", "regimes.gb.email.express.months", 1, None),
    ("incentives", "cooldown_days", 0, None), ("incentives", "monetary_after_days", 0, None),
    ("incentives", "lifetime_incentives", 0, None), ("incentives", "lifetime_share", 0, 1),
    ("incentives", "no_escalation_after", 0, None),
    ("incentives", "equal_or_better_after_days", 30, None), ("incentives", "uplift", 1, None),
    ("incentives", "contact_cost", 0, None), ("incentives", "margin_floor", 0, 1),
    ("incentives", "conversion", None, 1), ("incentives", "discounted_share", None, 1),
    ("priority", "recency_days", 1, None), ("priority", "value.high", 0, 1),
    ("reasons", "problem_before_silence_days", 0, None), ("reasons", "subscription_end_days", 0, None),
    ("reasons", "seasonal.purchases", 2, None), ("reasons", "seasonal.share", 0, 1),
    ("retention", "people_days", 2, 30), ("retention", "unsent_drafts_days", 1, 365),
    ("retention", "replies_days", 1, 30), ("retention", "blocked_years", 1, 5),
    ("retention", "evidence_years", None, 10),
    ("monitor", "alpha", None, 0.05), ("monitor", "limits.complaints", None, 0.001),
    ("monitor", "limits.unsubscribes", None, 0.01), ("monitor", "limits.bounces", None, 0.02),
]  # fmt: skip


def declared_with(name: str, field: str, value: Any) -> BaseModel:
    """The project's rules of that file with one other value."""
    declared = place = getattr(rules(), name).model_dump(mode="json")
    *parents, last = field.split(".")
    for parent in parents:
        place = place[int(parent) if parent.isdigit() else parent]
    place[last] = value
    return FILES[name].model_validate(declared)


@pytest.mark.parametrize(("name", "field", "least", "most"), LIMITS)
def test_a_number_stays_within_its_limits(name: str, field: str, least: int | None, most: float | None) -> None:
    """The caps and what else may be tightened, never widened: the limit itself is allowed, a step beyond is not."""
    for limit, beyond in ((least, -1), (most, 1)):
        if limit is not None:
            assert declared_with(name, field, limit)
            with pytest.raises(ValidationError, match="equal to"):
                declared_with(name, field, limit + beyond)


@pytest.mark.parametrize(("name", "field"), [
    ("incentives", "conversion"), ("incentives", "discounted_share"), ("monitor", "alpha"),
    ("monitor", "limits.complaints"), ("monitor", "limits.unsubscribes"), ("monitor", "limits.bounces"),
])  # fmt: skip
def test_a_share_of_nothing_is_none(name: str, field: str) -> None:
    """What is divided by, a share that everybody has, and a limit that nothing keeps."""
    with pytest.raises(ValidationError, match="greater than 0"):
        declared_with(name, field, 0)


@pytest.mark.parametrize(("name", "field"), [
    ("permission", "purposes"), ("permission", "regimes.gb.countries"), ("timing", "legal_hours"),
    ("timing", "legal_hours.0.places"), ("timing", "legal_hours.0.weekdays"), ("timing", "window.weekdays"),
    ("inbound", "opt_out"), ("inbound", "help"), ("inbound", "start"), ("gates", "gates.fit.sources"),
    ("gates", "gates.fit.results"), ("gates", "reviews.high_value.sources"),
])  # fmt: skip
def test_a_list_that_rules_names_something(name: str, field: str) -> None:
    """An empty one would rule nothing, or nothing out."""
    with pytest.raises(ValidationError, match="at least 1 item"):
        declared_with(name, field, {} if field.endswith("results") else [])


@pytest.mark.parametrize(
    "field", ["gates.fit.question", "gates.fit.leads_to", "gates.fit.sources.0.sentence", "reviews.high_value.meaning"]
)
def test_a_gate_is_told_in_words(field: str) -> None:
    """What a reviewer reads is never blank; how much it says is its writer's to judge."""
    assert declared_with("gates", field, "?")
    with pytest.raises(ValidationError, match="at least 1 character"):
        declared_with("gates", field, "")


def test_a_missing_text_is_named() -> None:
    """The first of those that are not there."""
    texts = {name: (paths.RULES / f"{name}.yaml").read_text(encoding="utf-8") for name in FILES}

    assert parse_rules(texts) == read_rules()
    with pytest.raises(RulesError, match=r"^rules file timing\.yaml .*\n  timing\.yaml:1 is missing; put it beside"):
        parse_rules({name: text for name, text in texts.items() if name != "timing"})
