"""What a user of Airflow can do to an approval, done to a running Airflow: nothing is sent in any of them.

Each test has a list of its own. The last class is the control: a real signature does send, exactly what was signed.
Source: the findings about Airflow 3.3.2 that decided how people are asked (docs/decisions/0002).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import func, select
from tests.live.conftest import ASKING, Asked, Live
from tools.api import instance_path

from reactivation.approvals.waivers import WAIVE
from reactivation.ledger import questions, runs
from reactivation.ledger.tables import audit, enrolments, request_bindings, sends, steps
from reactivation.steps.waiving import waiver_code

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

FORGED = {"chosen_options": ["Sign"], "params_input": {}, "responded_by_user": {"id": "ada", "name": "ada"}}


@pytest.fixture(scope="module")
def opened(live: Live) -> dict[str, tuple[Asked, dict[str, Any]]]:
    """One run that asks about several lists at once, triggered with a conf that fills in the whole form."""
    names = ("marked success", "forged xcom", "foreign", "wrong code", "empty form", "junk", "cleared")
    lists = {name: live.new_list() for name in names}
    prefilled = {"reason": "other", "left_out": "none"} | {f"point_{p}": "ok" for p in ("offer", "tone", "channel")}
    codes = {"signing_code": lists["marked success"].signing_code}
    waiting = live.ask(*(a.question_id for a in lists.values()), **prefilled, **codes)
    return {name: (lists[name], ti) for name, ti in zip(names, waiting, strict=True)}


class TestWhatIsShown:
    def test_conf_fills_in_nothing(self, live: Live, opened: dict[str, tuple[Asked, dict[str, Any]]]) -> None:
        """Every field of the form is empty, whatever the run was triggered with; silence holds."""
        for _, ti in opened.values():
            shown = live.request(ti)
            assert {field["value"] for field in shown["params"].values()} == {""}
            assert {"signing_code", "left_out", "individual", "reason", "point_offer"} <= set(shown["params"])
            assert (shown["options"], shown["defaults"]) == (["Sign", "Hold all", "Reject all"], ["Hold all"])

    def test_only_the_signers_are_asked(self, live: Live, opened: dict[str, tuple[Asked, dict[str, Any]]]) -> None:
        """Never nobody, which would mean anybody."""
        for _, ti in opened.values():
            assert [user["id"] for user in live.request(ti)["assigned_users"]] == ["ada", "ben"]

    def test_request_links_to_the_page_and_shows_no_code(
        self, live: Live, opened: dict[str, tuple[Asked, dict[str, Any]]]
    ) -> None:
        """Where the code is, there is what it signs."""
        asked, ti = opened["foreign"]
        shown = live.request(ti)
        assert f"/reactivation/lists/{asked.list_id}" in shown["body"]
        assert asked.signing_code not in f"{shown['body']}{shown['subject']}"
        links = live.users["vic"].get(f"{instance_path(ti).rsplit('/', 1)[0]}/links", map_index=ti["map_index"])
        assert links["extra_links"]["The page"] == f"/reactivation/lists/{asked.list_id}"


class TestForgeries:
    def test_marked_success(self, live: Live, opened: dict[str, tuple[Asked, dict[str, Any]]]) -> None:
        """A plain user marks the request successful."""
        asked, ti = opened["marked success"]
        answer = live.users["cleo"].call("PATCH", instance_path(ti), {"new_state": "success"})
        assert answer.status_code == 200, answer.text
        live.until(lambda: live.state(ti) == "success", "the mark")
        assert live.list_state(asked) == "open"
        assert live.refusals(asked) == []
        assert live.sent_of(asked) == set()

    def test_forged_xcom(self, live: Live, opened: dict[str, tuple[Asked, dict[str, Any]]]) -> None:
        """A plain user writes what a signature would have returned, and marks the task successful."""
        asked, ti = opened["forged xcom"]
        forged = {"key": "return_value", "value": FORGED, "map_index": ti["map_index"]}
        made = live.users["cleo"].call("POST", f"{instance_path(ti).rsplit('/', 1)[0]}/xcomEntries", forged)
        assert made.status_code == 201, made.text
        live.users["cleo"].patch(instance_path(ti), {"new_state": "success"})
        assert live.refusals(asked) == []
        assert live.sent_of(asked) == set()

    @pytest.mark.parametrize("user", ["olu", "cleo", "operator", "vic"])
    def test_foreign_responder(self, live: Live, opened: dict[str, Any], user: str) -> None:
        """Somebody who is no signer of this list knows its code and answers; Airflow refuses him."""
        asked, ti = opened["foreign"]
        form = live.form(asked, "ada", signing_code=asked.signing_code)
        assert live.users[user].respond(ti, "Sign", form).status_code == 403
        assert live.list_state(asked) == "open"
        assert live.sent_of(asked) == set()

    def test_wrong_code(self, live: Live, opened: dict[str, tuple[Asked, dict[str, Any]]]) -> None:
        """A signer signs with the code of another list: held, with the reason."""
        asked, ti = opened["wrong code"]
        form = live.form(asked, "ada", signing_code=opened["foreign"][0].signing_code)
        assert live.answer(ti, "ada", "Sign", form) == 200
        assert live.state(ti) == "success"
        assert live.refusals(asked) == ["signing_code_differs"]
        assert live.list_state(asked) == "held"
        assert live.sent_of(asked) == set()

    def test_empty_form(self, live: Live, opened: dict[str, tuple[Asked, dict[str, Any]]]) -> None:
        """Airflow accepts an answer without a form; the ledger holds it."""
        asked, ti = opened["empty form"]
        assert live.answer(ti, "ada", "Sign", {}) == 200
        assert live.refusals(asked) == ["signing_code_differs"]
        assert live.sent_of(asked) == set()

    def test_junk_in_the_form(self, live: Live, opened: dict[str, tuple[Asked, dict[str, Any]]]) -> None:
        """Airflow checks no value; junk is a recorded *held*, and the task does not fail and ask again."""
        asked, ti = opened["junk"]
        junk: Any = {"signing_code": ["{{ 6*7 }}"], "unknown": {"a": None}, "reason": 7}
        assert live.answer(ti, "ada", "Sign", junk) == 200
        assert live.state(ti) == "success"
        assert live.refusals(asked) == ["signing_code_differs"]
        assert live.sent_of(asked) == set()

    def test_cleared_after_the_answer(self, live: Live, opened: dict[str, tuple[Asked, dict[str, Any]]]) -> None:
        """A list held by its owner is asked about again by clearing the task: there is nothing left to ask."""
        asked, ti = opened["cleared"]
        assert live.answer(ti, "ada", "Hold all", {}) == 200
        assert live.list_state(asked) == "held"
        _clear(live, ti)
        live.until(lambda: live.state(ti) == "skipped", "the cleared request to find its question closed")
        assert live.sent_of(asked) == set()

    def test_edited_list_and_retried_request(self, live: Live) -> None:
        """A plain user exchanges the question of an open request, first before its answer, then with a retry: the
        request shows and signs what it was bound to, and the other list stays unasked."""
        mine, other = live.new_list(), live.new_list()
        (ti,) = live.ask(mine.question_id)
        before = live.request(ti)
        path = f"/api/v2/dags/{ASKING}/dagRuns/{quote(ti['dag_run_id'], safe='')}/taskInstances/open_questions"
        live.users["cleo"].patch(f"{path}/xcomEntries/return_value", {"value": [other.question_id]})
        _clear(live, ti)
        live.until(lambda: live.state(ti) == "awaiting_input" and _try(live, ti) > _try_of(ti), "the retried request")
        after = live.request(ti)
        assert {k: after[k] for k in ("subject", "body", "params", "options", "assigned_users")} == {
            k: before[k] for k in ("subject", "body", "params", "options", "assigned_users")
        }
        assert live.answer(ti, "ada", "Sign", live.form(other, "ada")) == 200
        assert live.refusals(mine) == ["signing_code_differs"]
        assert live.refusals(other) == []
        assert _request_of(live, other.question_id) is None
        assert live.sent_of(mine) | live.sent_of(other) == set()

    def test_run_deleted_and_made_again(self, live: Live) -> None:
        """A run ended, deleted and made again under its id with another question shows what it was bound to."""
        mine, other = live.new_list(), live.new_list()
        (ti,) = live.ask(mine.question_id, run_id="by_hand_1")
        live.users["cleo"].patch(f"/api/v2/dags/{ASKING}/dagRuns/by_hand_1", {"state": "failed"})
        again = _made_again(live, "by_hand_1", other.question_id)
        assert again["id"] != ti["id"]
        assert f"/reactivation/lists/{mine.list_id}" in live.request(again)["body"]
        assert live.answer(again, "ada", "Sign", live.form(other, "ada")) == 200
        assert live.refusals(mine) == ["signing_code_differs"]
        assert _request_of(live, other.question_id) is None
        assert live.sent_of(mine) | live.sent_of(other) == set()

    def test_nobody_to_ask(self, live: Live) -> None:
        """A list without signers: the request is not opened, since Airflow would let anybody answer."""
        asked = live.new_list(signers=())
        run = live.users["operator"].trigger(ASKING, question_ids=[asked.question_id])
        live.until(lambda: live.users["operator"].run(ASKING, run)["state"] in ("success", "failed"), "the run")
        (ti,) = [t for t in live.users["operator"].tasks(ASKING, run) if t["task_id"] == "ask"]
        assert ti["state"] in ("skipped", "failed")
        assert live.users["operator"].call("GET", f"{instance_path(ti)}/hitlDetails").status_code == 404
        assert live.sent_of(asked) == set()

    def test_asking_by_hand(self, live: Live) -> None:
        """The product's own asking cannot be started by hand, so no conf ever comes near a form."""
        refused = live.users["operator"].call("POST", "/api/v2/dags/ask_people/dagRuns", {"logical_date": None})
        assert refused.status_code == 400
        assert "does not allow manual runs" in refused.text

    def test_readiness_marked_success(self, live: Live) -> None:
        """A plain user marks the failed readiness of a run (nobody may approve offers) successful and clears what
        follows: the next step finds in the ledger that readiness did not succeed, and nobody is enrolled."""
        owners = live.workspace.settings.owners
        kept = owners.read_text(encoding="utf-8")
        try:
            owners.write_text(kept.replace("offer_approver", "compliance"), encoding="utf-8")
            run = live.users["operator"].trigger("customer_reactivation")
            live.until(
                lambda: live.users["operator"].run("customer_reactivation", run)["state"] == "failed", "the stop"
            )
        finally:
            owners.write_text(kept, encoding="utf-8")
        assert _states(live, run)["readiness"] == "failed", _states(live, run)
        path = f"/api/v2/dags/customer_reactivation/dagRuns/{quote(run, safe='')}/taskInstances/readiness"
        live.users["cleo"].patch(path, {"new_state": "success"})
        following = {"task_ids": ["plan", "draft", "open_lists"], "dry_run": False, "only_failed": False}
        live.users["cleo"].post(
            "/api/v2/dags/customer_reactivation/clearTaskInstances",
            following | {"dag_run_id": run, "reset_dag_runs": True},
        )
        live.until(lambda: _states(live, run)["plan"] == "failed", "the planning to refuse")
        with live.workspace.ledger.begin() as conn:
            stopped = conn.scalars(select(steps.c.run_id).where(steps.c.state == "not_ready")).all()
            enrolled = conn.scalars(select(enrolments.c.run_id).distinct()).all()
        assert len(stopped) == 1
        assert enrolled == [live.run_id]


class TestControl:
    def test_a_signature_sends_what_was_signed_and_nothing_else(self, live: Live) -> None:
        """Asked by the product itself; one item signed, the other left out: one message, with the signed bytes."""
        asked = live.new_list()
        assets = live.users["operator"].get("/api/v2/assets", name_pattern="reactivation_lists")["assets"]
        live.users["operator"].post("/api/v2/assets/events", {"asset_id": assets[0]["id"], "extra": {}})
        live.until(lambda: _request_of(live, asked.question_id) is not None, "ask_people to ask")
        request = _request_of(live, asked.question_id)
        assert request is not None
        ti = {"dag_id": request.dag_id, "dag_run_id": request.dag_run_id, "task_id": request.task_id,
              "map_index": request.map_index}  # fmt: skip
        live.until(lambda: live.state(ti) == "awaiting_input", "the request to wait")
        page = live.users["ada"].get(f"/reactivation/lists/{asked.list_id}.json", page=1)
        signed, left_out = page["items"]
        form = live.form(asked, "ada", left_out=str(left_out["position"]), reason="timing")
        assert live.answer(ti, "ada", "Sign", form) == 200
        assert live.refusals(asked) == [None]
        assert live.sent_of(asked) == {signed["touch_id"]}
        with live.workspace.ledger.begin() as conn:
            send_id = conn.scalar(select(sends.c.send_id).where(sends.c.touch_id == signed["touch_id"]))
        file = live.workspace.settings.outbox / f"{send_id}.eml"
        message = message_from_bytes(file.read_bytes(), policy=policy.default)
        assert message["To"] == signed["draft"]["recipient"]
        assert message["Subject"] == signed["draft"]["subject"]
        plain = message.get_body(("plain",))
        assert plain is not None
        assert plain.get_content().split() == signed["draft"]["text"].split()

    def test_airflow_keeps_ids_and_codes_only(self, live: Live) -> None:
        """No XCom and no log holds an address of the sample."""
        domains = (".example", "@")
        xcoms = live.users["vic"].get("/api/v2/dags/~/dagRuns/~/taskInstances/~/xcomEntries", limit=100)
        values = [
            live.users["vic"].get(
                f"/api/v2/dags/{x['dag_id']}/dagRuns/{quote(x['run_id'], safe='')}/taskInstances/{x['task_id']}"
                f"/xcomEntries/{quote(x['key'], safe='')}", map_index=x["map_index"],
            )["value"]
            for x in xcoms["xcom_entries"]
        ]  # fmt: skip
        assert values
        assert [v for v in values if any(d in str(v) for d in domains) and "responded_by_user" not in str(v)] == []

    def test_every_question_was_asked_once(self, live: Live) -> None:
        """As many requests bound as questions asked, whatever was cleared, edited or made again."""
        with live.workspace.ledger.begin() as conn:
            requests = conn.scalar(select(func.count()).select_from(request_bindings))
            asked = conn.scalar(select(func.count(request_bindings.c.question_id.distinct())))
        assert requests == asked


def _clear(live: Live, ti: dict[str, Any]) -> None:
    body = {
        "dag_run_id": ti["dag_run_id"], "task_ids": [[ti["task_id"], ti["map_index"]]], "dry_run": False,
        "only_failed": False, "reset_dag_runs": True,
    }  # fmt: skip
    live.users["cleo"].post(f"/api/v2/dags/{ti['dag_id']}/clearTaskInstances", body)


def _made_again(live: Live, run_id: str, question_id: str) -> dict[str, Any]:
    """The request of a run that takes the place of an ended one. Airflow fails a new task by what it is late to hear of
    the old one of the same name, so whoever forges tries until it works."""
    for _ in range(5):
        gone = live.users["cleo"].call("DELETE", f"/api/v2/dags/{ASKING}/dagRuns/{run_id}")
        assert gone.status_code == 204, gone.text
        body = {"dag_run_id": run_id, "logical_date": None, "conf": {"question_ids": [question_id]}}
        live.users["operator"].post(f"/api/v2/dags/{ASKING}/dagRuns", body)
        live.until(lambda: live.waiting(run_id) or _is_over(live, run_id), "the run made again to ask or to end")
        if waiting := live.waiting(run_id):
            return waiting[0]
    raise AssertionError("the run made again never asked")


def _is_over(live: Live, run_id: str) -> bool:
    state: str = live.users["operator"].run(ASKING, run_id)["state"]
    return state in ("success", "failed")


def _try(live: Live, ti: dict[str, Any]) -> int:
    return _try_of(live.users["operator"].get(instance_path(ti)))


def _try_of(ti: dict[str, Any]) -> int:
    return int(ti["try_number"])


@pytest.fixture(scope="module")
def stopped(live: Live) -> Iterator[tuple[str, str]]:
    """Airflow's run and ours, stopped; the playbook is as before once everything here is done."""
    path = live.workspace.settings.playbooks / "customer_reactivation.yaml"
    kept = path.read_text(encoding="utf-8")
    before = _run_ids(live)
    path.write_text(kept.replace("stale_after_hours: 24", "stale_after_hours: 1"), encoding="utf-8")
    try:
        run = live.users["operator"].trigger("customer_reactivation")
        live.until(lambda: live.users["operator"].run("customer_reactivation", run)["state"] == "failed", "the stop")
        (run_id,) = _run_ids(live) - before
        yield run, run_id
    finally:
        path.write_text(kept, encoding="utf-8")


class TestNotReady:
    """A run that is stopped because its sources are stale, by a playbook that is strict about it."""

    def test_nothing_after_it_ran(self, live: Live, stopped: tuple[str, str]) -> None:
        """At once, without another try; no list is told of."""
        run, run_id = stopped
        tasks = {t["task_id"]: t for t in live.users["operator"].tasks("customer_reactivation", run)}
        assert tasks["readiness"]["try_number"] == 1
        assert {tasks[name]["state"] for name in ("plan", "draft", "open_lists")} == {"upstream_failed"}
        events = live.users["operator"].get("/api/v2/assets/events", source_run_id=run)["asset_events"]
        assert [event["name"] for event in events] == ["reactivation_questions"]
        with live.workspace.ledger.begin() as conn:
            assert conn.scalars(select(enrolments.c.run_id).where(enrolments.c.run_id == run_id)).all() == []
            step = runs.step_of(conn, run_id, "readiness")
        assert step is not None
        assert step.state == "not_ready"

    def test_the_task_leads_to_the_report(self, live: Live, stopped: tuple[str, str]) -> None:
        """Which any reader may open, and which names the condition."""
        run, run_id = stopped
        path = f"/api/v2/dags/customer_reactivation/dagRuns/{quote(run, safe='')}/taskInstances/readiness/links"
        link = live.users["vic"].get(path)["extra_links"]["Readiness report"]
        assert link == f"/reactivation/readiness/runs/{run_id}"

    def test_compliance_was_told_or_it_is_known_that_not(self, live: Live, stopped: tuple[str, str]) -> None:
        """Nobody listens where the notice was posted: recorded by its name, without its address."""
        with live.workspace.ledger.begin() as conn:
            told = select(audit.c.details).where(audit.c.subject == stopped[1], audit.c.action == "notification_failed")
            (details,) = conn.scalars(told)
        assert json.loads(details)["people"] == ["cleo"]
        assert json.loads(details)["means"] == "HttpNotifier"
        assert "127.0.0.1" not in details

    def test_a_waiver_lets_this_run_go_on(self, live: Live, stopped: tuple[str, str]) -> None:
        """Compliance is asked by the product itself, signs with the report's code, and the cleared run goes on; on the
        word of a stale source nobody is enrolled."""
        run, run_id = stopped
        with live.workspace.ledger.begin() as conn:
            question = questions.question_about(conn, "waive", run_id)
        assert question is not None
        live.until(lambda: _request_of(live, question.question_id) is not None, "compliance to be asked")
        request = _request_of(live, question.question_id)
        assert request is not None
        ti = {**vars(request)}
        live.until(lambda: live.state(ti) == "awaiting_input", "the request to wait")
        form = {"signing_code": waiver_code(live.workspace, question), "reason": "export_late", "hours": "4"}
        assert live.users["ada"].respond(ti, WAIVE, form).status_code == 403
        assert live.answer(ti, "cleo", WAIVE, form) == 200
        live.users["operator"].post(
            "/api/v2/dags/customer_reactivation/clearTaskInstances",
            {"dag_run_id": run, "task_ids": ["readiness"], "include_downstream": True, "dry_run": False,
             "only_failed": False, "reset_dag_runs": True},
        )  # fmt: skip
        live.until(lambda: _states(live, run)["draft"] == "success", "the run to go on")
        with live.workspace.ledger.begin() as conn:
            step = runs.step_of(conn, run_id, "readiness")
            assert conn.scalars(select(enrolments.c.run_id).where(enrolments.c.run_id == run_id)).all() == []
        assert step is not None
        assert (step.state, step.counts["waived"]) == ("succeeded", ["source_stale"])


def _run_ids(live: Live) -> set[str]:
    with live.workspace.ledger.begin() as conn:
        return set(runs.run_ids(conn))


def _request_of(live: Live, question_id: str) -> questions.RequestId | None:
    with live.workspace.ledger.begin() as conn:
        return questions.request_of(conn, question_id)


def _states(live: Live, run: str) -> dict[str, str]:
    return {t["task_id"]: t["state"] for t in live.users["operator"].tasks("customer_reactivation", run)}
