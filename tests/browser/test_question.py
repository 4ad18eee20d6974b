"""A question's page in a real browser: what is asked on the first screen, the code last, calm on any screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, Page
from tests.approvals import house
from tests.approvals.asked import NOW
from tests.browser.conftest import serving
from tests.browser.contrast import contrast
from tests.web.conftest import empty_house

from reactivation import paths
from reactivation.ledger import questions, stops
from reactivation.steps import accepting, resuming

pytestmark = pytest.mark.browser

KINDS = {accepting.KIND: "cleo", resuming.KIND: "ada"}


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[dict[str, str]]:
    """Where each kind of question is served: a setting to sign, and a stop of all e-mail."""
    home = tmp_path_factory.mktemp("asked")
    declared = yaml.safe_load((paths.INCLUDE / "tenant.yaml").read_text())
    declared["tenant"]["accept"] = {"authored_by": "operator", "settings": ["flag_only_email"]}
    (home / "tenant.yaml").write_text(yaml.safe_dump(declared))
    made = empty_house(home, sqlite_template)
    house.drafted(made)
    made = replace(made, settings=replace(made.settings, tenant=home / "tenant.yaml"))
    with made.ledger.begin() as conn:
        stop = stops.stop(conn, scope="channel:email", reason="deliverability:complaints", actor="dispatch", now=NOW)
        accepting.ask_to_accept(made, conn, NOW)
        resuming.ask_to_resume(made, conn, NOW)
        subjects = {accepting.KIND: "flag_only_email", resuming.KIND: stop.stop_id}
        asked = {kind: questions.question_about(conn, kind, subject) for kind, subject in subjects.items()}
    with serving(made) as served:
        yield {kind: f"{served}/questions/{one.question_id}" for kind, one in asked.items() if one}
    made.ledger.close()


def at(browser: Browser, address: str, user: str, **context: object) -> Page:
    settings = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | context
    page = browser.new_context(extra_http_headers={"x-test-user": user}, **settings).new_page()
    page.goto(address)
    return page


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_asked_comes_first_and_the_code_last(chromium: Browser, addresses: dict[str, str], kind: str) -> None:
    """Everything the code stands for is above it."""
    page = at(chromium, addresses[kind], KINDS[kind])
    assert page.locator("h1").bounding_box()["y"] < 400
    tables = page.locator("section h2").all_inner_texts()
    assert tables[-2:] == ["Answer", "What has happened"]
    assert page.locator(".code").bounding_box()["y"] > page.locator("h2").first.bounding_box()["y"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_nothing_sticks_out_and_everything_can_be_read(
    chromium: Browser, addresses: dict[str, str], kind: str, width: int, scheme: str
) -> None:
    """On a phone and on a desk, by day and by night."""
    page = at(chromium, addresses[kind], KINDS[kind], viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert contrast(page, "body") >= 7
    assert contrast(page, ".tag") >= 4.5
