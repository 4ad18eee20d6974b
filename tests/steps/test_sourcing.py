"""Which table comes from which source: what playbooks and settings may say of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.builders import write_source
from tests.steps.test_four_sources import playbooks

from reactivation.playbooks.declared import DeclarationError
from reactivation.playbooks.loader import PlaybookError, load_all, parse_playbook
from reactivation.sources import SourceError
from reactivation.steps.check import check
from reactivation.steps.settings import ConfigurationError, Settings
from reactivation.steps.sourcing import open_sources

HERE = "customer_reactivation.yaml"
#: The playbook that is read first.
FIRST = "dormant_account_outreach.yaml"


@pytest.fixture
def made(tmp_path: Path) -> Settings:
    """A CRM in a folder, and playbooks that take purchases from billing."""
    write_source(tmp_path / "crm", purchases=None)
    return Settings(
        home=tmp_path, ledger_url="", address_keys=(), source=str(tmp_path / "crm"), named_sources={},
        playbooks=playbooks(tmp_path / "playbooks", {"purchases": "billing"}),
    )  # fmt: skip


def opened(settings: Settings) -> dict[str, set[str]]:
    """Source to the tables taken from it."""
    return {part.name: set(part.tables) for part in open_sources(settings, load_all(settings.playbooks)).parts}


def test_a_playbook_names_a_source_per_table(made: Settings, tmp_path: Path) -> None:
    """What it does not name comes from the default."""
    billing = write_source(tmp_path / "billing")
    taken = opened(replace(made, named_sources={"billing": str(billing), "spare": "/nowhere"}))
    assert taken["billing"] == {"purchases"}
    assert "purchases" not in taken["default"]
    assert set(taken) == {"billing", "default"}


def test_one_source_for_everything_overrules_playbooks(made: Settings) -> None:
    """``--source DIR`` means everything from there."""
    assert list(opened(replace(made, named_sources=None))) == ["crm"]


def test_a_source_nobody_set(made: Settings) -> None:
    """Refused by a snapshot and by check, with file, line, field and the variable to set."""
    with pytest.raises(PlaybookError, match=rf"{FIRST}:\d+ sources\.purchases: there is no source billing; set "
                                            "REACTIVATION_SOURCE_BILLING"):  # fmt: skip
        opened(made)
    found = {Path(one.file).name: one.line for one in check(made) if one.field == "sources.purchases"}
    assert found == {
        file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in made.playbooks.glob("*.yaml")
    }


def test_two_playbooks_that_disagree(made: Settings, tmp_path: Path) -> None:
    """One snapshot serves both: the second is refused, and says where the first says otherwise."""
    other = made.playbooks / "other.yaml"
    text = (made.playbooks / HERE).read_text(encoding="utf-8")
    text = text.replace("playbook: customer_reactivation", "playbook: other").replace("precedence: 2", "precedence: 3")
    other.write_text(text.replace("purchases: billing", "purchases: erp"), encoding="utf-8")
    both = replace(made, named_sources={"billing": str(tmp_path), "erp": str(tmp_path)})
    with pytest.raises(PlaybookError, match=rf"other\.yaml:\d+ sources\.purchases: is taken from erp here and from "
                                            rf"billing in {FIRST}:\d+"):  # fmt: skip
        opened(both)
    assert [Path(one.file).name for one in check(both) if one.field == "sources.purchases"] == ["other.yaml"]


def test_tables_there_are_not(made: Settings) -> None:
    """A typo is an error, never a silent default."""
    text = (made.playbooks / HERE).read_text(encoding="utf-8").replace("purchases: billing", "purchase: billing")
    with pytest.raises(DeclarationError, match="no table purchase; the tables are contacts"):
        parse_playbook(text, HERE)


@pytest.mark.parametrize(
    ("place", "error", "message"),
    [
        ("", ConfigurationError, "REACTIVATION_SOURCE_BILLING is empty; name a folder"),
        ("connection:", ConfigurationError, "names no connection"),
        ("connection:erp", ConfigurationError, "there is no connection erp here"),
        ("/no/such/folder", SourceError, "there is no source at /no/such/folder"),
    ],
)
def test_places_there_are_not(made: Settings, place: str, error: type[Exception], message: str) -> None:
    """Each with the setting and the fix."""
    with pytest.raises(error, match=message):
        opened(replace(made, named_sources={"billing": place}))
