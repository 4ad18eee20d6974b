"""The quality gates of the documents: declared word for word, and proven of every playbook file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.sample.real import real_file

from reactivation import paths
from reactivation.measures import MEASURES
from reactivation.playbooks.loader import load_all
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.quality import Quality, QualityError, quality
from reactivation.playbooks.quality_checks import CHECKS, problems_of
from reactivation.policy.quality import COLUMNS, unproven
from reactivation.steps.quality import LOGGED

SHIPPED = {one.playbook.playbook: one.playbook for one in load_all(paths.PLAYBOOKS)}
SEEDS = {"000": "000_customer_reactivation_workflow.txt", "001": "001_dormant_account_outreach_workflow.txt"}


def the_documents_gates() -> Iterator[tuple[str, str]]:
    for number, name in SEEDS.items():
        text = real_file(f"../seeds/{name}").read_text(encoding="utf-8")
        section = text.partition("Quality and stop gates")[2].partition("How it is measured")[0]
        yield from ((number, line.strip(" -•\t")) for line in section.splitlines() if line.strip(" -•\t"))


def test_every_gate_of_the_documents_is_declared_word_for_word() -> None:
    """All of both lists, in their order, and no other."""
    declared = [(gate.document[:3], gate.sentence) for gate in quality().gates.values()]
    assert declared == list(the_documents_gates())


def test_every_gate_is_proven_where_it_says_so() -> None:
    """Of a playbook, of a run, or of both; no proof without a gate."""
    from reactivation.policy.decisions import DECISIONS

    gates = quality().gates
    assert set(CHECKS) == {name for name, gate in gates.items() if gate.of_playbook}
    of_run = set(unproven(DECISIONS.empty_table(), "customer")) | {LOGGED}
    assert of_run == {name for name, gate in gates.items() if gate.of_run}
    assert set(COLUMNS) <= {*DECISIONS.names, "evidence.window_days"}


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_shipped_playbook_holds_to_them(name: str) -> None:
    """No problem."""
    assert list(problems_of(SHIPPED[name], quality(), MEASURES)) == []


def changed(**changes: Any) -> Playbook:
    playbook = SHIPPED["customer_reactivation"]
    for path, value in changes.items():
        section, _, field = path.partition("__")
        new = getattr(playbook, section).model_copy(update={field: value}) if field else value
        playbook = playbook.model_copy(update={section: new})
    return playbook


def without(*tables: str) -> dict[str, tuple[str, ...]]:
    return {name: columns for name, columns in SHIPPED["customer_reactivation"].requires.items() if name not in tables}


@pytest.mark.parametrize(("changes", "gate", "field"), [
    ({"requires": without("engagements")}, "trigger_is_narrow", "activity"),
    ({"population__cool_down_days": 0}, "trigger_is_narrow", "population"),
    ({"requires": without("suppressions")}, "evidence_is_listed", "inputs"),
    ({"requires": without("offers")}, "evidence_is_listed", "inputs"),
    ({"approval__review_points": ("tone", "channel", "consent_exceptions", "commercially_smart")},
     "approval_is_explicit", "approval"),
    ({"inputs": ("last_activity", "relationship_notes")}, "judgment_is_protected", "inputs"),
    ({"approval__stop_rules": ("the contact opted out",)}, "judgment_is_protected", "approval"),
    ({"measurement__baseline_metric": "happiness"}, "measurement_is_defined", "measurement"),
    ({"measurement__measures": ("happiness",)}, "measurement_is_defined", "measurement"),
    ({"pilot__threshold_share": 0.0}, "measurement_is_defined", "pilot"),
    ({"requires": without() | {"cases": ("kind", "status")}}, "source_evidence_is_attached", "requires"),
    ({"inputs": ("last_activity",)}, "context_is_reviewed", "inputs"),
    ({"owners": {"household": "own-ada", "care_plan": "", "business": "own-ben"}}, "owner_is_assigned", "owners"),
    ({"approval__stop_rules": ("consent is missing", "consent is missing")}, "stop_rules_are_visible", "approval"),
])  # fmt: skip
def test_each_gate_can_fail(changes: dict[str, Any], gate: str, field: str) -> None:
    """With its name, its sentence and the field."""
    found = [(message, loc) for message, *loc in problems_of(changed(**changes), quality(), MEASURES)]
    named = [loc for message, loc in found if f"[{gate}: {quality().gates[gate].sentence}]" in message]
    assert named, found
    assert named[0][0] == field


def test_a_gate_that_nothing_proves_is_refused() -> None:
    """With its line."""
    from reactivation.playbooks.declared import parse_declared
    from reactivation.playbooks.quality import FILE

    text = re.sub(r"    of_run: The ledger has .*\n", "", FILE.read_text(encoding="utf-8"))
    with pytest.raises(QualityError, match=r"measurement_is_logged: a gate is proven of"):
        parse_declared(text, "quality_gates.yaml", Quality, QualityError)
