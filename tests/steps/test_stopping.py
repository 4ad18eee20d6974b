"""Stopping by hand: at once, on record, and ended by nobody but a marketing owner."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.sending import NOW as SENDING_NOW
from tests.sending import Ready
from tests.steps.six import NOW, Six

from reactivation.ledger.engine import Ledger
from reactivation.ledger.runs import StepError
from reactivation.steps.answers import questions_to_ask
from reactivation.steps.dispatch import dispatch
from reactivation.steps.stopping import copy_variable, standing_stops, stop_by_hand
from reactivation.steps.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, ledger: Ledger) -> Workspace:
    return Six(tmp_path / "home", ledger).workspace


def scopes(workspace: Workspace) -> list[tuple[str, str, str]]:
    return [(one.scope, one.reason, one.actor) for one in standing_stops(workspace, NOW + timedelta(hours=1))]


@pytest.mark.parametrize("scope", ["everything", "channel:email", "channel:sms", "playbook:customer_reactivation"])
def test_a_scope_is_stopped_once(workspace: Workspace, scope: str) -> None:
    """By whom and why is on record; the same again is nothing new."""
    assert stop_by_hand(workspace, scope, reason="precaution", user="ben", now=NOW) == f"{scope} is stopped, by ben"
    assert "already" in stop_by_hand(workspace, scope, reason="precaution", user="ada", now=NOW)
    assert scopes(workspace) == [(scope, "by_hand:precaution", "ben")]


@pytest.mark.parametrize(("scope", "reason", "message"), [
    ("channel:post", "precaution", "nothing called channel:post to stop; give one of everything, channel:email"),
    ("playbook:christmas", "precaution", "nothing called playbook:christmas"),
    ("everything", "because I say so", "is no reason to stop; give one of complaints"),
])  # fmt: skip
def test_what_nobody_knows_is_refused(workspace: Workspace, scope: str, reason: str, message: str) -> None:
    """With what there is."""
    with pytest.raises(StepError, match=message):
        stop_by_hand(workspace, scope, reason=reason, user="ben", now=NOW)
    assert scopes(workspace) == []


@pytest.mark.parametrize(("text", "meant"), [
    (None, []), ("", []), (" , ", []), ("channel:email", ["channel:email"]), ("everything", ["everything"]),
    ("channel:sms, playbook:customer_reactivation", ["channel:sms", "playbook:customer_reactivation"]),
    ("true", ["everything"]), ("channel:emial", ["everything"]), ("channel:sms,?", ["channel:sms", "everything"]),
])  # fmt: skip
def test_the_variable_is_copied_at_first_sight(workspace: Workspace, text: str | None, meant: list[str]) -> None:
    """Seen again it is nothing new; what cannot be read stops everything."""
    assert sorted(copy_variable(workspace, text, NOW)) == meant
    assert copy_variable(workspace, text, NOW) == ()
    assert sorted(scope for scope, _, _ in scopes(workspace)) == meant


def test_taking_the_variable_away_resumes_nothing(workspace: Workspace) -> None:
    """Only an answer does, and it is asked for."""
    copy_variable(workspace, "everything", NOW)
    copy_variable(workspace, None, NOW + timedelta(minutes=1))
    assert scopes(workspace) == [("everything", "airflow_variable", "airflow_variable")]
    assert len(questions_to_ask(workspace, NOW + timedelta(minutes=2))) == 1


def test_nothing_goes_out_while_it_stands(ready: Ready) -> None:
    """Not even what is signed and due."""
    stop_by_hand(ready.workspace, "playbook:customer_reactivation", reason="wrong_content", user="ben", now=SENDING_NOW)
    summary = dispatch(ready.workspace, SENDING_NOW + timedelta(minutes=1))
    assert (summary.accepted, set(summary.reasons)) == (0, {"stopped"})
    assert ready.files() == []
