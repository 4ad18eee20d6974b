"""Whether an answer waives: only a complete one of somebody who may, and never silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.approvals.asked import NOW

from reactivation.approvals.coded import AskedCoded
from reactivation.approvals.form import HOLD_ALL
from reactivation.approvals.waivers import OPTIONS, WAIVE, fields, judge_waiver, waived_until

ASKED = AskedCoded(
    state="open", expires_at=NOW + timedelta(days=1), signing_code="0123abcd", signers=frozenset({"cleo", "max"}),
    authors=frozenset({"max"}),
)  # fmt: skip


def event(option: str = WAIVE, by: object = "cleo", **form: Any) -> dict[str, Any]:
    """A complete answer, as Airflow hands it over."""
    filled = {"signing_code": "0123 ABCD", "reason": "export_late", "hours": "8"} | form
    return {
        "chosen_options": [option], "params_input": filled, "responded_at": NOW.isoformat(),
        "responded_by_user": {"id": by, "name": "Cleo"}, "timedout": False,
    }  # fmt: skip


def test_a_complete_answer_waives_for_as_long_as_it_says() -> None:
    """Eight hours, for that reason, by her."""
    judged = judge_waiver(ASKED, event(), NOW)
    assert (judged.accepted, waived_until(judged, NOW), judged.codes["reason"], judged.responder) == (
        True, NOW + timedelta(hours=8), "export_late", "cleo",
    )  # fmt: skip


def test_a_hold_is_an_answer_that_waives_nothing() -> None:
    """It needs no code."""
    judged = judge_waiver(ASKED, event(HOLD_ALL, signing_code="", reason="", hours=""), NOW)
    assert (judged.accepted, waived_until(judged, NOW)) == (True, None)


@pytest.mark.parametrize(("asked", "answer", "refusal"), [
    (ASKED, "nonsense", "unreadable_answer"),
    (ASKED, event() | {"timedout": True}, "timed_out"),
    (ASKED, event() | {"responded_by_user": None}, "no_responder"),
    (replace(ASKED, state="answered"), event(), "question_closed"),
    (replace(ASKED, expires_at=NOW), event(), "question_expired"),
    (ASKED, event(by="ada"), "not_a_signer"),
    (ASKED, event(by="max"), "author_may_not_sign"),
    (ASKED, event() | {"responded_by_user": {"id": "cleo", "name": "max"}}, "author_may_not_sign"),
    (ASKED, event("Sign"), "option_unknown"),
    (replace(ASKED, hindrance="report_changed"), event(), "report_changed"),
    (ASKED, event(signing_code="0123abce"), "signing_code_differs"),
    (ASKED, event(signing_code=None), "signing_code_differs"),
    (replace(ASKED, signing_code="", hindrance="run_not_stopped"), event(signing_code=""), "run_not_stopped"),
    (ASKED, event(reason=""), "reason_missing"),
    (ASKED, event(reason="because"), "reason_missing"),
    (ASKED, event(hours=""), "hours_missing"),
    (ASKED, event(hours="9999"), "hours_missing"),
    (ASKED, event() | {"params_input": {}}, "signing_code_differs"),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_anything_else_waives_nothing(asked: AskedCoded, answer: object, refusal: str) -> None:
    """And says why."""
    judged = judge_waiver(asked, answer, NOW)
    assert (judged.refusal, waived_until(judged, NOW), judged.accepted) == (refusal, None, False)


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([WAIVE, "0123abcd", "8", "cleo"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["id", "hours", "reason"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(
    st.sampled_from(["chosen_options", "params_input", "responded_by_user", "timedout", "responded_at"]), _ANYTHING
))  # fmt: skip
def test_nothing_that_arrives_raises_or_waives_without_the_code(answer: dict[str, Any]) -> None:
    """Whatever is posted."""
    judged = judge_waiver(replace(ASKED, signing_code="ffffffff"), answer, NOW)
    assert waived_until(judged, NOW) is None


def test_what_is_kept_of_a_form_is_codes() -> None:
    """Nothing somebody typed."""
    judged = judge_waiver(ASKED, event(reason="Ann's mother is ill", hours="x" * 999), NOW)
    assert dict(judged.form) == {"signing_code": "0123abcd", "reason": "unknown", "hours": "unknown"}


def test_every_field_has_an_empty_default_that_fits() -> None:
    """Airflow kills a request whose defaults do not fit its own form."""
    assert all(not field.choices or "" in field.choices for field in fields())
    assert HOLD_ALL in OPTIONS
