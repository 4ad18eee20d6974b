"""The guide for authors: every field is on it, and the playbook it builds from scratch really runs."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

from reactivation import paths
from reactivation.ledger import migrations
from reactivation.playbooks import model, touches
from reactivation.playbooks.words import Declared
from reactivation.sample import generate
from reactivation.steps.check import check
from reactivation.steps.funnel import funnel
from reactivation.steps.results import decisions_of
from reactivation.steps.settings import Settings
from reactivation.steps.whole import RunRequest, run_playbook
from reactivation.steps.workspace import open_workspace

PAGE = (Path(__file__).parents[2] / "docs" / "playbooks.md").read_text(encoding="utf-8")
NAME = "spring_note"
AS_OF = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
SECTIONS: dict[str, type[BaseModel]] = {
    "population": model.Population, "accounts": model.Accounts, "segments": model.Segments,
    "readiness": model.ReadinessLimits,
    "touches": touches.Touch, "intake": model.Intake, "approval": model.Approval, "pilot": model.Pilot,
    "measurement": model.Measurement, "variants": touches.Variant, "variants.touches": touches.VariantTouch,
    "scoring": model.Scoring, "optimizer": touches.Optimizer,
    "messages": touches.Message, "messages.touches": touches.VariantTouch,
    "adaptations": touches.Adaptation, "adaptations.when": touches.When,
}  # fmt: skip


def test_every_field_is_explained_once() -> None:
    """Of a playbook and of each of its sections, and none that there is not."""
    told = re.findall(r"^\| `([a-z_.]+)` \| \S", PAGE, re.M)
    there = [*model.Playbook.model_fields, *(f"{at}.{name}" for at, of in SECTIONS.items() for name in of.model_fields)]
    assert sorted(told) == sorted(there)


def test_every_section_is_among_them() -> None:
    """A section that is new in the model has to be explained, too."""
    named = [*vars(model).values(), *vars(touches).values()]
    declared = {kind for kind in named if isinstance(kind, type) and issubclass(kind, Declared)}
    assert declared - {Declared, model.Playbook} == set(SECTIONS.values())


@pytest.fixture
def include(tmp_path: Path) -> Path:
    """What is declared, with the page's playbook and its template besides."""
    shutil.copytree(paths.INCLUDE, tmp_path / "include")
    files = re.findall(r"^`(include/[^`]+)`\n\n```[a-z]+\n(.*?)^```$", PAGE, re.M | re.S)
    assert len(files) == 4
    for name, text in files:
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(text.rstrip("\n") if name.endswith("subject.txt") else text, encoding="utf-8")
    return tmp_path / "include"


def test_the_playbook_of_the_page_runs(tmp_path: Path, include: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check finds nothing, beside the others; alone, so that none goes first, a dry run on the sample decides, plans
    and drafts."""
    generate(tmp_path / "sample", customers=250, seed=7, as_of=AS_OF)
    monkeypatch.setattr(paths, "TEMPLATES", include / "templates")
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    migrations.upgrade(url)
    settings = Settings(
        home=tmp_path / "home", ledger_url=url, address_keys=(b"a secret of at least sixteen bytes",),
        source=str(tmp_path / "sample"), environment="test", owners=tmp_path / "sample" / "owners.yaml",
        playbooks=include / "playbooks", tenant=include / "tenant.yaml", given_now=AS_OF,
    )  # fmt: skip
    assert check(settings, include) == []
    for other in (include / "playbooks").glob("*.yaml"):
        if other.stem != NAME:
            other.unlink()
    workspace = open_workspace(settings)
    try:
        run_id = run_playbook(
            workspace, RunRequest(NAME, dry=True), now=AS_OF, as_of=None, say=lambda _: None
        )  # fmt: skip
        shown = funnel(workspace, run_id)
        _, decisions = decisions_of(workspace, NAME, run_id)
        drafts = workspace.run_folder(run_id).read("drafts", ["subject"])
    finally:
        workspace.ledger.close()
    assert shown["candidates"] == decisions.num_rows > 0
    assert set(drafts["subject"].to_pylist()) == {"A short note before spring"}
