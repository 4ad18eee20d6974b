"""Great Expectations' own pages, packed: they call nobody, name nobody, and are the same each time."""

from __future__ import annotations

import io
import re
from pathlib import Path
from zipfile import ZipFile

import pytest
from tests.readiness.company import Company

from reactivation.readiness import answered
from reactivation.readiness.data_docs import data_docs


def packed(folder: Path) -> bytes:
    company = Company(joins={"cases": 6})
    company.decisions[0]["owner_id"] = "own-gone"
    return data_docs(company.judged(folder).said)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every page by its name."""
    archive = ZipFile(io.BytesIO(packed(tmp_path_factory.mktemp("docs") / "snapshot")))
    return {name: archive.read(name).decode() for name in archive.namelist()}


def test_there_is_a_page_for_every_suite_that_was_asked(pages: dict[str, str]) -> None:
    """And an index that leads to each, with what came of it."""
    assert {"cases.html", "candidates.html", "sizes.html", "index.html"} <= set(pages)
    for name in set(pages) - {"index.html"}:
        assert f'href="{name}"' in pages["index.html"]
    assert re.search(r'cases\.html">cases</a></td><td>failed', pages["index.html"])


def test_a_page_says_what_failed(pages: dict[str, str]) -> None:
    """In Great Expectations' own words."""
    assert "joined_share" in pages["cases.html"]
    assert "0.95" in pages["cases.html"]


def test_no_page_calls_another_host(pages: dict[str, str]) -> None:
    """No script, no style, no picture from anywhere."""
    for page in pages.values():
        assert not re.search(r"https?:|<script|<link|<img|@import|url\(", page)


def test_no_page_names_anybody(pages: dict[str, str]) -> None:
    """Counts and limits only."""
    assert not any("cus-" in page or "own-gone" in page for page in pages.values())


def test_the_same_verdict_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that is tried again leaves the evidence as it was, in another process too, which keeps no answers."""
    one = packed(tmp_path / "one")
    monkeypatch.setattr(answered, "_kept", {})
    assert one == packed(tmp_path / "two")
