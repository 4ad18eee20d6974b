"""The pages: who may see them, what they show, what they record, and that nothing on them runs."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.approvals import house
from tests.approvals.asked import NOW
from tests.web.conftest import Visit, empty_house

from reactivation.ledger import lists, pauses, questions, views
from reactivation.ledger.lists import ListRow
from reactivation.ledger.questions import RequestId
from reactivation.ledger.tables import audit, list_views
from reactivation.steps.answers import bind_request, record_answer
from reactivation.steps.erase import erase
from reactivation.steps.lists import open_lists
from reactivation.steps.workspace import Workspace
from reactivation.web import calendar

REQUEST = RequestId("ask_people", "scheduled__2026-11-17T11:00:00+00:00", "ask", 0)


def opened(workspace: Workspace, kind: str = "content", touch: int = 1) -> ListRow:
    with workspace.ledger.begin() as conn:
        return next(r for r in lists.open_lists(conn) if (r.kind, r.touch_number) == (kind, touch))


def path(row: ListRow, ending: str = "") -> str:
    return f"/reactivation/lists/{row.list_id}{ending}"


def audited(workspace: Workspace) -> list[tuple[str, str]]:
    with workspace.ledger.begin() as conn:
        return [tuple(row) for row in conn.execute(select(audit.c.actor, audit.c.action).order_by(audit.c.seq))]


class TestAccess:
    @pytest.mark.parametrize(
        "page", ["/", "/calendar", "/style.css", "/lists/no-such-list", "/lists/no-such-list.json"]
    )
    def test_every_page_needs_a_login_and_the_right_to_read(self, visit: Visit, page: str) -> None:
        """Nobody gets 401, a user without the right 403; whether a list exists is not told."""
        assert visit(None).get(f"/reactivation{page}").status_code == 401
        assert visit("ada", reader=False).get(f"/reactivation{page}").status_code == 403

    def test_no_route_is_left_without_the_guard(self, visit: Visit) -> None:
        """Every route of the application, present and future, refuses the anonymous."""
        app = visit(None).app.routes[-1].app
        asked = [r.path.format(list_id="l-1", kind="runs", subject_id="r-1", question_id="q-1") for r in app.routes]

        assert {visit(None).get(f"/reactivation{p}").status_code for p in asked} == {401}
        assert all(r.methods == {"GET"} for r in app.routes)

    @pytest.mark.parametrize(
        ("user", "kind", "status"),
        [
            ("ada", "content", 200), ("ben", "content", 200), ("olu", "content", 200), ("cleo", "content", 200),
            ("operator", "content", 403), ("viewer", "content", 403),
            ("olu", "offer", 200), ("cleo", "offer", 200), ("ada", "offer", 403), ("operator", "offer", 403),
        ],
    )  # fmt: skip
    def test_a_list_is_for_signers_offer_approvers_and_compliance(
        self, workspace: Workspace, visit: Visit, user: str, kind: str, status: int
    ) -> None:
        """Everybody else is refused, on the page and in JSON alike, and the refusal is kept."""
        row = opened(workspace, kind, 3)

        assert visit(user).get(path(row)).status_code == status
        assert visit(user).get(path(row, ".json")).status_code == status
        assert ((user, "list_page_refused") in audited(workspace)) == (status == 403)

    def test_a_refusal_shows_nothing_of_the_list(self, workspace: Workspace, visit: Visit) -> None:
        """Neither names nor counts nor the code leak in an error."""
        refused = visit("operator").get(path(opened(workspace)), headers={"accept": "text/html"})

        assert "not yours to see" in refused.text
        assert not any(secret in refused.text for secret in ("gmail.com", "c-1", opened(workspace).signing_code))

    def test_an_unknown_list_and_a_silly_page_are_not_found(self, workspace: Workspace, visit: Visit) -> None:
        """Whatever stands in the address, the answer is a page."""
        for address in (
            "/reactivation/lists/nope",
            path(opened(workspace)) + "?page=0",
            path(opened(workspace)) + "?page=x",
        ):
            assert visit("ada").get(address).status_code == 404

    def test_nothing_but_get(self, workspace: Workspace, visit: Visit) -> None:
        """There is no way to change anything here."""
        for method in ("post", "put", "patch", "delete", "head"):
            assert getattr(visit("ada"), method)(path(opened(workspace))).status_code == 405


class TestHeaders:
    @pytest.mark.parametrize("page", ["/", "/style.css", "/lists/nope"])
    def test_nothing_runs_loads_from_elsewhere_or_stays_in_a_cache(self, visit: Visit, page: str) -> None:
        """On pages and errors alike."""
        headers = visit("ada").get(f"/reactivation{page}").headers

        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "script-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"

    def test_no_page_has_a_script_or_an_address_elsewhere(self, workspace: Workspace, visit: Visit) -> None:
        """Our own markup loads our own stylesheet and nothing more."""
        text = visit("ada").get(path(opened(workspace))).text
        ours = re.sub(r"srcdoc=\"[^\"]*\"", "", text)

        assert "<script" not in ours
        assert re.findall(r"(?:src|href)=\"(?:https?:)?//[^\"]*\"", ours) == []
        assert re.findall(r"\son\w+\s*=\s*[\"'\w]", re.sub(r">[^<]*<", "><", ours)) == []


class TestCalendar:
    def test_the_first_page_leads_to_it(self, visit: Visit) -> None:
        """One link."""
        assert 'href="/reactivation/calendar"' in visit("ada").get("/reactivation/").text

    def test_shows_the_days_and_every_touch_by_id(self, visit: Visit) -> None:
        """Five people with touch 1 and two with touch 3 are asked about; their names and addresses stand nowhere."""
        text = visit("operator").get("/reactivation/calendar").text
        rows = re.sub(r"<[^>]+>", " ", text)

        assert re.search(r"2026-11-17\s+5\s+2", rows)
        assert all(f"<code>c-{n}</code>" in text for n in range(1, 6))
        assert "offer-credit-15" in text
        assert "listed" in text
        for n in range(1, 6):
            assert house.draft(n)["recipient"] not in text
        assert "@" not in text

    def test_is_paged_and_knows_its_playbooks(self, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
        """A page past the end is the last; a playbook there is not is not found."""
        monkeypatch.setattr(calendar, "ROWS_PER_PAGE", 3)
        page = visit("ada").get("/reactivation/calendar?playbook=customer_reactivation&page=9").text

        assert "page 3 of 3" in page
        assert page.count("<code>c-") == 1
        assert visit("ada").get("/reactivation/calendar?playbook=nope").status_code == 404


class TestListPage:
    def test_shows_the_exact_bytes(self, workspace: Workspace, visit: Visit) -> None:
        """Subject, text part, HTML, headers, recipient and sender stand there as they will go out."""
        text = html.unescape(visit("ada").get(path(opened(workspace))).text)

        for n in range(1, 6):
            row = house.draft(n)
            for exact in (row["subject"], row["text"], row["html"], row["recipient"], row["sender"]):
                assert exact in text
            assert row["headers"][0]["value"] in text

    def test_awkward_names_stay_text(self, workspace: Workspace, visit: Visit) -> None:
        """A name cannot become a tag, an attribute or a template."""
        raw = visit("ada").get(path(opened(workspace))).text

        assert "<script" not in raw
        assert "</iframe><img" not in raw
        assert "onerror=alert(2)>" not in raw
        assert "42" not in re.findall(r"<dd>(.*), is the boiler", raw)
        assert "{{ 6*7 }} {% raw %}, is the boiler still humming?" in raw

    def test_the_frame_has_no_rights(self, workspace: Workspace, visit: Visit) -> None:
        """A message is shown in a sandbox that allows nothing."""
        frames = re.findall(r"<iframe[^>]*?srcdoc", visit("ada").get(path(opened(workspace))).text, re.S)

        assert len(frames) == 5
        assert all(re.match(r"<iframe sandbox srcdoc", frame) for frame in frames)

    def test_individual_people_stand_apart_with_why(self, workspace: Workspace, visit: Visit) -> None:
        """Who needs a decision of his own comes first, and every item says why this person."""
        text = visit("ada").get(path(opened(workspace))).text

        assert text.index("One by one") < text.index("c-5") < text.index("The group") < text.index("c-1")
        for told in ("130 days (critical)", "seasonal pause (inferred)", "express", "k-1", "3 times; GBP 360.00 in 24"):
            assert told in text
        assert "relationship: the relationship is marked as sensitive" in text

    def test_says_what_is_asked_what_stops_it_and_what_to_answer(self, workspace: Workspace, visit: Visit) -> None:
        """The question first; stop rules and review points of the playbook; the time that is left."""
        text = visit("ada").get(path(opened(workspace))).text

        assert "May these 5 messages go out?" in text
        assert text.index("May these") < text.index("Do not sign when") < text.index("One by one")
        for told in ("the contact opted out", "sensitive history", "commercially smart", "3 days left"):
            assert told in text

    def test_an_offer_list_has_terms_and_cost(self, workspace: Workspace, visit: Visit) -> None:
        """The approver reads the terms and the most it can cost before anything else."""
        text = visit("olu").get(path(opened(workspace, "offer", 3))).text

        assert "May 2 people get this offer?" in text
        assert text.count("GBP 30.00") == 2
        assert house.TERMS in text
        assert "HF-1" in text

    def test_links_to_airflows_form_once_it_is_open(self, workspace: Workspace, visit: Visit) -> None:
        """Before the request exists the page says so; afterwards the link leads to exactly this request."""
        row = opened(workspace)
        assert "The form is not open yet" in visit("ada").get(path(row)).text

        with workspace.ledger.begin() as conn:
            questions.bind(conn, REQUEST, questions.question_ids_of_lists(conn)[row.list_id], NOW)

        run = "scheduled__2026-11-17T11%3A00%3A00%2B00%3A00"
        link = f'href="/dags/ask_people/runs/{run}/tasks/ask/mapped/0/required_actions"'
        assert link in visit("ada").get(path(row)).text

    def test_a_closed_list_shows_what_became_of_each(self, workspace: Workspace, visit: Visit) -> None:
        """Verdicts instead of a code."""
        row = opened(workspace)
        with workspace.ledger.begin() as conn:
            questions.bind(conn, REQUEST, questions.question_ids_of_lists(conn)[row.list_id], NOW)
        rejection = {
            "chosen_options": ["Reject all"], "params_input": {"signing_code": row.signing_code},
            "responded_by_user": {"id": "ada", "name": "ada"},
        }  # fmt: skip
        record_answer(workspace, REQUEST, rejection, NOW)

        text = visit("ada").get(path(row)).text
        assert text.count('class="tag verdict rejected"') == 6
        assert row.signing_code[:4] not in re.sub(r"<[^>]*>", "", text)


class TestTextMessages:
    @pytest.fixture
    def texting(self, tmp_path: Path, sqlite_template: Path) -> Workspace:
        """A company whose first touch is a text message that makes a claim."""
        made = empty_house(tmp_path / "texting", sqlite_template)
        claims = [{"claim_id": "clm-review-boilers", "text_digest": "ab" * 32}]
        text = {"channel": "sms", "sender": "+447700900123", "recipient": "+447700900456", "subject": None,
                "html": None, "headers": [], "claims": claims}  # fmt: skip
        permitted = {"sms_basis": "express_written", "sms_records": ["s-1"]}
        people = [
            (house.decision(1, **permitted), [house.draft(1, text="Harbour & Finch: <b>hello</b>", **text)]),
            (house.decision(2, **permitted), [house.draft(2, text=f"Harbour & Finch: {'word ' * 40}", **text)]),
        ]
        house.drafted(made, people)
        open_lists(made, house.RUN, NOW)
        return made

    def test_is_shown_as_text_with_its_segments(self, texting: Workspace, visit: Visit) -> None:
        """No frame, no subject, nothing that could be markup; the permission is the channel's own."""
        raw = visit("ada", of=texting).get(path(opened(texting))).text
        assert "Harbour &amp; Finch: &lt;b&gt;hello&lt;/b&gt;" in raw
        assert "29 characters,\n1 segment." in raw
        assert "2 segments." in raw
        assert "<iframe" not in raw
        assert "<dt>Subject</dt>" not in raw
        assert "express written" in raw

    def test_every_claim_is_listed_with_the_digest_of_its_words(self, texting: Workspace, visit: Visit) -> None:
        """On the item's card, in the document for scripts, and in Airflow's form."""
        row = opened(texting)
        assert (
            "<dt>clm-review-boilers</dt><dd>words <code>abababababab</code>"
            in visit("ada", of=texting).get(path(row)).text
        )
        item = visit("ada", of=texting).get(path(row, ".json")).json()["items"][0]
        assert item["draft"]["claims"] == [{"claim_id": "clm-review-boilers", "text_digest": "ab" * 32}]
        with texting.ledger.begin() as conn:
            question = questions.question_ids_of_lists(conn)[row.list_id]
        shown = bind_request(texting, REQUEST, question, NOW)
        assert "| Claims | `clm-review-boilers`, words `abababababab` |" in shown.body


class TestPaused:
    def test_the_page_says_since_when_by_what_and_who_may_let_it_go_on(
        self, workspace: Workspace, visit: Visit
    ) -> None:
        """Before anybody signs; in JSON, too. A no still counts, so its code stays."""
        row = opened(workspace)
        evidence = {"events": 9, "sends": 1000, "limit": 0.005}
        assert "Paused:" not in visit("ada").get(path(row)).text
        with workspace.ledger.begin() as conn:
            pauses.pause(
                conn, playbook=row.playbook, variant=None, segment=None, because="complaints", evidence=evidence,
                rules_version="r", actor="monitor", now=NOW,
            )  # fmt: skip
        text, told = visit("ada").get(path(row)).text, visit("ada").get(path(row, ".json")).json()

        assert "Paused: customer reactivation, since" in text
        assert "by monitor (complaints)" in text
        assert "ada or ben" in text
        assert "is good for <strong>Reject all</strong> alone" in text
        assert told["paused"]["may_resume"] == ["ada", "ben"]
        assert told["signing_code"] == row.signing_code


class TestSigningCode:
    def test_stands_at_the_end_for_a_signer_who_has_seen_enough(self, workspace: Workspace, visit: Visit) -> None:
        """After the last message, nowhere before."""
        row = opened(workspace)
        text = visit("ada").get(path(row)).text
        shown = f"{row.signing_code[:4]}<span> </span>{row.signing_code[4:]}"

        assert text.count(shown) == 1
        assert text.index(shown) > text.rindex("</article>")
        assert visit("ada").get(path(row, ".json")).json()["signing_code"] == row.signing_code

    @pytest.mark.parametrize("user", ["olu", "cleo"])
    def test_is_for_signers_only(self, workspace: Workspace, visit: Visit, user: str) -> None:
        """Compliance and other approvers look; they do not sign."""
        row = opened(workspace)

        assert "You may look, but not sign" in visit(user).get(path(row)).text
        assert visit(user).get(path(row, ".json")).json()["signing_code"] is None

    def test_waits_until_the_sample_of_the_group_was_seen(
        self, tmp_path: Path, sqlite_template: Path, visit: Visit
    ) -> None:
        """Eleven individual people fill the first page: the group, and with it the code, comes with the second."""
        workspace = empty_house(tmp_path / "more", sqlite_template)
        house.drafted(workspace, house.crowd(22, individual=11))
        open_lists(workspace, house.RUN, NOW)
        row, ada = opened(workspace), visit("ada", of=workspace)

        first = ada.get(path(row, ".json")).json()
        assert (first["signing_code"], first["sample_seen"], first["sample_needed"], first["pages"]) == (None, 0, 5, 3)
        assert "Look at a few more first" in ada.get(path(row)).text
        assert ada.get(path(row, ".json") + "?page=2").json()["signing_code"] == row.signing_code
        assert ada.get(path(row, ".json")).json()["signing_code"] == row.signing_code
        assert visit("ben", of=workspace).get(path(row, ".json")).json()["signing_code"] is None

    def test_not_while_the_bytes_differ(self, workspace: Workspace, visit: Visit) -> None:
        """Drafts changed after listing are not shown, do not count as seen, and there is no code."""
        row = opened(workspace)
        file = workspace.run_folder(house.RUN).path / "drafts.parquet"
        file.write_bytes(file.read_bytes().replace(b"PAR1", b"PAR2", 1))

        document = visit("ada").get(path(row, ".json")).json()
        assert [item["draft"] for item in document["items"]] == [None] * 5
        assert (document["sample_seen"], document["signing_code"]) == (0, None)
        assert "No code while a message differs" in visit("ada").get(path(row)).text

    def test_an_erased_person_is_no_hindrance(self, workspace: Workspace, visit: Visit) -> None:
        """The page says so where the message was; the others can be signed, and their addresses alone are revealed."""
        row = opened(workspace)
        erase(workspace, customer_id="c-1", user="cleo", reason="person_asked", now=NOW)

        document = visit("ada").get(path(row, ".json")).json()
        by_id = {item["customer_id"]: item for item in document["items"]}
        assert (by_id["c-1"]["erased"], by_id["c-1"]["draft"]) == (True, None)
        assert not any(item["erased"] or item["draft"] is None for item in by_id.values() if item is not by_id["c-1"])
        assert document["signing_code"] == row.signing_code
        page = visit("ada").get(path(row)).text
        assert page.count("Erased: this person") == 1
        assert "customer1@gmail.com" not in page
        with workspace.ledger.begin() as conn:
            told = conn.scalars(select(audit.c.details).where(audit.c.action == "list_page_seen")).all()
        assert {json.loads(details)["addresses_revealed"] for details in told} == {4}

    def test_not_after_the_list_expired(self, workspace: Workspace, visit: Visit) -> None:
        """Too late is too late."""
        row = opened(workspace)
        late = house.house(workspace.settings.home, workspace.ledger, given_now=NOW + timedelta(days=3))

        assert visit("ada", of=late).get(path(row, ".json")).json()["signing_code"] is None
        assert "expired" in visit("ada", of=late).get(path(row)).text


class TestRecord:
    def test_looking_is_recorded_once_and_audited_each_time(self, workspace: Workspace, visit: Visit) -> None:
        """One view row for what was seen first; one audit row for each time addresses were revealed."""
        row = opened(workspace)
        for ending in ("", ".json", ""):
            visit("ada").get(path(row, ending))

        with workspace.ledger.begin() as conn:
            assert views.views_of(conn, row.list_id)["ada"] == {f"t-{n}-1" for n in range(1, 6)}
            assert conn.scalar(select(func.count()).select_from(list_views)) == 1
            told = conn.scalars(select(audit.c.details).where(audit.c.action == "list_page_seen")).all()
        assert [json.loads(t)["addresses_revealed"] for t in told] == [5, 5, 5]
        assert not any("gmail" in t for t in told)

    def test_only_what_was_on_the_screen_counts(self, tmp_path: Path, sqlite_template: Path, visit: Visit) -> None:
        """The second page is seen when it was opened."""
        workspace = empty_house(tmp_path / "more", sqlite_template)
        house.drafted(workspace, house.crowd(12))
        open_lists(workspace, house.RUN, NOW)
        row, ada = opened(workspace), visit("ada", of=workspace)

        ada.get(path(row))
        with workspace.ledger.begin() as conn:
            assert len(views.views_of(conn, row.list_id)["ada"]) == 10
        ada.get(path(row) + "?page=99")
        with workspace.ledger.begin() as conn:
            assert len(views.views_of(conn, row.list_id)["ada"]) == 12

    @pytest.mark.parametrize("hint", [{"sec-purpose": "prefetch;prerender"}, {"purpose": "prefetch"}])
    def test_a_page_loaded_in_advance_was_not_looked_at(
        self, workspace: Workspace, visit: Visit, hint: dict[str, str]
    ) -> None:
        """A browser that prefetches shows nothing to anybody."""
        row = opened(workspace)

        assert visit("ada").get(path(row), headers=hint).status_code == 425
        with workspace.ledger.begin() as conn:
            assert views.views_of(conn, row.list_id) == {}


class TestOverview:
    def test_own_lists_first_with_counts_only(self, workspace: Workspace, visit: Visit) -> None:
        """What waits for me, what waits for others, and no address anywhere."""
        text = visit("ada").get("/reactivation/").text

        assert "2 lists wait for you" in text
        assert text.index("Yours to sign") < text.index("For other people") < text.index("not yours to see")
        assert text.count("Read and sign") == 2
        assert "gmail.com" not in text

    def test_the_operator_sees_that_lists_wait_but_cannot_open_them(self, workspace: Workspace, visit: Visit) -> None:
        """Counts and deadlines are for everybody who may read the DAG."""
        text = visit("operator").get("/reactivation/").text

        assert "Nothing waits for you" in text
        assert "/reactivation/lists/" not in text
        assert text.count("not yours to see") == 3

    def test_shows_the_funnel_of_the_last_run(self, workspace: Workspace, visit: Visit) -> None:
        """From contacts down to what was listed."""
        text = visit("cleo").get("/reactivation/").text

        assert "Customer reactivation: the last run" in text
        assert re.search(r"contacts</th>\s*<td class=\"number\">5</td>", text)
        assert re.search(r"touches listed</dt><dd>7</dd>", text)
        assert re.search(r"lists open</dt><dd>3</dd>", text)

    def test_nothing_yet(self, tmp_path: Path, sqlite_template: Path, visit: Visit) -> None:
        """A new installation says that no list is open."""
        workspace = empty_house(tmp_path / "new", sqlite_template)

        assert "No list is open" in visit("ada", of=workspace).get("/reactivation/").text


class TestTrouble:
    def test_a_ledger_that_cannot_be_read_is_said_plainly(self, workspace: Workspace, visit: Visit) -> None:
        """No stack of technical words: what is wrong and whom to tell."""
        client = visit("ada")
        (workspace.settings.home / "ledger" / "ledger.db").unlink()

        answer = client.get("/reactivation/", headers={"accept": "text/html"})
        assert answer.status_code == 503
        assert "cannot be read" in answer.text

    def test_scripts_get_json_errors(self, visit: Visit) -> None:
        """The JSON variant never answers with a page."""
        answer = visit("ada").get("/reactivation/lists/nope.json", headers={"accept": "text/html"})

        assert answer.json() == {"detail": "There is nothing here"}
