"""The command that looks at how variants do, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from reactivation import paths

PLAYBOOK = "customer_reactivation"
VARIANTS = """
variants:
  - {variant: control, share: 0.5}
  - {variant: asking, share: 0.5, touches: [{number: 1, subject: "A question, {{ owner_name }} asks"}]}
"""


@pytest.fixture
def declared(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped playbook with two variants."""
    (home / "playbooks").mkdir()
    text = (paths.PLAYBOOKS / f"{PLAYBOOK}.yaml").read_text(encoding="utf-8")
    (home / "playbooks" / f"{PLAYBOOK}.yaml").write_text(text + VARIANTS, encoding="utf-8")
    monkeypatch.setenv("REACTIVATION_PLAYBOOKS", str(home / "playbooks"))


@pytest.mark.usefixtures("declared")
def test_every_part_is_shown(run: Run) -> None:
    """As a table and as JSON; nothing has happened, so nothing is paused, and to look again is the same."""
    assert run("run", PLAYBOOK)[0] == 0
    code, out, _ = run("monitor", PLAYBOOK, "--json")
    parts = json.loads(out)
    assert code == 0
    assert [(one["variant"], one["segment"]) for one in parts if one["segment"] is None] == [
        (None, None), ("control", None), ("asking", None),
    ]  # fmt: skip
    assert sum(one["counts"]["assigned"] for one in parts if one["variant"] and one["segment"] is None) > 0
    assert {one["pause"] for one in parts} == {None}
    assert run("monitor", PLAYBOOK, "--json", "--dry-run")[1] == out
    code, out, _ = run("monitor", PLAYBOOK)
    assert code == 0
    assert "asking" in out
    code, out, _ = run("metrics", PLAYBOOK, "--by", "variant")
    assert code == 0
    assert "variant control" in out


def test_a_playbook_there_is_not_is_wrong_usage(run: Run) -> None:
    """With its name."""
    code, _, err = run("monitor", "christmas")
    assert code == 2
    assert "christmas" in err
