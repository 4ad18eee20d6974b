"""What an account's owner finds on the command line: the brief as a file, and his own words drafted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.builders import AS_OF, write_source
from tests.cli.conftest import Run
from tests.office import NOW, PLAYBOOK, source


@pytest.fixture
def account(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An account whose owner is asked to sign a message."""
    monkeypatch.setenv("REACTIVATION_NOW", NOW.isoformat())
    write_source(home / "crm", as_of=AS_OF, **source())
    code, _, err = run("run", PLAYBOOK, "--source", str(home / "crm"))
    assert code == 0, err
    return "a-oak"


def test_brief_is_written_and_words_are_drafted(run: Run, home: Path, account: str) -> None:
    """The file has what the command prints; the words approve nothing, and what is wrong with them is told."""
    page, words = home / "brief.html", home / "opening.txt"
    code, out, _ = run("brief", account, "--html", str(page))
    assert (code, out) == (0, "")
    assert "Why it went quiet" in page.read_text(encoding="utf-8")
    assert "Ids only" in page.read_text(encoding="utf-8")

    words.write_text("I have thought of you since we last spoke.\n", encoding="utf-8")
    code, out, err = run("edit", account, "--user", "ben", "--opening", str(words), "--json")
    assert code == 0, err
    assert json.loads(out)["parts"] == ["opening"]
    assert "signing_code" not in out
    assert "thought of you" not in out + err

    words.write_text("Come back for 20% off.", encoding="utf-8")
    code, _, err = run("edit", account, "--user", "ben", "--opening", str(words))
    assert (code, "incentive_without_offer" in err) == (2, True)
    assert run("edit", account, "--user", "ada", "--opening", str(words))[0] == 2
    code, _, err = run("edit", account, "--user", "ben", "--subject", str(home / "nowhere.txt"))
    assert (code, "cannot be read" in err) == (2, True)
