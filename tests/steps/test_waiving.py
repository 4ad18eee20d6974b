"""The narrow way past a stop: compliance lets one run go on, for a reason and a time, and no gate changes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from tests.builders import AS_OF, tables
from tests.steps.six import NOW, PLAYBOOK, Six

from reactivation.approvals.form import HOLD_ALL
from reactivation.approvals.waivers import WAIVE
from reactivation.evidence import SnapshotFolder
from reactivation.ledger import questions, runs, waivers
from reactivation.ledger.engine import Ledger, open_ledger
from reactivation.ledger.questions import RequestId
from reactivation.ledger.runs import StepError
from reactivation.ledger.tables import answers, audit
from reactivation.ledger.tables import waivers as waivers_table
from reactivation.steps.answers import RequestRefused, bind_request, questions_to_ask, record_answer
from reactivation.steps.plan import plan_run
from reactivation.steps.readiness import NotReady, check_readiness
from reactivation.steps.waiving import waiver_code

on_one_ledger = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
NEXT_DAY = NOW + timedelta(hours=3)


@pytest.fixture
def six(tmp_path: Path, ledger: Ledger) -> Six:
    return gone_on(Six(tmp_path / "home", ledger))


@pytest.fixture(scope="module")
def stopped_before(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> tuple[Path, str]:
    """A home with the run of ``shrunken``, ledger and all, and the run's id."""
    home = tmp_path_factory.mktemp("stopped") / "home"
    ledger = _ledger(home, sqlite_template)
    run_id = shrunken(gone_on(Six(home, ledger)))
    ledger.close()
    return home, run_id


@pytest.fixture
def stopped(tmp_path: Path, stopped_before: tuple[Path, str]) -> Iterator[tuple[Six, str]]:
    """A copy of it: judging takes seconds, and most of what follows does not depend on the database."""
    home, run_id = stopped_before
    shutil.copytree(home, tmp_path / "home")
    made = Six.at(tmp_path / "home", open_ledger(f"sqlite:///{tmp_path / 'home' / 'ledger.db'}"))
    yield made, run_id
    made.ledger.close()


def _ledger(home: Path, sqlite_template: Path) -> Ledger:
    home.mkdir()
    shutil.copyfile(sqlite_template, home / "ledger.db")
    return open_ledger(f"sqlite:///{home / 'ledger.db'}")


def gone_on(made: Six) -> Six:
    folder = SnapshotFolder(made.snapshot())
    tables_read = [item for source in folder.manifest["sources"] for item in source["tables"].items()]
    # a first run that went on, with tables as large as these
    made.ready(counts={"rows": {name: fact["rows"] for name, fact in tables_read if fact["present"]}})
    return made


def shrunken(six: Six) -> str:
    """A second run, over an export in which most purchases are missing; stopped."""
    six.write(purchases=tables()["purchases"][:-3])
    six.snapshot(AS_OF + timedelta(minutes=30))
    run_id = six.decided(NEXT_DAY)
    with pytest.raises(NotReady):
        check_readiness(six.workspace, run_id, NEXT_DAY)
    return run_id


def request(n: int = 0) -> RequestId:
    return RequestId("ask_people", "asset__1", "ask", n)


def asked(six: Six, now: datetime = NEXT_DAY) -> str:
    """The signing code of the one question there is, shown by a request."""
    (question_id,) = questions_to_ask(six.workspace, now)
    bind_request(six.workspace, request(), question_id, now)
    with six.ledger.begin() as conn:
        question = questions.question_of(conn, question_id)
    assert question is not None
    return waiver_code(six.workspace, question)


def event(code: str, option: str = WAIVE, by: str = "cleo", **form: str) -> dict[str, Any]:
    return {
        "chosen_options": [option], "params_input": {"signing_code": code, "reason": "clean_up", "hours": "4"} | form,
        "responded_at": NEXT_DAY, "responded_by_user": {"id": by, "name": by}, "timedout": False,
    }  # fmt: skip


def audited(six: Six, run_id: str) -> list[str]:
    with six.ledger.begin() as conn:
        return list(conn.scalars(select(audit.c.action).where(audit.c.subject == run_id).order_by(audit.c.seq)))


class TestAsking:
    def test_compliance_is_asked_about_what_may_be_waived(self, six: Six) -> None:
        """One request, to whoever has the role; it names what stops the run and leads to the report."""
        run_id = shrunken(six)
        (question_id,) = questions_to_ask(six.workspace, NEXT_DAY)
        shown = bind_request(six.workspace, request(), question_id, NEXT_DAY)
        assert [signer.user_id for signer in shown.signers] == ["cleo"]
        assert shown.page == f"/reactivation/readiness/runs/{run_id}"
        assert "source_shrunken" in shown.subject
        assert "It changes no gate" in shown.body
        assert (shown.options, shown.default) == ((WAIVE, HOLD_ALL), HOLD_ALL)

    @on_one_ledger
    @pytest.mark.parametrize("what", ["a seed condition", "a seed condition beside one that may be waived", "dry"])
    def test_nobody_is_asked(self, six: Six, what: str) -> None:
        """A sentence of the source documents is never waived, nor what stands beside it; a dry run needs no waiver."""
        missing = {} if what == "dry" else {"cases": None}
        fewer = {} if what == "a seed condition" else {"purchases": tables()["purchases"][:-3]}
        six.write(**missing, **fewer)
        six.snapshot(AS_OF + timedelta(minutes=30))
        run_id = six.decided(NEXT_DAY, dry=what == "dry")
        with pytest.raises(NotReady):
            check_readiness(six.workspace, run_id, NEXT_DAY)
        assert questions_to_ask(six.workspace, NEXT_DAY) == []

    @on_one_ledger
    def test_nobody_is_asked_where_nobody_may_answer(self, six: Six) -> None:
        """Without anybody in the role the run stays stopped, and the audit trail says why nobody was asked."""
        six.change("owners.yaml", {"owners": {"own-cleo": {"roles": ["offer_approver"]}}})
        run_id = shrunken(six)
        assert questions_to_ask(six.workspace, NEXT_DAY) == []
        assert "waiver_not_asked" in audited(six, run_id)

    def test_no_answer_in_a_day_waives_nothing(self, stopped: tuple[Six, str]) -> None:
        """The question closes by itself, and the run is over."""
        six, run_id = stopped
        later = NEXT_DAY + timedelta(days=1)
        assert questions_to_ask(six.workspace, later) == []
        assert "question_expired" in audited(six, run_id)
        with pytest.raises(NotReady):
            check_readiness(six.workspace, run_id, later)


class TestWaiving:
    def test_the_run_goes_on(self, six: Six) -> None:
        """Once waived, the step succeeds when it is run again, and what follows may run."""
        run_id = shrunken(six)
        record_answer(six.workspace, request(), event(asked(six)), NEXT_DAY)
        passed = check_readiness(six.workspace, run_id, NEXT_DAY)
        assert passed.waived == ("source_shrunken",)
        plan_run(six.workspace, run_id, NEXT_DAY)
        with six.ledger.begin() as conn:
            step = runs.step_of(conn, run_id, "readiness")
            (waiver,) = waivers.waivers_of(conn, run_id)
        assert step is not None
        assert step.counts["waived"] == ["source_shrunken"]
        assert (waiver.signed_by, waiver.reason, waiver.expires_at) == (
            "cleo", "clean_up", NEXT_DAY + timedelta(hours=4),
        )  # fmt: skip
        assert "conditions_waived" in audited(six, run_id)

    def test_no_gate_changes(self, stopped: tuple[Six, str]) -> None:
        """The decisions are those from before the waiver, and nobody else begins because of it."""
        six, run_id = stopped
        before = six.workspace.run_folder(run_id).read("decisions")
        record_answer(six.workspace, request(), event(asked(six)), NEXT_DAY)
        check_readiness(six.workspace, run_id, NEXT_DAY)
        counts = plan_run(six.workspace, run_id, NEXT_DAY)
        assert six.workspace.run_folder(run_id).read("decisions").equals(before)
        may_begin = [row for row in before.to_pylist() if row["decision"] in ("enrol", "review")]
        assert counts["candidates"] == len(may_begin)

    @on_one_ledger
    def test_a_stale_source_is_still_unknown_to_every_gate(self, six: Six) -> None:
        """Staleness waived lets the run go on; nobody is enrolled on the word of a source that is silent."""
        six.write(as_of=AS_OF - timedelta(hours=24))
        six.snapshot(AS_OF + timedelta(minutes=30))
        run_id = six.decided(NEXT_DAY)
        with pytest.raises(NotReady):
            check_readiness(six.workspace, run_id, NEXT_DAY)
        record_answer(six.workspace, request(), event(asked(six)), NEXT_DAY)
        assert check_readiness(six.workspace, run_id, NEXT_DAY).waived == ("source_stale",)
        assert plan_run(six.workspace, run_id, NEXT_DAY)["begun"] == 0

    def test_it_is_for_one_run_and_for_a_time(self, stopped: tuple[Six, str]) -> None:
        """Too late is not in time, and the next run is stopped again."""
        six, run_id = stopped
        record_answer(six.workspace, request(), event(asked(six)), NEXT_DAY)
        with pytest.raises(NotReady):
            check_readiness(six.workspace, run_id, NEXT_DAY + timedelta(hours=4))
        another = six.decided(NEXT_DAY)
        with pytest.raises(NotReady):
            check_readiness(six.workspace, another, NEXT_DAY)

    @pytest.mark.parametrize(("changes", "refusal"), [
        ({"by": "ada"}, "not_a_signer"), ({"code": "00000000"}, "signing_code_differs"),
        ({"reason": ""}, "reason_missing"), ({"hours": "48"}, "hours_missing"), ({"option": HOLD_ALL}, None),
    ])  # fmt: skip
    def test_any_other_answer_closes_the_question(
        self, stopped: tuple[Six, str], changes: dict[str, str], refusal: str
    ) -> None:
        """It is kept with its refusal, and the run stays stopped."""
        six, run_id = stopped
        answer = {"code": asked(six)} | changes
        record_answer(six.workspace, request(), event(**answer), NEXT_DAY)
        with six.ledger.begin() as conn:
            assert conn.scalars(select(answers.c.refusal)).all() == [refusal]
        with pytest.raises(NotReady):
            check_readiness(six.workspace, run_id, NEXT_DAY)
        with pytest.raises(StepError):
            plan_run(six.workspace, run_id, NEXT_DAY)

    @on_one_ledger
    @pytest.mark.parametrize("author", ["ada", "own-ada"])
    def test_whoever_wrote_the_playbook_may_not(self, six: Six, author: str) -> None:
        """Author and signer are two people, whether the author is named as user or as owner."""
        six.write(purchases=tables()["purchases"][:-3])
        six.snapshot(AS_OF + timedelta(minutes=30))
        six.change("owners.yaml", {"owners": {"own-ada": {"roles": ["marketing_owner", "compliance"]}}})
        six.change(f"playbooks/{PLAYBOOK}.yaml", {"authored_by": author})
        run_id = six.decided(NEXT_DAY)
        with pytest.raises(NotReady):
            check_readiness(six.workspace, run_id, NEXT_DAY)
        record_answer(six.workspace, request(), event(asked(six), by="ada"), NEXT_DAY)
        with six.ledger.begin() as conn:
            assert conn.scalars(select(answers.c.refusal)).all() == ["author_may_not_sign"]

    def test_a_report_that_was_changed_is_not_waived(self, stopped: tuple[Six, str]) -> None:
        """Whoever edits the evidence cannot have the edit waived."""
        six, run_id = stopped
        code = asked(six)
        six.workspace.run_folder(run_id).add_file("note.json", {"by": "somebody"})
        record_answer(six.workspace, request(), event(code), NEXT_DAY)
        with six.ledger.begin() as conn:
            assert conn.scalars(select(answers.c.refusal)).all() == ["report_changed"]
        with pytest.raises(StepError, match="not those that step readiness left"):
            check_readiness(six.workspace, run_id, NEXT_DAY)

    def test_a_second_answer_changes_nothing(self, stopped: tuple[Six, str]) -> None:
        """The first closed the question."""
        six, run_id = stopped
        code = asked(six)
        record_answer(six.workspace, request(), event(code, HOLD_ALL), NEXT_DAY)
        record_answer(six.workspace, request(), event(code), NEXT_DAY)
        with six.ledger.begin() as conn:
            assert set(conn.scalars(select(answers.c.refusal))) == {None, "question_closed"}
            assert waivers.waivers_of(conn, run_id) == []

    def test_a_request_shows_its_own_question_only(self, stopped: tuple[Six, str]) -> None:
        """A second request is not handed a question that is shown already."""
        six, _ = stopped
        (question_id,) = questions_to_ask(six.workspace, NEXT_DAY)
        bind_request(six.workspace, request(), question_id, NEXT_DAY)
        with pytest.raises(RequestRefused, match="asked_by_another_request"):
            bind_request(six.workspace, request(1), question_id, NEXT_DAY)

    def test_a_waiver_is_never_changed(self, six: Six) -> None:
        """The database refuses."""
        shrunken(six)
        record_answer(six.workspace, request(), event(asked(six)), NEXT_DAY)
        with pytest.raises(IntegrityError), six.ledger.begin() as conn:
            conn.execute(waivers_table.update().values(condition="consent_status_unclear"))
        with pytest.raises(IntegrityError), six.ledger.begin() as conn:
            conn.execute(waivers_table.delete())
