"""The readiness report in a real browser: calm on any screen, silent to other hosts, and good on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.conftest import serving
from tests.browser.contrast import CONTRAST, contrast
from tests.web import judged

pytestmark = pytest.mark.browser

Report = Callable[..., Page]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[str]:
    """Where the report of a stopped run is served that compliance may waive."""
    home = tmp_path_factory.mktemp("stale") / "home"
    run_id = judged.made("stale", home, sqlite_template)
    workspace = judged.asked(judged.opened(home))
    with serving(workspace) as served:
        yield f"{served}/readiness/runs/{run_id}"
    workspace.ledger.close()


@pytest.fixture
def report(chromium: Browser, address: str) -> Iterator[Report]:
    """``report("cleo")`` is the report as Cleo sees it; whatever it asks other hosts for or complains of fails."""
    contexts, heard = [], []

    def at(user: str, ending: str = "", **context: object) -> Page:
        settings = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | context
        contexts.append(chromium.new_context(extra_http_headers={"x-test-user": user}, **settings))
        page = contexts[-1].new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: heard.append(request.url) if _elsewhere(request.url, address) else None)
        page.goto(address + ending)
        return page

    yield at
    for context in contexts:
        context.close()
    assert heard == []


def _elsewhere(url: str, address: str) -> bool:
    return url.startswith("http") and urlsplit(url).netloc != urlsplit(address).netloc


def test_the_verdict_is_the_first_thing_and_the_code_the_last(report: Report) -> None:
    """One sentence and what failed on the first screen; the code below everything it is about, with the form's link."""
    page = report("cleo")
    assert page.locator("h1").inner_text() == "No, this run may not go on"
    assert page.locator("article.stops h3").inner_text() == "Sources are fresh"
    assert page.locator("article.stops").bounding_box()["y"] < 900
    below = page.locator("#proof").bounding_box()["y"]
    assert page.locator(".code").bounding_box()["y"] > below
    assert "required_actions" in page.get_by_role("link", name="Open the form in Airflow").get_attribute("href")


def test_what_passed_opens_with_the_keyboard(report: Report) -> None:
    """One line each, and all of it one key away."""
    page = report("ada")
    first = page.locator("details.passed").first
    assert not first.locator(".facts").is_visible()
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert "Stands for" in first.locator(".facts").inner_text()


def test_everything_has_a_name(report: Report) -> None:
    """One main heading, headings in order, words on each link, and the lines told as text."""
    page = report("cleo")
    assert page.locator("h1").count() == 1
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(text.strip() for text in page.locator("a").all_text_contents())
    assert page.locator("svg").count() == page.locator(".trend .hidden").count() > 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1600])
def test_nothing_sticks_out(report: Report, scheme: str, width: int, tmp_path: Path) -> None:
    """No sideways scrolling, also with everything open, and text is well apart from its ground."""
    for ending in ("", "/rows", "/quarantine"):
        page = report("cleo", ending, viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        page.screenshot(path=tmp_path / "page.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert contrast(page, "body") >= 7
        for muted in page.locator("h1, .lead, .small, .tag, dt, .trend, .hint").all()[:60]:
            assert muted.evaluate(CONTRAST) >= 4.5, muted.inner_text()


def test_it_prints(report: Report, tmp_path: Path) -> None:
    """Without its navigation, with its links spelled out."""
    page = report("ada")
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    page.emulate_media(media="print")
    assert not page.locator(".bar").is_visible()
    spelled = page.locator(".strip a").evaluate("link => getComputedStyle(link, '::after').content")
    assert "/readiness/snapshots/" in spelled


def test_the_file_to_keep_needs_nobody(report: Report, tmp_path: Path) -> None:
    """Opened from a disk it asks for nothing, is light also where pages are dark, and prints with all of it open."""
    page = report("ada", color_scheme="dark")
    with page.expect_download() as started:
        page.get_by_role("link", name="report to print").click()
    file = tmp_path / started.value.suggested_filename
    started.value.save_as(file)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert asked == [file.as_uri()]
    assert page.locator("h1").inner_text() == "No, this run may not go on"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 245, 241)"
    assert page.locator("details:not([open])").count() == 0
    page.pdf(path=tmp_path / "paper.pdf", format="A4")
    assert (tmp_path / "paper.pdf").stat().st_size > 50_000
