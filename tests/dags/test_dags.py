"""The folder of DAGs: what Airflow reads, what it costs to read, and what no DAG of ours may do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reactivation import paths
from reactivation.approvals.form import HOLD_ALL, OPTIONS, REJECT_ALL
from reactivation.playbooks.loader import load_playbook
from reactivation.steps.whole import STEPS

DAGS = {
    "take_snapshot": (["0 5 * * *", "UTC", 0], 1),
    "customer_reactivation": (["reactivation_snapshot"], 1),
    "customers_not_active": (["reactivation_snapshot"], 1),
    "dormant_account_outreach": (["reactivation_snapshot"], 1),
    "ask_people": ({"AssetAny": ["reactivation_lists", "reactivation_questions"]}, 64),
    "send_due_touches": (["0 * * * *", "UTC", 0], 1),
    "record_outcomes": (["50 * * * *", "UTC", 0], 1),
    "purge": (["0 3 * * *", "UTC", 0], 1),
}
PLAYBOOKS = sorted(path.stem for path in paths.PLAYBOOKS.glob("*.yaml"))
Bag = dict[str, Any]


def every_task(bag: Bag) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each task with the id of its DAG."""
    for dag_id, dag in bag["dags"].items():
        for task in dag["tasks"]:
            yield dag_id, task


class TestReading:
    def test_is_free_of_errors_and_warnings(self, bag: Bag) -> None:
        """Airflow's interface would show either on its first page."""
        assert bag["import_errors"] == {}
        assert bag["warnings"] == []

    def test_imports_nothing_heavy(self, bag: Bag) -> None:
        """Airflow reads every file again and again; pandas, DuckDB, Great Expectations or the ledger would be paid for
        each time."""
        assert bag["heavy"] == []

    def test_takes_milliseconds(self, bag: Bag) -> None:
        """Half a second of processor time a file, everything of ours included, is the most."""
        assert max(bag["milliseconds"].values()) < 500


class TestEveryDag:
    def test_is_one_of_those_the_story_tells(self, bag: Bag) -> None:
        """A new DAG is named here, with its schedule and how many runs of it there may be."""
        assert {i: (d["schedule"], d["max_active_runs"]) for i, d in bag["dags"].items()} == DAGS

    def test_sends_in_the_pool_that_is_named(self, bag: Bag) -> None:
        """However many workers there are, no more dispatchers than its slots; nothing else waits for one."""
        assert {task["id"] for _, task in every_task(bag) if task["pool"] == "sending"} == {"send_due"}
        assert {task["pool"] for _, task in every_task(bag)} == {"sending", "default_pool"}

    @pytest.mark.parametrize("dag_id", DAGS)
    def test_says_what_it_is_and_whose(self, bag: Bag, dag_id: str) -> None:
        """Tags, owner, description and documentation; Airflow's default owner is nobody."""
        dag = bag["dags"][dag_id]
        assert "reactivation" in dag["tags"]
        assert dag["owners"] == ["marketing-operations"]
        assert dag["description"]
        assert dag["doc"].lstrip().startswith("###")

    @pytest.mark.parametrize("dag_id", DAGS)
    def test_never_catches_up(self, bag: Bag, dag_id: str) -> None:
        """What was not done yesterday is not done twice today."""
        assert bag["dags"][dag_id]["catchup"] is False

    @pytest.mark.parametrize("dag_id", DAGS)
    def test_has_no_run_time_limit(self, bag: Bag, dag_id: str) -> None:
        """A run's time limit turns its waiting requests into skipped ones."""
        assert bag["dags"][dag_id]["dagrun_timeout"] is None

    def test_tries_again_only_for_infrastructure(self, bag: Bag) -> None:
        """Two more tries each."""
        assert {task["retries"] for _, task in every_task(bag)} == {2}


class TestPlaybook:
    @pytest.mark.parametrize("playbook", PLAYBOOKS)
    def test_has_the_steps_of_the_command_line_in_their_order(self, bag: Bag, playbook: str) -> None:
        """One code path: what the command line runs is what Airflow runs. Every playbook has a DAG of its name."""
        order = [name.replace(" ", "_") for name, _ in STEPS]
        found = [task for task in bag["dags"][playbook]["order"] if task != "ask_compliance"]
        assert found == ["begin", *order]

    @pytest.mark.parametrize("playbook", PLAYBOOKS)
    def test_asks_compliance_only_after_a_stop(self, bag: Bag, playbook: str) -> None:
        """A run that goes on has nothing to waive; a run that is stopped does not go on by itself."""
        (task,) = [t for d, t in every_task(bag) if (d, t["id"]) == (playbook, "ask_compliance")]
        assert task["trigger_rule"] == "one_failed"

    def test_links_a_stopped_task_to_its_report(self, bag: Bag) -> None:
        """Both tasks that judge whether data is ready."""
        linked = {(d, t["id"]) for d, t in every_task(bag) if "Readiness report" in t["links"]}
        assert linked == {("take_snapshot", "take_snapshot"), *((playbook, "readiness") for playbook in PLAYBOOKS)}

    @pytest.mark.parametrize("playbook", PLAYBOOKS)
    def test_form_offers_the_segments_of_the_playbook(self, bag: Bag, playbook: str) -> None:
        """The form is fixed when the file is read; a segment added to the playbook must be added there."""
        form = bag["dags"][playbook]["params"]
        segments = load_playbook(paths.PLAYBOOKS / f"{playbook}.yaml").playbook.windows
        assert form["segment"]["schema"]["enum"] == ["every segment", *segments]

    @pytest.mark.parametrize("playbook", PLAYBOOKS)
    def test_form_defaults_are_what_the_schedule_does(self, bag: Bag, playbook: str) -> None:
        """Everybody, no limit, for real; and every field says what it means."""
        form = bag["dags"][playbook]["params"]
        assert {name: p["value"] for name, p in form.items()} == {
            "segment": "every segment", "sample_size": None, "dry_run": False,
        }  # fmt: skip
        assert all(p["description"] and p["schema"]["title"] for p in form.values())

    def test_tells_whom_only_through_assets(self, bag: Bag) -> None:
        """The snapshot starts the playbooks; opened lists, a question to compliance and a stop start the asking."""
        outlets = {(d, t["id"]): t["outlets"] for d, t in every_task(bag) if t["outlets"]}
        assert outlets == {
            ("take_snapshot", "take_snapshot"): ["reactivation_snapshot"],
            **{(playbook, "open_lists"): ["reactivation_lists"] for playbook in PLAYBOOKS},
            **{(playbook, "ask_compliance"): ["reactivation_questions"] for playbook in PLAYBOOKS},
            ("send_due_touches", "ask_about_sending"): ["reactivation_questions"],
        }


class TestOutcomes:
    def test_what_follows_comes_when_all_is_recorded(self, bag: Bag) -> None:
        """Last and apart, so that a CRM that refuses fails that task and keeps nothing else from being done."""
        dag = bag["dags"]["record_outcomes"]
        last = ["watch_variants", "write_segments_back", "write_tags_back"]
        assert dag["order"][:2] == ["ask_providers", "record_what_came_back"]
        assert sorted(dag["order"][2:]) == last
        rules = {task["id"]: task["trigger_rule"] for task in dag["tasks"]}
        assert rules["record_what_came_back"] == "all_done"
        assert {rules[one] for one in last} == {"all_success"}
        after = {task["id"]: task["downstream"] for task in dag["tasks"]}
        assert [sorted(after[one]) for one in ("record_what_came_back", *last)] == [last, [], [], []]


class TestAsking:
    @pytest.fixture
    def asking(self, bag: Bag) -> dict[str, Any]:
        """The one task that asks a person."""
        (task,) = [task for _, task in every_task(bag) if task["asks"]]
        return task

    def test_silence_holds(self, asking: dict[str, Any]) -> None:
        """Three days, then *Hold all*; no default contacts anybody."""
        assert asking["wait"] == 3 * 24 * 3600
        assert asking["defaults"] == [HOLD_ALL]
        assert set(asking["options"]) <= set(OPTIONS) - {REJECT_ALL}

    def test_nothing_shown_is_rendered_as_a_template(self, asking: dict[str, Any]) -> None:
        """What a source says could otherwise read Airflow's variables and connections."""
        assert asking["template_fields"] == []

    def test_is_a_mapped_operator_over_question_ids(self, asking: dict[str, Any]) -> None:
        """``expand_kwargs`` would render its data as templates."""
        assert asking["expanded_by"] == "MappedOperator"
        assert asking["expands"] == ["question_id"]

    def test_links_to_the_list(self, asking: dict[str, Any]) -> None:
        """One click from the task to what is signed."""
        assert asking["links"] == ["The page"]

    def test_nobody_starts_it_by_hand(self, bag: Bag) -> None:
        """What a run is triggered with would stand in the signer's form."""
        assert bag["dags"]["ask_people"]["run_types"] == ["DagRunType.ASSET_TRIGGERED"]

    def test_no_skip_inside_a_mapped_group(self, bag: Bag) -> None:
        """Airflow 3.3 skips nothing there: a rejected item would go on."""
        assert [i for i, t in every_task(bag) if t["mapped_group"] and (t["asks"] or t["skips"])] == []
