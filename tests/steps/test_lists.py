"""The step that opens lists: a run's drafts become questions to named people, once each."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import func, select
from tests.approvals import house
from tests.approvals.asked import NOW
from tests.approvals.books import states

from reactivation import paths
from reactivation.ledger import lists, questions, runs
from reactivation.ledger.engine import Ledger
from reactivation.ledger.lists import ListRow
from reactivation.ledger.runs import StepError
from reactivation.ledger.tables import audit
from reactivation.ledger.tables import lists as lists_table
from reactivation.ledger.tables import questions as questions_table
from reactivation.steps.lists import open_lists
from reactivation.steps.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, ledger: Ledger) -> Workspace:
    return house.house(tmp_path, ledger)


def opened(workspace: Workspace) -> dict[tuple[str, int], ListRow]:
    """The open lists by kind and touch."""
    with workspace.ledger.begin() as conn:
        return {(row.kind, row.touch_number): row for row in lists.open_lists(conn)}


def counted(workspace: Workspace, run_id: str = house.RUN) -> dict[str, Any]:
    with workspace.ledger.begin() as conn:
        step = runs.step_of(conn, run_id, "open_lists")
    assert step is not None
    return dict(step.counts)


class TestOpening:
    def test_asks_the_owner_for_each_touch_and_the_approver_for_the_offer(self, workspace: Workspace) -> None:
        """Two content lists for Ada (touch 1 and 3) and one offer list for Olu, with the cost of everybody's offer."""
        house.drafted(workspace)

        question_ids = open_lists(workspace, house.RUN, NOW)

        made = opened(workspace)
        assert sorted(made) == [("content", 1), ("content", 3), ("offer", 3)]
        assert (made["offer", 3].cost, made["offer", 3].currency) == (Decimal("30.0000"), "GBP")
        assert made["offer", 3].offer_terms == house.TERMS
        assert made["content", 1].authors == ["operator"]
        with workspace.ledger.begin() as conn:
            asked = {q: questions.question_of(conn, q) for q in question_ids}
            items = lists.items_of(conn, made["content", 1].list_id)
            signers = lists.signers_of(conn, made["offer", 3].list_id)
            assert set(states(conn).values()) == {("listed", None)}
        assert {q.kind for q in asked.values() if q} == {"sign_list", "sign_offer"}
        assert [(i.position, i.customer_id, i.individual) for i in items][:2] == [(1, "c-5", True), (2, "c-1", False)]
        assert items[0].review_reasons == ("sensitive",)
        assert [s.user_id for s in signers] == ["olu"]

    def test_the_ledger_and_the_evidence_say_what_was_opened(self, workspace: Workspace) -> None:
        """Counts in the step, one audit row a list, and ``lists.json`` beside the drafts."""
        folder = house.drafted(workspace)
        open_lists(workspace, house.RUN, NOW)

        assert counted(workspace) == {
            "lists": 3, "items": 7, "individual": 1, "offer_items": 2, "not_opened": {},
        }  # fmt: skip
        assert [one["items"] for one in folder.read_json("lists.json")["opened"]] == [5, 2, 2]
        with workspace.ledger.begin() as conn:
            step = runs.require_step(conn, house.RUN, "open_lists", folder.manifest_digest)
            told = conn.scalar(select(func.count()).select_from(audit).where(audit.c.action == "list_opened"))
        assert step.state == "succeeded"
        assert told == 3

    def test_the_digest_covers_what_is_in_the_ledger(self, workspace: Workspace) -> None:
        """The signing code is the beginning of the list's digest, and no two lists share one."""
        house.drafted(workspace)
        open_lists(workspace, house.RUN, NOW)

        rows = opened(workspace).values()
        assert all(row.digest.startswith(row.signing_code) and len(row.signing_code) == 8 for row in rows)
        assert len({row.signing_code for row in rows}) == 3

    def test_what_no_longer_may_go_out_is_not_asked_about(self, workspace: Workspace) -> None:
        """A touch whose window has passed needs nobody's signature."""
        house.drafted(workspace, [(house.decision(1), [house.draft(1, not_after=NOW)]), *house.crowd(3)[1:]])

        open_lists(workspace, house.RUN, NOW)

        assert counted(workspace)["items"] == 2

    def test_who_triggered_the_run_may_not_sign(self, workspace: Workspace) -> None:
        """Ada started this run: only her delegate can sign what came of it."""
        house.drafted(workspace, triggered_by="ada")
        open_lists(workspace, house.RUN, NOW)

        row = opened(workspace)["content", 1]
        with workspace.ledger.begin() as conn:
            assert [s.user_id for s in lists.signers_of(conn, row.list_id)] == ["ben"]
        assert row.authors == ["ada", "operator"]


class TestNotOpened:
    def test_a_list_without_a_known_signer_is_told_not_opened(self, tmp_path: Path, ledger: Ledger) -> None:
        """Without the owner in the configuration nothing is opened, and the run says how many and why."""
        owners = yaml.safe_load(paths.OWNERS.read_text(encoding="utf-8"))
        del owners["owners"]["own-ada"], owners["owners"]["own-olu"]
        (tmp_path / "owners.yaml").write_text(yaml.safe_dump(owners), encoding="utf-8")
        workspace = house.house(tmp_path, ledger, owners=tmp_path / "owners.yaml")
        folder = house.drafted(workspace)

        assert open_lists(workspace, house.RUN, NOW) == []

        assert opened(workspace) == {}
        assert counted(workspace)["not_opened"] == {"no_offer_approver": 2, "unknown_owner": 7}
        assert {one["reason"] for one in folder.read_json("lists.json")["not_opened"]} == {
            "unknown_owner", "no_offer_approver",
        }  # fmt: skip
        with workspace.ledger.begin() as conn:
            assert {state for state, _ in states(conn).values()} == {"drafted"}

    def test_a_dry_run_says_what_it_would_ask_and_asks_nobody(self, workspace: Workspace) -> None:
        """The same lists in the evidence, none in the ledger."""
        folder = house.drafted(workspace, dry=True)

        assert open_lists(workspace, house.RUN, NOW) == []

        assert [one["items"] for one in folder.read_json("lists.json")["opened"]] == [5, 2, 2]
        assert counted(workspace)["individual"] == 1
        with workspace.ledger.begin() as conn:
            assert conn.scalar(select(func.count()).select_from(lists_table)) == 0
            assert conn.scalar(select(func.count()).select_from(questions_table)) == 0


class TestAskingOnce:
    def test_what_was_drafted_anew_is_asked_about_anew(self, workspace: Workspace) -> None:
        """Touches that something held and a second run drafted again need every signature again."""
        house.drafted(workspace)
        first = open_lists(workspace, house.RUN, NOW)
        house.drafted(workspace, run_id="run-2", again=True)

        assert len(open_lists(workspace, "run-2", NOW)) == len(first) == 3

    def test_an_expired_list_makes_room_for_a_new_one(self, workspace: Workspace) -> None:
        """A list nobody answered is closed as held; its touches, drafted again, are asked about again."""
        house.drafted(workspace)
        open_lists(workspace, house.RUN, NOW)
        later = NOW + timedelta(days=3)
        house.drafted(workspace, run_id="run-2", again=True)

        assert len(open_lists(workspace, "run-2", later)) == 3
        with workspace.ledger.begin() as conn:
            by_state = dict(conn.execute(select(lists_table.c.state, func.count()).group_by(lists_table.c.state)).all())
        assert by_state == {"held": 3, "open": 3}


class TestStepProtocol:
    def test_does_not_begin_without_its_drafts(self, workspace: Workspace) -> None:
        """A run the ledger does not know to be drafted opens nothing."""
        folder = house.drafted(workspace)
        folder.add_file("smuggled.json", {"drafts": "others"})

        with pytest.raises(StepError, match="not those that step draft left"):
            open_lists(workspace, house.RUN, NOW)

    def test_happens_once(self, workspace: Workspace) -> None:
        """A second call for the same run is refused: no list is opened twice."""
        house.drafted(workspace)
        open_lists(workspace, house.RUN, NOW)

        with pytest.raises(StepError):
            open_lists(workspace, house.RUN, NOW)
        assert len(opened(workspace)) == 3

    def test_a_playbook_changed_since_the_run_began_opens_nothing(self, workspace: Workspace) -> None:
        """The review points a signer answers belong to the playbook the drafts were made under."""
        house.drafted(workspace, digest_of=lambda: "0" * 64)

        with pytest.raises(StepError, match="was changed since the run began"):
            open_lists(workspace, house.RUN, NOW)
