"""The pages of accounts: the review brief, to whom it shows names, and the code that decides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.builders import case, days_ago, tables
from tests.office import NOW, PLAYBOOK, Office, open_office, to_sign
from tests.web.conftest import TestClient, application

from reactivation.ledger import accounts
from reactivation.ledger.tables import account_questions, audit, questions
from reactivation.steps.account_brief import Brief, brief_of
from reactivation.steps.editing import propose_edit


@pytest.fixture
def office(tmp_path: Path, sqlite_template: Path) -> Iterator[Office]:
    """Three dormant accounts after a run; one has an open billing case, so its owner is asked without a message."""
    billing = case("k-oak", account_id="a-oak", kind="billing", opened_at=days_ago(270))
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(sqlite_template.read_bytes())
    made = open_office(tmp_path, f"sqlite:///{ledger}")
    made.says(cases=[*tables()["cases"], billing])
    made.run(now=NOW, playbook=PLAYBOOK)
    yield made
    made.workspace.ledger.close()


def paths_of(office: Office) -> dict[str, str]:
    """Where each account's question is read."""
    joined = account_questions.join(questions, questions.c.question_id == account_questions.c.question_id)
    wanted = select(account_questions.c.account_id, questions.c.question_id, questions.c.list_id).select_from(joined)
    with office.workspace.ledger.begin() as conn:
        return {
            row.account_id: f"/reactivation/lists/{row.list_id}" if row.list_id
            else f"/reactivation/questions/{row.question_id}"
            for row in conn.execute(wanted)
        }  # fmt: skip


def test_owner_reads_the_brief_with_names_and_finds_the_code(office: Office) -> None:
    """That he read it is on record."""
    text = TestClient(application(office.workspace, "ben")).get(paths_of(office)["a-oak"]).text

    assert all(
        said in text for said in ("Call before anything is written", "Oak Dental Ltd", "Prefers a call.", "k-oak")
    )
    assert "The signing code of this question" in text
    with office.workspace.ledger.begin() as conn:
        assert "account_read" in set(conn.scalars(select(audit.c.action)))
    assert "Its owner was asked" in text


@pytest.mark.parametrize("user", ["ben", "cleo"])
def test_brief_is_made_once_for_a_page(office: Office, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks: it reads the whole run and snapshot."""
    made: list[bool] = []

    def counted(*args: object, personal: bool, **asked: object) -> Brief:
        made.append(personal)
        return brief_of(*args, personal=personal, **asked)  # type: ignore[arg-type]

    monkeypatch.setattr("reactivation.web.question.brief_of", counted)
    TestClient(application(office.workspace, user)).get(paths_of(office)["a-oak"])

    assert made == [user == "ben"]


@pytest.mark.parametrize("user", ["ada", "cleo", "vic"])
def test_others_see_ids_and_no_code(office: Office, user: str) -> None:
    """Neither names nor notes."""
    text = TestClient(application(office.workspace, user)).get(paths_of(office)["a-oak"]).text

    assert "c-oak" in text
    assert not any(private in text for private in ("Oak Dental", "Hart", "Prefers a call", "The signing code of this"))


def test_message_to_an_account_stands_beneath_its_brief(office: Office) -> None:
    """One page: why it went quiet, what may be decided, and the bytes that would go out."""
    text = TestClient(application(office.workspace, "ben")).get(paths_of(office)["a-elm"]).text

    assert "What becomes of account a-elm?" in text
    assert text.index("Why it went quiet") < text.index("Elm Dental Ltd: how are things?")


def test_first_page_lists_what_the_owner_has_to_decide(office: Office) -> None:
    """To those alone who are asked: no marketing owner, and no deputy while the owner is there."""
    page = "/reactivation/"

    assert "What becomes of account a-oak?" in TestClient(application(office.workspace, "ben")).get(page).text
    for user in ("ada", "dora"):
        assert "What becomes of account" not in TestClient(application(office.workspace, user)).get(page).text


def test_change_is_shown_before_and_after_to_its_owner_with_a_code_of_its_own_and_escaped(office: Office) -> None:
    """Before he approves it; who may not sign sees no code."""
    words = {"subject": "Elm Dental Ltd <b>and</b> we", "opening": "I thought of you & yours."}
    edit = propose_edit(office.workspace, PLAYBOOK, "a-elm", user="ben", now=NOW, **words)
    path = paths_of(office)["a-elm"]
    text = TestClient(application(office.workspace, "ben")).get(path).text
    code = f"<code>{edit.signing_code[:4]}<span> </span>{edit.signing_code[4:]}</code>"

    assert "<del>Elm Dental Ltd: how are things?</del>" in text
    assert "<ins>Elm Dental Ltd &lt;b&gt;and&lt;/b&gt; we</ins>" in text
    assert "<ins>I thought of you &amp; yours.</ins>" in text
    assert code in text
    assert code not in TestClient(application(office.workspace, "cleo")).get(path).text
    told = TestClient(application(office.workspace, "ben")).get(f"{path}.json").json()["edit"]
    assert told["changes"][0] == {
        "part": "Subject",
        "before": "Elm Dental Ltd: how are things?",
        "after": words["subject"],
    }
    assert told["signing_code"] == edit.signing_code


def test_second_approver_sees_what_was_changed_and_the_code_of_his_own_list(office: Office) -> None:
    """Who wrote or approved nothing of it does not even see the page."""
    words = "I thought of your second surgery."
    edit = propose_edit(office.workspace, PLAYBOOK, "a-elm", subject=None, opening=words, user="ben", now=NOW)
    request, row, items = to_sign(office, "a-elm")
    office.answer(request, row, items, "Sign", by="ben", now=NOW, signing_code=edit.signing_code)
    path = paths_of(office)["a-elm"]
    text = TestClient(application(office.workspace, "dora")).get(path).text

    assert "What was changed" in text
    assert "<ins>I thought of your second surgery.</ins>" in text
    assert "The signing code of this list" in text
    assert TestClient(application(office.workspace, "ada")).get(path).status_code == 403


def test_owner_may_look_at_the_list_of_his_words_and_not_sign_it(office: Office) -> None:
    """On its page, in JSON, in the brief, and from the first page: as who approved it, without any code."""
    words = "I thought of your second surgery."
    edit = propose_edit(office.workspace, PLAYBOOK, "a-elm", subject=None, opening=words, user="ben", now=NOW)
    request, row, items = to_sign(office, "a-elm")
    office.answer(request, row, items, "Sign", by="ben", now=NOW, signing_code=edit.signing_code)
    path, ben = paths_of(office)["a-elm"], TestClient(application(office.workspace, "ben"))
    text, told = ben.get(path).text, ben.get(f"{path}.json").json()

    assert f"<ins>{words}</ins>" in text
    assert "first approver" in text
    assert "You may look, but not sign" in text
    assert (told["may_sign"], told["signing_code"], told["edit"]["signing_code"]) == (False, None, None)
    assert f'href="{path}"' in ben.get("/reactivation/").text
    with office.workspace.ledger.begin() as conn:
        about = accounts.question_of_list(conn, path.rpartition("/")[2])
    assert about is not None
    assert "Elm Dental" in ben.get(f"/reactivation/questions/{about.question_id}/brief.html").text


@pytest.mark.parametrize(("user", "names"), [("ben", True), ("ada", False), ("vic", False), ("dora", False)])
def test_brief_to_keep_has_names_for_whoever_decides_alone(office: Office, user: str, names: bool) -> None:
    """One file that loads nothing; by ids for everybody else."""
    visit = TestClient(application(office.workspace, user))
    kept = visit.get(f"{paths_of(office)['a-oak']}/brief.html")

    assert kept.status_code == 200
    assert kept.headers["content-disposition"] == 'attachment; filename="brief-a-oak.html"'
    assert all(said in kept.text for said in ("Why it went quiet", "k-oak", "Call before anything is written"))
    assert ("Prefers a call." in kept.text, "Oak Dental" in kept.text) == (names, names)
    assert not re.search(r"(?:src|href)=|@import|<script", kept.text)


def test_brief_to_keep_of_a_message_is_for_whoever_may_see_its_list(office: Office) -> None:
    """As its page has it; a question about no account has none."""
    list_id = paths_of(office)["a-elm"].rpartition("/")[2]
    with office.workspace.ledger.begin() as conn:
        about = accounts.question_of_list(conn, list_id)
    assert about is not None
    path = f"/reactivation/questions/{about.question_id}/brief.html"

    assert "Elm Dental" in TestClient(application(office.workspace, "cleo")).get(path).text
    assert "Elm Dental" not in TestClient(application(office.workspace, "ada")).get(path).text
    nowhere = path.replace("questions/", "questions/x")
    assert TestClient(application(office.workspace, "ben")).get(nowhere).status_code == 404
