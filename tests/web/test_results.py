"""The results page: every measure with its interval, how customers were scored, and how segments respond."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient
from tests.company import company
from tests.web.conftest import Visit, application

from reactivation.measures import MEASURES


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """Whoever may read, after a first run of the sample company."""
    home = tmp_path_factory.mktemp("results")
    made = company(home, f"sqlite:///{home / 'ledger' / 'ledger.db'}")
    made.run()
    return TestClient(application(made.workspace, "ada"))


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


class TestResults:
    def test_shows_every_measure_that_has_a_figure_with_what_is_counted(self, browser: TestClient) -> None:
        """Candidates by decision stand there, and what the name of a measure means."""
        text = words(browser.get("/reactivation/results?playbook=customer_reactivation").text)

        for name in ("candidates_reviewed", "contacts_suppressed", "reactivations"):
            assert MEASURES[name].title in text
            assert MEASURES[name].definition in text
        assert "not enough data" in text

    def test_each_measure_can_be_jumped_to(self, browser: TestClient) -> None:
        """The list above the table has a link for every measure of it, in its order."""
        page = browser.get("/reactivation/results?playbook=customer_reactivation").text

        linked = re.findall(r'<a href="#([a-z_]+)">', page.partition('<nav class="measures"')[2].partition("</nav>")[0])
        assert linked == re.findall(r'<tbody id="([a-z_]+)">', page)
        assert "candidates_reviewed" in linked

    def test_an_interval_is_drawn_where_it_is_written(self, browser: TestClient) -> None:
        """As many bars as rates between 0 and 1 with both ends."""
        page = browser.get("/reactivation/results?playbook=customer_reactivation").text

        drawn = re.findall(r'class="interval".*?</span>([0-9.]+% to [0-9.]+%)', page)
        assert drawn
        assert len(drawn) == page.count('class="interval"')

    def test_can_be_divided(self, browser: TestClient) -> None:
        """By segment; the parts stand below the whole."""
        whole = browser.get("/reactivation/results?playbook=customer_reactivation").text
        parts = browser.get("/reactivation/results?playbook=customer_reactivation&by=segment").text

        assert "segment household" in parts
        assert "segment household" not in whole

    def test_says_how_each_segment_was_scored_and_what_it_is_offered(self, browser: TestClient) -> None:
        """The method with the reason where no model holds, and the step of the ladder each segment is at."""
        text = words(browser.get("/reactivation/results?playbook=customer_reactivation").text)

        assert "customers 90 days ago, 100 are needed" in text
        assert "household none 0 0 0.0 %" in text
        assert "fewer than 100 people whose time is over" in text

    def test_names_and_addresses_stand_nowhere(self, browser: TestClient) -> None:
        """Counts, rates and names of ours."""
        page = browser.get("/reactivation/results?playbook=customer_reactivation&by=value").text

        assert "@" not in page
        assert "<script" not in page

    @pytest.mark.parametrize("asked", ["playbook=nope", "playbook=customer_reactivation&by=nope"])
    def test_what_there_is_not_is_not_found(self, browser: TestClient, asked: str) -> None:
        """A playbook, and a way to divide."""
        assert browser.get(f"/reactivation/results?{asked}").status_code == 404

    def test_before_the_first_run_it_says_so(self, browser: TestClient) -> None:
        """And fails nowhere."""
        page = browser.get("/reactivation/results?playbook=customers_not_active")

        assert page.status_code == 200
        assert "has decided nothing yet" in page.text


def test_the_first_page_leads_to_it(visit: Visit) -> None:
    """One link."""
    assert 'href="/reactivation/results"' in visit("ada").get("/reactivation/").text


def test_who_may_not_read_sees_nothing(visit: Visit) -> None:
    """As every page."""
    assert visit(None).get("/reactivation/results").status_code == 401
    assert visit("ada", reader=False).get("/reactivation/results").status_code == 403
