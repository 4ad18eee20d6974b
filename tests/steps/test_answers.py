"""Requests and answers: a request shows one question for good, and only a valid answer signs anything."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select
from tests.approvals import house
from tests.approvals.asked import NOW
from tests.approvals.books import states

from reactivation import paths
from reactivation.approvals import SendableTouch, sendable
from reactivation.approvals.form import point_field
from reactivation.ledger import lists, questions, seals, views
from reactivation.ledger.engine import Ledger
from reactivation.ledger.lists import ListRow
from reactivation.ledger.questions import RequestId
from reactivation.ledger.tables import answers, audit, measurement_events
from reactivation.steps import answers as step
from reactivation.steps.answers import RequestRefused, bind_request, questions_to_ask, record_answer
from reactivation.steps.lists import open_lists
from reactivation.steps.workspace import Workspace

POINTS = ("offer", "discount", "tone", "channel", "sensitive_history", "consent_exceptions", "commercially_smart")


def request(n: int) -> RequestId:
    """The n-th mapped request of one run of ``ask_people``."""
    return RequestId("ask_people", "scheduled__2026-11-17T11:00:00+00:00", "ask", n)


@pytest.fixture
def workspace(tmp_path: Path, ledger: Ledger) -> Workspace:
    """A household with its lists open and nobody asked yet."""
    made = house.house(tmp_path, ledger)
    house.drafted(made)
    open_lists(made, house.RUN, NOW)
    return made


def row_of(workspace: Workspace, kind: str = "content", touch: int = 1) -> ListRow:
    with workspace.ledger.begin() as conn:
        return next(r for r in lists.open_lists(conn) if (r.kind, r.touch_number) == (kind, touch))


def question_of(workspace: Workspace, row: ListRow) -> str:
    with workspace.ledger.begin() as conn:
        return questions.question_ids_of_lists(conn)[row.list_id]


def asked(workspace: Workspace, n: int = 0, kind: str = "content", touch: int = 1, seen_by: str = "ada") -> ListRow:
    """The list shown by the n-th request, with every item seen by that user."""
    row = row_of(workspace, kind, touch)
    bind_request(workspace, request(n), question_of(workspace, row), NOW)
    with workspace.ledger.begin() as conn:
        ids = [i.touch_id for i in lists.items_of(conn, row.list_id)]
        views.insert_view(conn, view_id=f"v-{n}", list_id=row.list_id, user_id=seen_by, touch_ids=ids, now=NOW)
    return row


def event(row: ListRow, option: str = "Sign", by: str = "ada", **form: Any) -> dict[str, Any]:
    """A complete answer to that list, as Airflow hands it over."""
    filled = {"signing_code": row.signing_code, "left_out": "", "individual": "", "reason": ""}
    filled |= {point_field(p): "ok" for p in POINTS}
    return {
        "chosen_options": [option], "params_input": filled | form, "responded_at": NOW,
        "responded_by_user": {"id": by, "name": by.title()}, "timedout": False,
    }  # fmt: skip


def touch_states(workspace: Workspace) -> dict[str, tuple[str, str | None]]:
    with workspace.ledger.begin() as conn:
        return states(conn)


def audited(workspace: Workspace) -> list[str]:
    with workspace.ledger.begin() as conn:
        return list(conn.scalars(select(audit.c.action).order_by(audit.c.seq)))


class TestAsking:
    def test_every_open_list_is_asked_about_once(self, workspace: Workspace) -> None:
        """What a request shows already is not handed out again."""
        first = questions_to_ask(workspace, NOW)
        bind_request(workspace, request(0), first[0], NOW)

        assert len(first) == 3
        assert questions_to_ask(workspace, NOW) == first[1:]

    def test_no_more_requests_than_may_wait(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        """Requests that wait count against the limit."""
        monkeypatch.setattr(step, "MOST_OPEN_REQUESTS", 2)
        first = questions_to_ask(workspace, NOW)
        assert len(first) == 2

        bind_request(workspace, request(0), first[0], NOW)
        assert len(questions_to_ask(workspace, NOW)) == 1

    def test_what_expired_is_closed_as_held_and_counted(self, workspace: Workspace) -> None:
        """Nobody answered: the touches are held, and each leaves a measurement event."""
        assert questions_to_ask(workspace, NOW + timedelta(days=3)) == []

        assert set(touch_states(workspace).values()) == {("held", "not_answered")}
        with workspace.ledger.begin() as conn:
            events = conn.execute(select(measurement_events.c.outcome, measurement_events.c.reason)).all()
        assert sorted(tuple(e) for e in events) == [("held", "not_answered")] * 7 + [("offer_held", "not_answered")] * 2


class TestBinding:
    def test_shows_ids_counts_offer_cost_and_stop_rules_and_nothing_personal(self, workspace: Workspace) -> None:
        """What every viewer of the DAG may read, with the way to the page."""
        row = row_of(workspace, "offer", 3)
        shown = bind_request(workspace, request(0), question_of(workspace, row), NOW)

        assert f"/reactivation/lists/{row.list_id}" in shown.body
        for told in ("GBP 30.00".replace(".", "\\."), "`offer-credit-15`", "the contact opted out", "`c-1`", "`c-2`"):
            assert told in shown.body
        assert shown.subject == "Sign an offer in 2 messages: customer_reactivation, touch 3, household, email"
        assert not any(private in shown.body for private in ("gmail.com", "Zoë", "humming", row.signing_code))

    def test_the_form_starts_empty_and_the_signers_are_the_lists(self, workspace: Workspace) -> None:
        """Options, fields and people come from the ledger and the configuration."""
        shown = bind_request(workspace, request(0), question_of(workspace, row_of(workspace)), NOW)

        assert shown.options == ("Sign", "Hold all", "Reject all")
        assert shown.default == "Hold all"
        assert [(s.user_id, s.name) for s in shown.signers] == [("ada", "Ada Marsh"), ("ben", "Ben Okafor")]
        assert [f.name for f in shown.form][4:] == [f"point_{p}" for p in POINTS]

    def test_a_retried_request_shows_the_same_question_whatever_its_argument_says(self, workspace: Workspace) -> None:
        """Somebody edited the mapped argument after the first try: the binding stands."""
        first, second = questions_to_ask(workspace, NOW)[:2]
        bind_request(workspace, request(0), first, NOW)

        assert bind_request(workspace, request(0), second, NOW).question_id == first
        assert bind_request(workspace, request(0), "junk", NOW).question_id == first

    def test_a_second_request_for_the_same_question_is_refused_and_told(self, workspace: Workspace) -> None:
        """One question, one request."""
        question = questions_to_ask(workspace, NOW)[0]
        bind_request(workspace, request(0), question, NOW)

        with pytest.raises(RequestRefused) as refused:
            bind_request(workspace, request(1), question, NOW)
        assert refused.value.code == "asked_by_another_request"
        assert audited(workspace)[-1] == "request_refused"

    @pytest.mark.parametrize("junk", ["", "no-such-question", "x" * 5000, 17, None, {"a": 1}, "q\x00"])
    def test_an_argument_that_names_no_question_asks_nothing(self, workspace: Workspace, junk: Any) -> None:
        """A forged argument opens no request."""
        with pytest.raises(RequestRefused) as refused:
            bind_request(workspace, request(0), junk, NOW)

        assert refused.value.code == "question_unknown"

    def test_what_is_closed_or_expired_is_not_asked(self, workspace: Workspace) -> None:
        """Neither in a first try nor in a retried one."""
        row = asked(workspace)
        question = question_of(workspace, row)
        with pytest.raises(RequestRefused) as late:
            bind_request(workspace, request(0), question, row.expires_at)
        record_answer(workspace, request(0), event(row), NOW)
        with pytest.raises(RequestRefused) as closed:
            bind_request(workspace, request(0), question, NOW)

        assert (late.value.code, closed.value.code) == ("question_expired", "question_closed")

    def test_a_playbook_that_changed_cannot_be_asked_about(self, tmp_path: Path, ledger: Ledger) -> None:
        """Its review points and stop rules are no longer those of the list."""
        workspace, _ = _with_own_playbook(tmp_path, ledger)
        row = row_of(workspace)
        _edit_playbook(workspace)

        with pytest.raises(RequestRefused) as refused:
            bind_request(workspace, request(0), question_of(workspace, row), NOW)
        assert refused.value.code == "playbook_changed"


class TestAtTheSameTime:
    def test_of_many_requests_for_one_question_one_is_bound(self, workspace: Workspace) -> None:
        """Two runs of ``ask_people`` that were handed the same question do not both ask it."""
        question = questions_to_ask(workspace, NOW)[0]

        def ask(n: int) -> str:
            try:
                return bind_request(workspace, request(n), question, NOW).question_id
            except RequestRefused as refused:
                return refused.code

        with ThreadPoolExecutor(4) as pool:
            told = sorted(pool.map(ask, range(4)))
        assert told == sorted([question, *["asked_by_another_request"] * 3])

    def test_of_many_answers_to_one_request_the_first_counts(self, workspace: Workspace) -> None:
        """Sign and reject at once: one closes the list, the others change nothing."""
        row = asked(workspace)
        options = ["Sign", "Reject all", "Sign", "Reject all"]

        with ThreadPoolExecutor(4) as pool:
            told = list(pool.map(lambda o: record_answer(workspace, request(0), event(row, o), NOW), options))

        assert sum("changes nothing" in one for one in told) == 3
        found = {state for touch, (state, _) in touch_states(workspace).items() if touch.endswith("-1")}
        assert found in ({"signed", "held"}, {"rejected"})


class TestRecording:
    def test_a_valid_answer_signs_the_group_and_closes_the_list(self, workspace: Workspace) -> None:
        """Four signed, the individual one held, each with its event; the bytes can now be proven."""
        row = asked(workspace)

        outcome = record_answer(workspace, request(0), event(row, left_out="c-4"), NOW)

        assert outcome == f"list {row.list_id} is signed: 2 held, 3 signed"
        found = touch_states(workspace)
        assert {t for t, (state, _) in found.items() if state == "signed"} == {"t-1-1", "t-2-1", "t-3-1"}
        assert (found["t-4-1"][0], found["t-5-1"][0]) == ("held", "held")
        with workspace.ledger.begin() as conn:
            assert [type(one) for one in sendable(conn, [house.draft(1)], NOW)] == [SendableTouch]
            events = conn.execute(select(measurement_events.c.subject, measurement_events.c.outcome)).all()
        assert dict(tuple(e) for e in events) == {
            "c-1": "signed", "c-2": "signed", "c-3": "signed", "c-4": "held", "c-5": "held",
        }  # fmt: skip

    def test_the_list_is_that_of_the_binding(self, workspace: Workspace) -> None:
        """The code of another list, seen or not, signs nothing here."""
        row, other = asked(workspace, 0), asked(workspace, 1, touch=3)

        outcome = record_answer(workspace, request(0), event(other), NOW)

        assert outcome.endswith("(signing_code_differs)")
        assert row.list_id in outcome
        assert {state for state, _ in touch_states(workspace).values()} == {"held", "listed"}

    def test_the_first_answer_closes_the_list(self, workspace: Workspace) -> None:
        """A second answer to the same request is kept and changes nothing."""
        row = asked(workspace)
        record_answer(workspace, request(0), event(row, "Hold all"), NOW)
        before = touch_states(workspace)

        assert "changes nothing" in record_answer(workspace, request(0), event(row), NOW)

        assert touch_states(workspace) == before
        with workspace.ledger.begin() as conn:
            kept = conn.execute(select(answers.c.chosen, answers.c.accepted, answers.c.refusal)).all()
        assert {tuple(k) for k in kept} == {("Hold all", True, None), ("Sign", False, "list_closed")}

    def test_both_signatures_of_an_offer(self, workspace: Workspace) -> None:
        """Touch 3 is sendable when Ada signed the message and Olu the offer, and not before."""
        content, offer = asked(workspace, 0, touch=3), asked(workspace, 1, "offer", 3, seen_by="olu")

        record_answer(workspace, request(0), event(content), NOW)
        with workspace.ledger.begin() as conn:
            assert [type(one) for one in sendable(conn, [house.draft(1, 3)], NOW)] != [SendableTouch]
        record_answer(workspace, request(1), event(offer, by="olu"), NOW)

        with workspace.ledger.begin() as conn:
            (proof,) = sendable(conn, [house.draft(1, 3)], NOW)
        assert isinstance(proof, SendableTouch)
        assert len(proof.answer_ids) == 2

    def test_a_rejected_list_is_never_asked_about_again(self, workspace: Workspace) -> None:
        """Rejection ends the touches of the list."""
        row = asked(workspace)
        record_answer(workspace, request(0), event(row, "Reject all", reason="not_worthwhile"), NOW)

        found = touch_states(workspace)
        assert {found[f"t-{n}-1"] for n in range(1, 6)} == {("rejected", "not_worthwhile")}

    @pytest.mark.parametrize(
        ("change", "refusal"),
        [
            (lambda e: e | {"responded_by_user": {"id": "mallory", "name": "Mallory"}}, "not_a_signer"),
            (lambda e: e | {"responded_by_user": {"id": "operator", "name": "Op"}}, "not_a_signer"),
            (lambda e: e | {"responded_by_user": {"id": "ben", "name": "Ben"}}, "sample_not_viewed"),
            (lambda e: e | {"timedout": True, "responded_by_user": None}, "timed_out"),
            (lambda e: e | {"params_input": {}}, "signing_code_differs"),
            (lambda e: e | {"params_input": {"signing_code": ["\x00" * 9]}}, "signing_code_differs"),
            (lambda e: e | {"responded_by_user": {"id": "a" * 5000}}, "no_responder"),
            (lambda e: e | {"responded_by_user": {"id": "\ud800"}}, "no_responder"),
            (lambda e: None, "unreadable_answer"),
            (lambda e: ["Sign"], "unreadable_answer"),
        ],
    )
    def test_anything_else_is_recorded_and_means_held(
        self, workspace: Workspace, change: Callable[[dict[str, Any]], Any], refusal: str
    ) -> None:
        """Foreign responders, silence and junk: nothing is signed, nothing raises, the ledger says why."""
        row = asked(workspace)

        outcome = record_answer(workspace, request(0), change(event(row)), NOW)

        assert outcome == f"list {row.list_id} is held: 5 held ({refusal})"
        assert {touch_states(workspace)[f"t-{n}-1"] for n in range(1, 6)} == {("held", refusal)}
        with workspace.ledger.begin() as conn:
            (kept,) = conn.execute(select(answers.c.accepted, answers.c.refusal)).all()
        assert tuple(kept) == (False, refusal)

    def test_a_request_that_was_never_bound_changes_nothing(self, workspace: Workspace) -> None:
        """A run deleted and made again under another name has no list."""
        outcome = record_answer(workspace, request(7), event(row_of(workspace)), NOW)

        assert outcome == "held: this request is bound to no list"
        assert audited(workspace)[-1] == "answer_unbound"
        assert {state for state, _ in touch_states(workspace).values()} == {"listed"}

    def test_a_signer_who_left_the_configuration_signs_no_more(self, tmp_path: Path, ledger: Ledger) -> None:
        """Who may sign is what the configuration says when the answer comes, too."""
        file = tmp_path / "owners.yaml"
        file.write_text(paths.OWNERS.read_text(encoding="utf-8"), encoding="utf-8")
        workspace = house.house(tmp_path, ledger, owners=file)
        house.drafted(workspace)
        open_lists(workspace, house.RUN, NOW)
        row = asked(workspace)

        owners = yaml.safe_load(file.read_text(encoding="utf-8"))
        owners["owners"]["own-ada"]["user"] = "ada-the-second"
        file.write_text(yaml.safe_dump(owners), encoding="utf-8")
        later = house.house(tmp_path, ledger, owners=file)

        assert record_answer(later, request(0), event(row), NOW).endswith("(not_a_signer)")

    def test_a_playbook_that_changed_holds_the_signature(self, tmp_path: Path, ledger: Ledger) -> None:
        """The points that were answered may be other ones now."""
        workspace, _ = _with_own_playbook(tmp_path, ledger)
        row = asked(workspace)
        _edit_playbook(workspace)

        assert record_answer(workspace, request(0), event(row), NOW).endswith("(playbook_changed)")

    def test_what_happened_is_audited_and_sealed(self, workspace: Workspace) -> None:
        """Opened, bound and answered: in this order, under a seal."""
        row = asked(workspace)
        record_answer(workspace, request(0), event(row), NOW)

        actions = audited(workspace)
        assert actions[-2:] == ["request_bound", "answer_accepted"]
        assert actions.count("list_opened") == 3
        with workspace.ledger.begin() as conn:
            report = seals.verify(conn)
        assert report.intact
        assert report.unsealed_rows == 0


def _with_own_playbook(tmp_path: Path, ledger: Ledger) -> tuple[Workspace, Path]:
    """A house whose playbook lies in its own folder."""
    folder = tmp_path / "playbooks"
    folder.mkdir()
    file = folder / f"{house.PLAYBOOK}.yaml"
    file.write_bytes((paths.PLAYBOOKS / file.name).read_bytes())
    workspace = house.house(tmp_path, ledger, playbooks=folder)
    house.drafted(workspace)
    open_lists(workspace, house.RUN, NOW)
    return workspace, file


def _edit_playbook(workspace: Workspace) -> None:
    file = workspace.settings.playbooks / f"{house.PLAYBOOK}.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
