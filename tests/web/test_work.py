"""The pages of work on accounts: an owner's tasks, and the issues to resolve. Ids only, page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.builders import account, case, consent, contact, days_ago, purchase, tables
from tests.office import NOW, PLAYBOOK, Office, by_itself, decide, open_office, owners_say, to_sign
from tests.web.conftest import TestClient, application

from reactivation.steps.answers import questions_to_ask
from reactivation.steps.editing import propose_edit
from reactivation.steps.issue_queue import OpenIssue
from reactivation.steps.owner_tasks import OwnerTask
from reactivation.web import work
from reactivation.web.auth import Visitor
from reactivation.web.rendering import environment, moment
from reactivation.web.work import IssuePage, TaskPage


@pytest.fixture
def office(tmp_path: Path, sqlite_template: Path) -> Iterator[Office]:
    """Three dormant accounts; two with open cases."""
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(sqlite_template.read_bytes())
    made = open_office(tmp_path, f"sqlite:///{ledger}")
    made.says(
        cases=[*tables()["cases"],
               case("k-oak", account_id="a-oak", kind="billing", opened_at=days_ago(270)),
               case("k-late", account_id="a-oak", kind="complaint", opened_at=days_ago(10)),
               case("k-ash", account_id="a-ash", kind="question", opened_at=days_ago(30))],
    )  # fmt: skip
    made.run(now=NOW, playbook=PLAYBOOK)
    yield made
    made.workspace.ledger.close()


def page(office: Office, path: str, user: str = "ben") -> str:
    response = TestClient(application(office.workspace, user)).get(f"/reactivation{path}")
    assert response.status_code == 200
    return response.text


def rows(text: str) -> list[str]:
    """The rows of the table as words."""
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in body.split("</tr>") if row.strip()]


class TestTasks:
    def test_owner_sees_what_he_is_asked_with_priority_and_until_when(self, office: Office) -> None:
        """One with a message to sign, two to decide without."""
        text = page(office, "/tasks")
        told = rows(text)

        assert "3 accounts wait for you" in text
        assert {row.split()[0] for row in told} == {"a-oak", "a-elm", "a-ash"}
        assert any("Read, then sign or decide" in row and "check in" in row for row in told)
        assert any("Decide without a message" in row and "owner call" in row for row in told)
        assert all("3 days left" in row for row in told)
        assert 'href="/reactivation/lists/' in text
        assert 'href="/reactivation/questions/' in text

    @pytest.mark.parametrize("user", ["ada", "cleo", "vic", "dora"])
    def test_others_have_nothing_to_do_there(self, office: Office, user: str) -> None:
        """Neither a marketing owner nor a deputy while the owner is there."""
        text = page(office, "/tasks", user)
        assert "No account waits for you" in text
        assert rows(text) == []

    def test_second_approver_finds_what_another_owner_changed(self, office: Office) -> None:
        """And its owner has it no more."""
        edit = propose_edit(
            office.workspace, PLAYBOOK, "a-elm", subject="Elm Dental Ltd: hello", opening=None, user="ben", now=NOW
        )
        request, row, items = to_sign(office, "a-elm")
        office.answer(request, row, items, "Sign", by="ben", now=NOW, signing_code=edit.signing_code)

        assert "Sign what another owner changed" in page(office, "/tasks", "dora")
        assert not any("a-elm" in row for row in rows(page(office, "/tasks")))

    def test_what_is_decided_leaves_the_queue(self, office: Office) -> None:
        """At once, not by the next run."""
        request, _, code = by_itself(office)["a-oak"]
        decide(office, request, code, decision="monitor")
        assert {row.split()[0] for row in rows(page(office, "/tasks"))} == {"a-elm", "a-ash"}


class TestWhatSourcesWrote:
    @pytest.mark.parametrize("template", ["tasks.html", "issues.html"])
    def test_stays_text(self, template: str) -> None:
        """Whatever stands in an id."""
        bad = '<script>alert("x")</script>\u202e'
        visitor = Visitor("ben", bad)
        task = OwnerTask("decide", bad, bad, None, bad, None, NOW, None, "q-1")
        issue = OpenIssue(bad, bad, False, None, [(bad, bad)], None, None, bad, NOW, bad, None, None)
        views = {
            "tasks.html": TaskPage(visitor, [task], 1, 1, 1, 1, NOW),
            "issues.html": IssuePage(visitor, [issue], NOW, 1, 1, 1),
        }  # fmt: skip
        text = environment().get_template(template).render(view=views[template], root="", airflow="")

        assert "<script" not in text
        assert "&lt;script&gt;" in text


class TestIssues:
    def test_longest_waiting_first_with_age_owner_and_what_is_next(self, office: Office) -> None:
        """Whoever may read the pages sees ids, codes and dates."""
        first, second = rows(page(office, "/issues", "cleo"))

        assert first == "a-oak billing k-oak complaint k-late 270 days own-ben nothing yet its owner is asked now"
        assert second == "a-ash question k-ash 30 days own-ben nothing yet its owner is asked now"

    def test_account_whose_owner_nobody_knows_any_more_says_so(self, office: Office) -> None:
        """By the configuration of today, once nobody is asked any more."""
        later = NOW + timedelta(days=4)
        questions_to_ask(office.workspace, later)
        owners_say(office, "own-ben: {user: ben", "own-bob: {user: ben")
        owners_say(office, ", delegate: own-ben", "")
        office.workspace = replace(office.workspace, settings=replace(office.workspace.settings, given_now=later))
        told = rows(page(office, "/issues"))[0]
        assert told.endswith("unclear own-ben nothing yet give it an owner in the CRM who is in owners.yaml")

    def test_decision_and_message_about_the_issue_are_followed(self, office: Office) -> None:
        """From the decision to the message that waits for a signature."""
        request, _, code = by_itself(office)["a-oak"]
        decide(office, request, code, decision="resolve_issue")
        assert "resolve issue" in rows(page(office, "/issues"))[0]
        assert "the next run drafts the message about it" in rows(page(office, "/issues"))[0]

        later = NOW + timedelta(days=1)
        billing = case("k-oak", account_id="a-oak", kind="billing", opened_at=days_ago(270))
        closed = {"closed_at": later, "status": "closed"}
        others = [
            case("k-late", account_id="a-oak", kind="complaint", opened_at=days_ago(10), **closed),
            case("k-ash", account_id="a-ash", kind="question", opened_at=days_ago(30), **closed),
        ]
        office.says(at=later, cases=[*tables()["cases"], billing, *others])
        office.run(now=later, playbook=PLAYBOOK)
        (only,) = rows(page(office, "/issues"))
        assert only == f"a-oak billing k-oak 270 days own-ben resolve issue {moment(NOW)} its owner is asked now"

    def test_no_names_no_notes(self, office: Office) -> None:
        """On neither page."""
        for path in ("/tasks", "/issues"):
            text = page(office, path)
            assert not any(private in text for private in ("Dental", "Prefers", "@", "Hart"))


def test_three_hundred_accounts_are_paged(tmp_path: Path, sqlite_template: Path) -> None:
    """Every account once, fifty a page; a page past the end is the last."""
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(sqlite_template.read_bytes())
    made = open_office(tmp_path, f"sqlite:///{ledger}")
    ids = [f"a-{number:03d}" for number in range(300)]
    known = tables()
    numbered = list(enumerate(ids))
    people = [contact(f"c-{n}", account_id=one, business_segment="business", owner_id="own-ben") for n, one in numbered]
    firms = [
        account(one, name="Firm", primary_contact_id=f"c-{n}", relationship_notes="x", annual_value=Decimal(1000),
                tier=None) for n, one in numbered
    ]  # fmt: skip
    bookings = [purchase(f"b-{n}", f"c-{n}", days_ago(275), kind="booking") for n, _ in numbered]
    made.says(
        contacts=[*known["contacts"], *people], accounts=firms, purchases=[*known["purchases"], *bookings],
        consents=[*known["consents"], *(consent(f"r-{n}", f"c-{n}") for n, _ in numbered)],
        cases=[case(f"k-{n}", account_id=one, kind="billing", opened_at=days_ago(100 + n)) for n, one in numbered],
    )  # fmt: skip
    made.run(now=NOW, playbook=PLAYBOOK)
    try:
        seen = [row.split()[0] for number in range(1, 7) for row in rows(page(made, f"/issues?page={number}"))]
        assert len(seen) == len(set(seen)) == 300
        assert "Page 6 of 6" in page(made, "/issues?page=99")
        assert "Page 1 of 6" in page(made, "/tasks")
        assert len(rows(page(made, "/tasks"))) == work.ROWS_PER_PAGE
    finally:
        made.workspace.ledger.close()
