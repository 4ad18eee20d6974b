"""What an owner meets in a real browser: readable on any screen, by keyboard, and nothing in a message runs."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request
from tests.browser.conftest import Look
from tests.browser.contrast import CONTRAST, contrast

from reactivation.ledger import lists
from reactivation.steps.workspace import Workspace

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def content(crowded: Workspace) -> str:
    """The path of Ada's list of touch 1: twelve people on two pages, one of them individual."""
    return _path(crowded, "content", 1)


@pytest.fixture
def offer(crowded: Workspace) -> str:
    """The path of the offer approver's list."""
    return _path(crowded, "offer", 3)


def _path(workspace: Workspace, kind: str, touch: int) -> str:
    with workspace.ledger.begin() as conn:
        rows = lists.open_lists(conn)
    return next(f"/lists/{r.list_id}" for r in rows if (r.kind, r.touch_number) == (kind, touch))


def loaded(page: Page) -> Page:
    """The page with every message in its frame."""
    page.wait_for_load_state("networkidle")
    return page


class TestFromTheFirstPageToTheCode:
    def test_an_owner_finds_her_list_reads_it_and_meets_the_code_last(self, look: Look, tmp_path: Path) -> None:
        """One click to the list, one page down to the code, selected as a whole by one more click."""
        page = look("ada", "/")
        assert page.locator("h1").inner_text() == "2 lists wait for you"

        page.get_by_role("link", name="Read and sign household, touch 1").click()
        assert page.locator("h1").inner_text() == "May these 12 messages go out?"
        code = page.locator(".code code")
        code.click()
        selected = page.evaluate("getSelection().toString()")
        assert len(selected.replace(" ", "")) == 8
        below = page.evaluate("[...document.querySelectorAll('article')].at(-1).getBoundingClientRect().bottom")
        assert page.evaluate("document.querySelector('.code').getBoundingClientRect().top") > below
        page.screenshot(path=tmp_path / "code.png")

    def test_the_second_page_has_the_rest(self, look: Look, content: str) -> None:
        """Numbers go on where the first page ended."""
        page = look("ada", content)
        page.get_by_role("link", name="Later").first.click()
        page.wait_for_url("**page=2*")

        assert page.locator("article .position").all_inner_texts() == ["11", "12"]
        assert page.get_by_role("link", name="Later").count() == 0

    def test_the_approver_sees_the_offer_and_its_cost_first(self, look: Look, offer: str) -> None:
        """Terms and cost are on the first screen."""
        page = look("olu", offer)

        card = page.locator(".card", has_text="Costs at most")
        assert "GBP 30.00" in card.inner_text()
        assert card.bounding_box()["y"] < 900


class TestNothingRuns:
    def test_what_is_in_a_message_stays_in_its_frame(self, look: Look, content: str) -> None:
        """Scripts in names and bodies do not run, pictures from elsewhere are not fetched, no dialogue opens."""
        page = look("ada", "/")
        asked: list[Request] = []
        dialogues: list[str] = []
        page.on("request", lambda request: asked.append(request))  # noqa: PLW0108  (it marks what it is given)
        page.on("dialog", lambda dialogue: dialogues.append(dialogue.message))
        page.goto(page.url.rstrip("/") + content)
        loaded(page)

        frames = [frame for frame in page.frames if frame is not page.main_frame]
        bodies = [frame.locator("body").inner_text() for frame in frames]
        assert len(bodies) == 10
        assert all("the autumn check is due" in body for body in bodies)
        assert not any("ran" in body.split() for body in bodies)
        assert dialogues == []
        # The browser announces even what the page's policy then keeps it from asking.
        elsewhere = [
            r for r in asked if r.url.startswith("http") and urlsplit(r.url).netloc != urlsplit(page.url).netloc
        ]
        assert [r.failure for r in elsewhere] == ["csp"] * len(elsewhere)
        assert page.locator("script").count() == 0


class TestOnAnyScreen:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("size", [PHONE, {"width": 820, "height": 1180}, {"width": 1600, "height": 1000}])
    def test_nothing_sticks_out(
        self, look: Look, content: str, scheme: str, size: dict[str, int], tmp_path: Path
    ) -> None:
        """No sideways scrolling on any page, and text is well apart from its ground in light and dark."""
        pages = ("/", "/calendar", "/tasks", "/issues", content)
        for user, path in (*(("ada", path) for path in pages), ("operator", content)):
            page = loaded(look(user, path, viewport=size, color_scheme=scheme))
            name = f"{path.split('/')[1] or 'first'}-{scheme}-{size['width']}.png"
            page.screenshot(path=tmp_path / name, full_page=True)

            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
            assert contrast(page, "body") >= 7
            for muted in page.locator(".lead, .small, .tag, dt").all()[:20]:
                assert muted.evaluate(CONTRAST) >= 4.5, muted.inner_text()


class TestByKeyboardAndEar:
    def test_the_first_tab_skips_to_the_content(self, look: Look, content: str) -> None:
        """Keyboard users reach the question with one key, and see where they are."""
        page = look("ada", content)
        page.keyboard.press("Tab")

        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('main').contains(document.activeElement)")

    def test_details_open_with_the_keyboard(self, look: Look, content: str) -> None:
        """The text part is one key away."""
        page = look("ada", content)
        page.locator("summary", has_text="Text part").first.focus()
        page.keyboard.press("Enter")

        assert page.locator("details[open] pre").first.is_visible()

    def test_everything_has_a_name(self, look: Look, content: str) -> None:
        """One main heading, headings in order, a title on each frame, words on each link."""
        page = look("ada", content)

        assert page.locator("h1").count() == 1
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
        assert all(after <= before + 1 for before, after in pairwise(levels))
        assert all(title for title in page.eval_on_selector_all("iframe", "all => all.map(f => f.title)"))
        assert all(text.strip() for text in page.locator("a").all_text_contents())
        assert page.evaluate("document.documentElement.lang") == "en"
