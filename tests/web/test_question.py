"""The page of a setting that waits for a signature: its terms for everybody, its code for who may sign."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.approvals.asked import NOW
from tests.ledgers import an_id
from tests.web.conftest import Visit

from reactivation import paths
from reactivation.ledger import audit, pauses, questions, replies, stops
from reactivation.ledger.replies import Reply
from reactivation.steps.accepting import KIND, ask_to_accept, asked_setting
from reactivation.steps.labelling import ask_to_label
from reactivation.steps.resuming import ask_to_resume, asked_stop
from reactivation.steps.stopping import stop_by_hand
from reactivation.steps.workspace import Workspace


@pytest.fixture
def asking(workspace: Workspace, tmp_path: Path) -> Iterator[Workspace]:
    """A tenant that asks to accept the opt-out regime, and was heard."""
    declared = yaml.safe_load((paths.INCLUDE / "tenant.yaml").read_text())
    declared["tenant"]["accept"] = {"authored_by": "operator", "settings": ["opt_out_email"]}
    (tmp_path / "tenant.yaml").write_text(yaml.safe_dump(declared))
    made = replace(workspace, settings=replace(workspace.settings, tenant=tmp_path / "tenant.yaml"))
    with made.ledger.begin() as conn:
        assert len(ask_to_accept(made, conn, NOW)) == 1
    yield made


def question(workspace: Workspace) -> questions.QuestionRow:
    with workspace.ledger.begin() as conn:
        found = questions.question_about(conn, KIND, "opt_out_email")
    assert found is not None
    return found


def page(workspace: Workspace) -> str:
    return f"/reactivation/questions/{question(workspace).question_id}"


def code(workspace: Workspace) -> str:
    asked = question(workspace)
    with workspace.ledger.begin() as conn:
        whole = asked_setting(workspace, conn, asked).signing_code
    return f"{whole[:4]}<span> </span>{whole[4:]}"


@pytest.mark.parametrize(("user", "may_sign"), [("cleo", True), ("ada", False), ("operator", False)])
def test_the_code_is_for_who_may_sign(asking: Workspace, visit: Visit, user: str, may_sign: bool) -> None:
    """The terms are for everybody who may read the pages."""
    shown = visit(user, of=asking).get(page(asking))

    assert shown.status_code == 200
    assert "under an opt-out regime" in shown.text
    assert "18 months" in shown.text
    assert (code(asking) in shown.text) == may_sign


def test_nothing_is_signed_that_nobody_asks_for_any_more(asking: Workspace, workspace: Workspace, visit: Visit) -> None:
    """The page stays, and says so; its code does not."""
    shown = visit("cleo", of=workspace).get(page(asking))

    assert "no longer asks for this setting" in shown.text
    assert code(asking) not in shown.text


def test_other_questions_have_other_pages(asking: Workspace, visit: Visit) -> None:
    """A list is read where lists are read; what is unknown is not found."""
    with asking.ledger.begin() as conn:
        of_a_list = next(iter(questions.question_ids_of_lists(conn).values()))

    for question_id in (of_a_list, "nope"):
        assert visit("cleo", of=asking).get(f"/reactivation/questions/{question_id}").status_code == 404


def test_the_first_page_leads_compliance_to_it(asking: Workspace, visit: Visit) -> None:
    """Nobody else is asked."""
    assert page(asking) in visit("cleo", of=asking).get("/reactivation/").text
    assert page(asking) not in visit("ada", of=asking).get("/reactivation/").text


def test_a_stop_has_a_page_for_whoever_may_end_it(workspace: Workspace, visit: Visit) -> None:
    """What is stopped and why; the code for marketing owners alone."""
    with workspace.ledger.begin() as conn:
        stop = stops.stop(conn, scope="channel:email", reason="deliverability:bounces", actor="dispatch", now=NOW)
        ask_to_resume(workspace, conn, NOW)
        asked = questions.question_about(conn, "resume", stop.stop_id)
        assert asked is not None
        whole = asked_stop(workspace, conn, asked, NOW).signing_code
    address = f"/reactivation/questions/{asked.question_id}"

    assert "deliverability: bounces" in visit("cleo").get(address).text
    assert "Nothing was sent in the last two weeks" in visit("cleo").get(address).text
    assert whole[4:] not in visit("cleo").get(address).text
    assert f"{whole[:4]}<span> </span>{whole[4:]}" in visit("ada").get(address).text
    assert address in visit("ada").get("/reactivation/").text


def test_whatever_is_stopped_stands_on_the_first_page(workspace: Workspace, visit: Visit) -> None:
    """For everybody who may read the pages: what, why and by whom; and where it is asked whether it may go on."""
    stop_by_hand(workspace, "everything", reason="wrong_content", user="ada", now=NOW)
    stop_by_hand(workspace, "playbook:customer_reactivation", reason="complaints", user="ben", now=NOW)
    before = visit("vic").get("/reactivation/").text
    with workspace.ledger.begin() as conn:
        ask_to_resume(workspace, conn, NOW)
        (first, second) = (questions.question_about(conn, "resume", one.stop_id) for one in stops.standing(conn, NOW))
    after = visit("vic").get("/reactivation/").text

    assert "<strong>Everything is stopped</strong> (by hand: wrong content, by ada)" in after
    assert "<strong>playbook: customer reactivation is stopped</strong> (by hand: complaints, by ben)" in after
    assert first is not None
    assert second is not None
    assert all(f'href="/reactivation/questions/{one.question_id}"' in after for one in (first, second))
    assert before.count("is asked within the hour") == 2
    assert "is asked within the hour" not in after


PAUSED = {
    "worse": (
        {"since": {}, "log_e": 5.0, "threshold": 2.9957, "watched": 1, "alpha": 0.05,
         "batches": [{"began_at": "2026-03-01T09:00:00+00:00", "until": "2026-03-03T09:00:00+00:00", "share": 0.3,
                      "variant": {"reached": 300, "converted": 15}, "control": {"reached": 700, "converted": 70}}]},
        ("15 of 300 (5.00%)", "70 of 700 (10.00%)", "30%", "148", "at least 20"),
    ),
    "complaints": (
        {"since": {"<b>plain/household": "2026-03-01T09:00:00+00:00"}, "events": 9, "sends": 1200, "rate": 0.0075,
         "limit": 0.001, "log_e": 9.0, "stop": "absolute"},
        ("1,200", "0.75%", "0.10% of the messages sent", "three times the limit", "&lt;b&gt;plain: household"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("because", PAUSED)
def test_a_pause_shows_its_evidence(workspace: Workspace, visit: Visit, because: str) -> None:
    """The counts, the e-value and what it takes, for whoever may read the pages; the code for an owner of it alone."""
    evidence, told = PAUSED[because]
    with workspace.ledger.begin() as conn:
        stop_id = pauses.pause(
            conn, playbook="customer_reactivation", variant="plain", segment="business", because=because,
            evidence=evidence, rules_version="r", actor="monitor", now=NOW,
        )  # fmt: skip
        ask_to_resume(workspace, conn, NOW)
        asked = questions.question_about(conn, "resume", stop_id)
        assert asked is not None
        whole = asked_stop(workspace, conn, asked, NOW).signing_code
    address, code = f"/reactivation/questions/{asked.question_id}", f"{whole[:4]}<span> </span>{whole[4:]}"

    shown = visit("cleo").get(address).text
    assert all(words in shown for words in told), [words for words in told if words not in shown]
    assert "Paused: customer reactivation, variant plain, business" in shown
    assert {user: code in visit(user).get(address).text for user in ("ben", "ada", "cleo")} == {
        "ben": True, "ada": False, "cleo": False,
    }  # fmt: skip
    first = {user: visit(user).get("/reactivation/").text for user in ("ben", "cleo")}
    assert (f"{address}#code" in first["ben"], f"{address}#code" in first["cleo"]) == (True, False)
    assert all(f'href="{address}"' in page and "variant plain" in page for page in first.values())
    assert all(
        ("15 of 300" if because == "worse" else "9 complaints of 1,200") in page.lower() for page in first.values()
    )
    assert visit("ben", reader=False).get(address).status_code == 403


def test_the_words_of_a_reply_are_for_whoever_may_label_it(workspace: Workspace, visit: Visit) -> None:
    """As text, whatever is in them; that they were read is on record. Labelled, they are shown to nobody."""
    reply = Reply(an_id("reply"), "0" * 64, "C1", None, "twilio", "sms", NOW, words="<b>who</b> are you?")
    replies.hold(workspace.ledger, [reply], actor="provider_events", now=NOW)
    with workspace.ledger.begin() as conn:
        (question_id,) = ask_to_label(workspace, conn, NOW)
    address = f"/reactivation/questions/{question_id}"

    assert "are you?" not in visit("cleo").get(address).text
    assert "&lt;b&gt;who&lt;/b&gt; are you?" in visit("ada").get(address).text
    assert "Somebody answered" in visit("ada").get("/reactivation/").text
    with workspace.ledger.begin() as conn:
        (read,) = audit.about(conn, reply.reply_id, ["reply_read"])
        replies.label(conn, reply.reply_id, "other", now=NOW)
    assert (read.actor, dict(read.details)) == ("ada", {})
    assert "are you?" not in visit("ada").get(address).text
