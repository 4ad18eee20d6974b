"""Gate 7, no open issue: no unresolved case, unless every touch is there to resolve it."""

from __future__ import annotations

import pytest
from tests.policy.gates.cases import Case, Stories
from tests.policy.people import ago, one, person, playbook

from reactivation.playbooks.model import Playbook

CASES: dict[str, Case] = {
    "open-case": (
        {"case": {}}, "fail:open_case", "hold", "open_issue:open_case", "resolve_issue_first"),
    "closed-in-name-only": (
        {"case": {"status": "closed"}}, "fail:open_case", "hold", "open_issue:open_case",
        "resolve_issue_first"),
    "reopened": (
        {"case": {"closed_at": ago(10), "status": "reopened"}}, "fail:open_case", "hold",
        "open_issue:open_case", "resolve_issue_first"),
    "closes-tomorrow": (
        {"case": {"closed_at": ago(-1), "status": "closed"}}, "fail:open_case", "hold",
        "open_issue:open_case", "resolve_issue_first"),
    "closed-case": (
        {"case": {"closed_at": ago(10), "status": "Closed"}}, "pass", "enrol", "", "start_sequence"),
    "open-case-of-account": (
        {"account": {}, "case": {"customer_id": None, "account_id": "a-open-case-of-account"}},
        "fail:open_case", "hold", "open_issue:open_case", "resolve_issue_first"),
}  # fmt: skip
ASKED = Stories("no_open_issue", CASES)


@pytest.mark.parametrize("story", CASES)
def test_alone(story: str) -> None:
    """What it answers, what that leads to, why, and what to do next."""
    ASKED.check(story)


def _of_purpose(*purposes: str) -> Playbook:
    touches = playbook().touches
    changed = [touch.model_copy(update={"purpose": one}) for touch, one in zip(touches, purposes, strict=False)]
    return playbook().model_copy(update={"touches": tuple(changed)})


@pytest.mark.parametrize(("purposes", "result"), [
    (("issue_resolution",), "pass"), (("issue_resolution", "issue_resolution"), "pass"),
    (("issue_resolution", "check_in"), "fail:open_case"), (("check_in",), "fail:open_case"),
])  # fmt: skip
def test_an_open_case_stands_in_the_way_of_all_but_what_resolves_it(purposes: tuple[str, ...], result: str) -> None:
    """One touch with another purpose is one too many."""
    row = one(person(case={}), declared=_of_purpose(*purposes))

    assert row["gate_no_open_issue"] == result


def test_cases_nobody_could_read_stand_in_the_way_of_everything() -> None:
    """Whether there is anything to resolve is not known."""
    row = one(person(), declared=_of_purpose("issue_resolution"), absent=["cases"])

    assert row["gate_no_open_issue"] == "fail:cases_unread"
