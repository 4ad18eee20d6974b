"""Deciding a run: begun, decided and recorded, on the same files or not at all."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.builders import AS_OF
from tests.steps.six import NOW, PLAYBOOK, Six

from reactivation.ledger import runs
from reactivation.ledger.engine import Ledger, open_ledger
from reactivation.ledger.extract import EXTRACT
from reactivation.ledger.migrations import upgrade
from reactivation.ledger.runs import StepError
from reactivation.policy.decisions import DECISIONS
from reactivation.steps.begin import begin_run
from reactivation.steps.begun import before_digest
from reactivation.steps.decide import decide_run
from reactivation.steps.settings import ConfigurationError


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The snapshot of the six customers, read once."""
    home = tmp_path_factory.mktemp("extracted")
    url = f"sqlite:///{home / 'ledger.db'}"
    upgrade(url)
    return Six(home, open_ledger(url)).snapshot()


@pytest.fixture
def six(tmp_path: Path, ledger: Ledger, extracted: Path) -> Six:
    """Six customers on a ready snapshot."""
    made = Six(tmp_path / "home", ledger)
    made.adopt(extracted)
    return made


def begun(six: Six, **asked: Any) -> str:
    return begin_run(six.workspace, PLAYBOOK, **({"now": NOW, "dry": False, "triggered_by": "operator"} | asked))


class TestBegin:
    """What a run begins with."""

    def test_it_vouches_for_what_it_began_with(self, six: Six) -> None:
        """Snapshot, playbooks, rules, owners and the audit trail by digest; the playbook itself lies in the folder."""
        run_id = begun(six, segment="household", sample_size=5)

        folder, loaded = six.workspace.run_folder(run_id), six.workspace.playbook(PLAYBOOK)
        with six.ledger.begin() as conn:
            run, step = runs.run_of(conn, run_id), runs.step_of(conn, run_id, "begin")
        snapshot = six.workspace.snapshot_folder(run.snapshot_id)
        vouched = folder.manifest["inputs"]
        assert vouched.pop("audit_head")
        assert vouched.pop("playbooks_before") == before_digest(six.workspace.before(PLAYBOOK))
        assert vouched == {
            "snapshot_id": snapshot.id, "snapshot": snapshot.manifest_digest, "playbook": loaded.digest,
            "rules": six.workspace.rules.version, "owners": six.workspace.owners.digest,
        }  # fmt: skip
        assert folder.read_bytes("playbook.yaml") == loaded.path.read_bytes()
        assert (run.segment, run.sample_size, run.dry, run.as_of) == ("household", 5, False, AS_OF)
        assert step is not None
        assert (step.state, step.manifest_digest) == ("succeeded", folder.manifest_digest)

    @pytest.mark.parametrize(
        ("asked", "message"),
        [
            ({"now": AS_OF + timedelta(hours=24, seconds=1)}, "more than 24 hours ago: take a new snapshot"),
            ({"now": AS_OF - timedelta(seconds=1)}, "later than now"),
            ({"now": AS_OF - timedelta(seconds=1), "dry": True}, "later than now"),
            ({"segment": "wholesale"}, "knows no business segment wholesale; it has business, care_plan, household"),
            ({"sample_size": 0}, "a sample of 0 enrolments is none"),
        ],
    )
    def test_what_it_refuses(self, six: Six, asked: dict[str, Any], message: str) -> None:
        """With the thing, the place and the fix; and no run begins."""
        with pytest.raises(StepError, match=message):
            begun(six, **asked)

        with six.ledger.begin() as conn:
            assert runs.latest_run(conn, PLAYBOOK) is None

    def test_an_old_snapshot_is_good_for_a_dry_run(self, six: Six) -> None:
        """And a real run may begin on one of exactly 24 hours."""
        begun(six, now=AS_OF + timedelta(days=90), dry=True)
        begun(six, now=AS_OF + timedelta(hours=24))

    def test_without_a_snapshot_there_is_no_run(self, tmp_path: Path, ledger: Ledger) -> None:
        """The message says what to do first."""
        with pytest.raises(StepError, match="no snapshot that is ready; take one"):
            begun(Six(tmp_path / "home", ledger))

    def test_an_unknown_playbook_is_named(self, six: Six) -> None:
        """With those there are."""
        with pytest.raises(ConfigurationError, match="no playbook customer_reactivatoin"):
            begin_run(six.workspace, "customer_reactivatoin", now=NOW, dry=True, triggered_by="operator")

    def test_a_changed_snapshot_is_refused(self, six: Six) -> None:
        """Nothing begins on files the ledger does not vouch for."""
        with six.ledger.begin() as conn:
            known = runs.latest_ready_snapshot(conn)
        assert known is not None
        manifest = Path(str(six.workspace.snapshot_folder(known.snapshot_id).path)) / "manifest.json"
        manifest.write_bytes(manifest.read_bytes() + b" ")

        with pytest.raises(StepError, match="is not what the ledger vouches for"):
            begun(six)


class TestDecide:
    """What a decided run leaves behind."""

    def test_the_six_customers(self, six: Six) -> None:
        """Two may be enrolled, one reviewed, one is suppressed, one on hold, and one is no candidate."""
        run_id = begun(six)

        counts = decide_run(six.workspace, run_id, NOW)

        table = six.workspace.run_folder(run_id).read("decisions")
        decided = dict(zip(table["customer_id"].to_pylist(), table["decision"].to_pylist(), strict=True))
        assert {name: decided[name] for name in ("c-dov", "c-eva")} == {"c-dov": "suppress", "c-eva": "hold"}
        assert {decided[name] for name in ("c-ada", "c-ben", "c-cem")} <= {"enrol", "review"}
        assert "c-fay" not in decided
        assert (counts["customers"], counts["candidates"], counts["not_candidates"]) == (6, 5, {"active": 1})

    def test_the_files_and_the_step_agree(self, six: Six) -> None:
        """Schemas as declared, and the ledger knows the manifest that has them."""
        run_id = begun(six)
        counts = decide_run(six.workspace, run_id, NOW)

        folder = six.workspace.run_folder(run_id)
        with six.ledger.begin() as conn:
            step = runs.require_step(conn, run_id, "decide", folder.manifest_digest)
        assert folder.read("decisions").schema.equals(DECISIONS)
        assert folder.read("ledger_extract").schema.equals(EXTRACT)
        assert step.counts == counts

    def test_the_same_again_on_the_same_bytes(self, six: Six) -> None:
        """Two runs of one snapshot have the same decisions, byte for byte; run ids are not in them."""
        digests = {six.workspace.run_folder(six.decided()).files["decisions.parquet"] for _ in range(2)}

        assert len(digests) == 1

    def test_no_names_addresses_or_notes(self, six: Six) -> None:
        """Evidence holds ids, codes and amounts."""
        text = str(six.workspace.run_folder(six.decided()).read("decisions").to_pylist())

        assert "@" not in text
        assert "Hart" not in text

    def test_a_step_is_not_taken_twice(self, six: Six) -> None:
        """What succeeded is not done again, and the folder stays what it was."""
        run_id = six.decided()
        before = six.workspace.run_folder(run_id).manifest_digest

        with pytest.raises(StepError, match=run_id):
            decide_run(six.workspace, run_id, NOW)

        assert six.workspace.run_folder(run_id).manifest_digest == before

    def test_an_unknown_run_is_refused(self, six: Six) -> None:
        """A task state or a message is no run."""
        run_id = begun(six)
        with six.ledger.begin() as conn, pytest.raises(StepError, match="nonsense"):
            runs.run_of(conn, "nonsense")
        folder = six.workspace.run_folder(run_id)
        folder.add_file("readiness.json", {"forged": True})

        with pytest.raises(StepError, match="its files are not those that step begin left"):
            decide_run(six.workspace, run_id, NOW)

    def test_a_playbook_changed_meanwhile_is_refused(self, six: Six) -> None:
        """What was begun is what is decided."""
        run_id = begun(six)
        six.change(f"playbooks/{PLAYBOOK}.yaml", {"holdout_share": 0.5})

        with pytest.raises(StepError, match="playbook customer_reactivation was changed since the run began"):
            decide_run(six.workspace, run_id, NOW)

    def test_an_owner_taken_out_of_the_file_is_unclear(self, six: Six) -> None:
        """Who cannot sign owns nobody."""
        six.change("owners.yaml", {"owners": {"own-ada": {"roles": ["compliance"], "delegate": None}}})

        table = six.workspace.run_folder(six.decided()).read("decisions")

        reasons = {row["customer_id"]: row["reason_codes"] for row in table.to_pylist()}
        assert reasons["c-ada"] == ["evidence_missing:owner"]
