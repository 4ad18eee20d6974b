"""The readiness report: what it says of a run that went on, one that stopped and one that was waived, and to whom."""

from __future__ import annotations

import csv
import html
import io
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import chain
from pathlib import Path
from zipfile import ZipFile

import pyarrow as pa
import pytest
from tests.web import judged
from tests.web.conftest import Visit

from reactivation.ledger import audit, runs
from reactivation.readiness.checker import CONCERNED
from reactivation.readiness.conditions import conditions
from reactivation.steps.purge import purge
from reactivation.steps.readiness import check_readiness
from reactivation.steps.waiving import waiver_code
from reactivation.steps.workspace import Workspace
from reactivation.web import concerned

Open = Callable[[str], tuple[Workspace, str]]


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Callable[[str], tuple[Path, str]]:
    """Each judged run of ``tests.web.judged``, made when it is first asked for."""
    made: dict[str, tuple[Path, str]] = {}

    def home(name: str) -> tuple[Path, str]:
        if name not in made:
            place = tmp_path_factory.mktemp(name) / "home"
            made[name] = place, judged.made(name, place, sqlite_template)
        return made[name]

    return home


@pytest.fixture
def opened(homes: Callable[[str], tuple[Path, str]], tmp_path: Path) -> Iterator[Open]:
    """``opened("stale")`` is this test's own copy of that household, and the id of its last run."""
    workspaces = []

    def copy(name: str) -> tuple[Workspace, str]:
        home, run_id = homes(name)
        shutil.copytree(home, tmp_path / name)
        workspaces.append(judged.opened(tmp_path / name))
        return workspaces[-1], run_id

    yield copy
    for workspace in workspaces:
        workspace.ledger.close()


def path(run_id: str, ending: str = "") -> str:
    return f"/reactivation/readiness/runs/{run_id}{ending}"


def snapshot_of(workspace: Workspace, run_id: str) -> str:
    with workspace.ledger.begin() as conn:
        return runs.run_of(conn, run_id).snapshot_id


def shown(text: str) -> str:
    """The words of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def rows(count: int) -> pa.Table:
    """So many rows concerned, in two conditions of two subjects."""
    half = count // 2
    told = [
        concerned_rows("consent_status_unclear", "critical", "consents", [f"r-{n:06d}" for n in range(half)]),
        concerned_rows("owner_unclear", "warning", "candidates", [f"c-{n:06d}" for n in range(count - half)]),
    ]
    return pa.concat_tables(told)


def concerned_rows(condition: str, severity: str, subject: str, keys: Sequence[str]) -> pa.Table:
    """These ids, as what one condition concerns."""
    return pa.table([*([one] * len(keys) for one in (condition, severity, subject)), keys], schema=CONCERNED)


class TestVerdict:
    def test_a_run_that_went_on(self, opened: Open, visit: Visit) -> None:
        """Yes in one sentence; what holds rows back stands above what passed, and every condition is there."""
        workspace, run_id = opened("went_on")
        raw = visit("operator", of=workspace).get(path(run_id)).text
        text = shown(raw)
        assert "Yes, this run may go on" in text
        assert "2 hold rows back" in text
        assert text.index("What holds rows back") < text.index("Passed 1") < text.index("Reported only")
        assert "What stops the run" not in text
        for one in conditions().values():
            for told in (one.title, one.sentence, one.document, one.proof):
                assert told in text
        for told in ("customer reactivation", "operator", "Tue 17 Nov 2026, 09:00 UTC", "Ledger says succeeded"):
            assert told in text

    def test_a_run_that_stopped_says_what_where_and_how_to_mend_it(self, opened: Open, visit: Visit) -> None:
        """The condition that blocks comes first, with its sentence, limit, figure, rows and remedy."""
        workspace, run_id = opened("stopped")
        raw = visit("operator", of=workspace).get(path(run_id)).text
        text = shown(raw)
        assert "No, this run may not go on 1 condition failed : History joined to customers." in text
        assert text.index("Not ready. ") < text.index("What stops the run") < text.index("Passed")
        first = shown(raw[raw.index("<article") : raw.index("</article>")])
        for told in ("Support or cancellation history is disconnected.", "001, Not Ready If", "at least 95%", "0%",
                     "3 rows of cases.csv", "Export the file cases.csv", "the support desk", "3 checks"):  # fmt: skip
            assert told in first
        assert f'href="{path(run_id)}/rows?condition=history_disconnected"' in raw

    def test_conditions_stand_in_the_order_of_their_file(self, opened: Open, visit: Visit) -> None:
        """Within each part of the page, so that a reader finds them again."""
        workspace, run_id = opened("went_on")
        raw = visit("ada", of=workspace).get(path(run_id)).text
        part = raw[raw.index('id="passed"') : raw.index('id="reported"')]
        found = re.findall(r'<details class="condition passed" id="(\w+)"', part)
        assert len(found) > 10
        assert found == [one for one in conditions() if one in found]

    def test_figures_are_followed_from_run_to_run(self, opened: Open, visit: Visit) -> None:
        """A line without a script, and every figure of it as text: the export was about an hour old, then a day."""
        workspace, run_id = opened("stale")
        raw = visit("ada", of=workspace).get(path(run_id)).text
        assert "Sources, hours old, over the last 3 runs, oldest first: 1, 1.08, 25.17" in shown(raw)
        assert re.search(r'<polyline points="3.0,21.0 48.0,20.9 93.0,3.0 "', raw)

    def test_a_run_that_was_not_judged(self, opened: Open, visit: Visit) -> None:
        """It has not gone on, and nothing more is known."""
        workspace, run_id = opened("went_on")
        with workspace.ledger.begin() as conn:
            run = runs.run_of(conn, run_id)
            runs.begin_run(conn, **(vars(run) | {"run_id": "run-new"}))
        shutil.copytree(str(workspace.run_folder(run_id).path), str(workspace.run_folder("run-new").path))
        manifest = workspace.run_folder("run-new").path / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"readiness.json"', '"other.json"'))
        answer = visit("ada", of=workspace).get(path("run-new"))
        assert answer.status_code == 200
        assert "Not judged yet" in answer.text

    def test_a_check_that_failed_itself_is_told_apart(self, opened: Open, visit: Visit) -> None:
        """Nothing is known of the data then."""
        workspace, run_id = opened("went_on")
        report = workspace.run_folder(run_id).read_json("readiness.json")
        report["conditions"][0] |= {"passed": False, "broken": "no result came back", "blocks": True}
        other = judged.added(workspace, run_id, rows(0), report=report)
        text = shown(visit("ada", of=workspace).get(path(other)).text)
        assert "The check itself failed, so nothing is known of the data: no result came back." in text
        assert "check broken" in text

    def test_a_condition_that_is_no_longer_declared_is_still_shown(self, opened: Open, visit: Visit) -> None:
        """A report outlives the version that made it."""
        workspace, run_id = opened("went_on")
        report = workspace.run_folder(run_id).read_json("readiness.json")
        report["conditions"][0] |= {"id": "long_gone"}
        other = judged.added(workspace, run_id, rows(0), report=report)
        assert "Long gone" in visit("ada", of=workspace).get(path(other)).text


class TestSnapshot:
    def test_has_its_own_report(self, opened: Open, visit: Visit) -> None:
        """Only its tables were asked about; the rest is said to be not asked."""
        workspace, run_id = opened("went_on")
        address = f"/reactivation/readiness/snapshots/{snapshot_of(workspace, run_id)}"
        text = shown(visit("operator", of=workspace).get(address).text)
        assert "Yes, runs may begin on this snapshot" in text
        assert text.index("Not asked") < text.index("Sources agree")
        for ending in (".json", ".csv", ".html", "/rows", "/quarantine", "/data-docs.zip"):
            assert visit("operator", of=workspace).get(address + ending).status_code == 200

    def test_the_runs_report_leads_to_it(self, opened: Open, visit: Visit) -> None:
        """One link."""
        workspace, run_id = opened("went_on")
        link = f'href="/reactivation/readiness/snapshots/{snapshot_of(workspace, run_id)}"'
        assert link in visit("operator", of=workspace).get(path(run_id)).text


class TestProof:
    def test_every_digest_is_there_and_is_what_the_ledger_recorded(self, opened: Open, visit: Visit) -> None:
        """Both manifests, each of their files, the playbook and the rules."""
        workspace, run_id = opened("went_on")
        raw = visit("ada", of=workspace).get(path(run_id)).text
        with workspace.ledger.begin() as conn:
            run = runs.run_of(conn, run_id)
        folders = (workspace.run_folder(run_id), workspace.snapshot_folder(run.snapshot_id))
        told = [run.playbook_digest, run.rules_version, *(folder.manifest_digest for folder in folders)]
        for digest in [*told, *(digest for folder in folders for digest in folder.files.values())]:
            assert digest in raw
        assert raw.count("as the ledger recorded") == 2
        assert 'role="alert"' not in raw

    @pytest.mark.parametrize("which", ["run", "snapshot"])
    def test_a_manifest_that_differs_is_said_loudly(self, opened: Open, visit: Visit, which: str) -> None:
        """At the top of the page, with both digests below, also when all files fit the manifest."""
        workspace, run_id = opened("went_on")
        folders = {"run": workspace.run_folder(run_id),
                   "snapshot": workspace.snapshot_folder(snapshot_of(workspace, run_id))}  # fmt: skip
        recorded = folders[which].manifest_digest
        folders[which].add_file("note.json", {"by": "somebody"})
        raw = visit("ada", of=workspace).get(path(run_id)).text
        alert = raw[raw.index('role="alert"') :]
        assert (
            shown(alert).partition(">")[2].strip().startswith(f"The evidence is not what the ledger recorded ({which})")
        )
        assert recorded in raw
        assert folders[which].manifest_digest in raw

    def test_what_was_taken_out_since_is_told(self, opened: Open, visit: Visit) -> None:
        """With the new digest and why; the report stands as before, for its manifest does."""
        workspace, run_id = opened("went_on")
        folder = workspace.snapshot_folder(snapshot_of(workspace, run_id))
        purge(workspace, folder.as_of + timedelta(days=30))
        (made,) = folder.rewrites
        raw = visit("ada", of=workspace).get(path(run_id)).text
        assert f"{made.rows_removed} of people.parquet for retention on" in shown(raw)
        assert made.new in raw
        assert raw.count("as the ledger recorded") == 2
        assert 'role="alert"' not in raw

    def test_later_steps_add_their_files(self, opened: Open, visit: Visit) -> None:
        """A run that has been planned since still has the evidence of its readiness."""
        workspace, run_id = opened("went_on")
        digest = workspace.run_folder(run_id).add_file("note.json", {"by": "a step"})
        with workspace.ledger.begin() as conn:
            runs.record_step(
                conn, run_id, "plan", state="succeeded", manifest_digest=digest, counts={}, now=workspace.now()
            )
        assert 'role="alert"' not in visit("ada", of=workspace).get(path(run_id)).text


class TestTold:
    def test_who_was_told_and_where_telling_failed(self, opened: Open, visit: Visit) -> None:
        """By id, with the means and the problem as codes."""
        workspace, run_id = opened("stopped")
        text = shown(visit("ada", of=workspace).get(path(run_id)).text)
        assert "Compliance was told: own-cleo log" in text
        assert "failed Telling failed: own-cleo mail, no connection" in text

    def test_that_nobody_was_told_of_a_stop_is_said(self, opened: Open, visit: Visit) -> None:
        """The ledger alone says so."""
        workspace, run_id = opened("stopped")
        with workspace.ledger.begin() as conn:
            run = runs.run_of(conn, run_id)
            runs.begin_run(conn, **(vars(run) | {"run_id": "run-silent"}))
            runs.record_step(
                conn, "run-silent", "readiness", state="not_ready", now=workspace.now(), counts={},
                manifest_digest=workspace.run_folder(run_id).manifest_digest,
            )  # fmt: skip
        shutil.copytree(str(workspace.run_folder(run_id).path), str(workspace.run_folder("run-silent").path))
        text = visit("ada", of=workspace).get(path("run-silent")).text
        assert "no record that anybody was told" in text


class TestWaiver:
    def test_the_code_is_at_the_end_for_compliance(self, opened: Open, visit: Visit) -> None:
        """With what a waiver does, what it does not, what follows, and the way to Airflow's form."""
        workspace, run_id = opened("stale")
        code = waiver_code(workspace, judged.question(workspace, run_id))
        before = visit("cleo", of=workspace).get(path(run_id)).text
        assert "The form is not open yet" in before
        raw = visit("cleo", of=judged.asked(workspace)).get(path(run_id)).text
        shown_code = f"{code[:4]}<span> </span>{code[4:]}"
        assert raw.count(shown_code) == 1
        assert raw.index(shown_code) > raw.index("What vouches for this")
        run = "scheduled__2026-11-17T11%3A00%3A00%2B00%3A00"
        assert f'href="/dags/ask_people/runs/{run}/tasks/ask/mapped/0/required_actions"' in raw
        for told in ("whoever must not be written to is still not written to", "clears the failed task readiness"):
            assert told in shown(raw)

    @pytest.mark.parametrize("user", ["ada", "olu", "operator", "stranger"])
    def test_nobody_else_sees_it(self, opened: Open, visit: Visit, user: str) -> None:
        """Whoever may read the report reads why there is no code for him, in no kind of file either."""
        workspace, run_id = opened("stale")
        code = waiver_code(workspace, judged.question(workspace, run_id))
        raw = visit(user, of=workspace).get(path(run_id)).text
        assert "You may look, but not waive" in raw
        for ending in ("", ".json", ".csv", ".html"):
            told = shown(visit(user, of=workspace).get(path(run_id, ending)).text)
            assert code not in told.replace(" ", "")

    def test_a_file_has_no_code(self, opened: Open, visit: Visit) -> None:
        """A file is sent on; the page is not."""
        workspace, run_id = opened("stale")
        code = waiver_code(workspace, judged.question(workspace, run_id))
        assert code not in shown(visit("cleo", of=workspace).get(path(run_id, ".html")).text).replace(" ", "")

    def test_nobody_waives_his_own_run(self, opened: Open, visit: Visit) -> None:
        """Compliance that wrote the playbook looks like everybody else."""
        workspace, run_id = opened("stale")
        file = workspace.settings.playbooks / "customer_reactivation.yaml"
        file.write_text(re.sub(r"authored_by: \S+", "authored_by: cleo", file.read_text()))
        assert "You may look, but not waive" in visit("cleo", of=workspace).get(path(run_id)).text

    def test_without_the_playbook_nobody_may_sign(self, opened: Open, visit: Visit) -> None:
        """Who wrote it is not known then, but the report is still there to read."""
        workspace, run_id = opened("stale")
        (workspace.settings.playbooks / "customer_reactivation.yaml").unlink()
        answer = visit("cleo", of=workspace).get(path(run_id))
        assert answer.status_code == 200
        assert "This can no longer be waived" in answer.text

    def test_a_waived_run_waits_to_be_cleared_and_then_goes_on(self, opened: Open, visit: Visit) -> None:
        """The page says at each moment what is missing; by whom, why and until when stays on it."""
        workspace, run_id = opened("stale")
        code = waiver_code(workspace, judged.question(workspace, run_id))
        judged.waive(judged.asked(workspace), code)
        text = shown(visit("cleo", of=workspace).get(path(run_id)).text)
        assert "Waived, but not gone on yet" in text
        assert "Clear the failed task readiness" in text
        assert code not in text.replace(" ", "")

        check_readiness(workspace, run_id, workspace.now())
        text = shown(visit("ada", of=workspace).get(path(run_id)).text)
        assert "Yes, by waiver: this run went on" in text
        assert "source stale cleo export late Tue 17 Nov 2026, 10:20 UTC Tue 17 Nov 2026, 14:20 UTC" in text
        assert visit("ada", of=workspace).get(path(run_id, ".json")).json()["waivers"][0]["signed_by"] == "cleo"

    def test_a_waiver_that_ran_out_lets_nothing_go_on(self, opened: Open, visit: Visit) -> None:
        """Too late is stopped again."""
        workspace, run_id = opened("stale")
        judged.waive(judged.asked(workspace), waiver_code(workspace, judged.question(workspace, run_id)))
        text = visit("ada", of=judged.at(workspace, hours=5)).get(path(run_id)).text
        assert "No, this run may not go on" in text

    def test_an_answer_that_did_not_count_is_told(self, opened: Open, visit: Visit) -> None:
        """With the code of why."""
        workspace, run_id = opened("stale")
        judged.waive(judged.asked(workspace), "00000000")
        text = shown(visit("ada", of=workspace).get(path(run_id)).text)
        assert "An answer did not count by cleo Waive for this run, signing code differs" in text

    def test_the_first_page_calls_compliance(self, opened: Open, visit: Visit) -> None:
        """Nobody else is called, but everybody finds the last verdicts."""
        workspace, run_id = opened("stale")
        mine, other = (visit(user, of=workspace).get("/reactivation/").text for user in ("cleo", "ada"))
        assert "1 stopped run waits for compliance" in mine
        assert f'href="{path(run_id)}#code"' in mine
        assert "#code" not in other
        for text in (mine, other):
            assert f'href="{path(run_id)}"' in text
            assert (text.count(">not ready<"), text.count(">went on<"), text.count(">ready<")) == (1, 2, 2)


class TestRows:
    def test_names_what_is_concerned_by_id(self, opened: Open, visit: Visit) -> None:
        """The candidate whose owner nobody knows, with a link from the report."""
        workspace, run_id = opened("went_on")
        client = visit("operator", of=workspace)
        link = re.search(r'href="([^"]*/rows\?condition=owner_unclear)"', client.get(path(run_id)).text)
        assert link is not None
        assert "c-ben candidates owner unclear warning" in shown(client.get(link[1]).text)

    def test_names_the_place_of_what_was_set_aside(self, opened: Open, visit: Visit) -> None:
        """Table, id, row, column and reason, never the value."""
        workspace, run_id = opened("went_on")
        text = shown(visit("operator", of=workspace).get(path(run_id, "/quarantine?table=purchases")).text)
        assert "b-9 purchases 9 amount" in text
        assert "lots" not in text

    def test_pages_hold_every_row_once(self, opened: Open, visit: Visit) -> None:
        """All pages together are the file, in an order of their own; a page past the end is the last."""
        workspace, run_id = opened("went_on")
        client = visit("ada", of=workspace)
        many = judged.added(workspace, run_id, rows(1_050))
        pages = [client.get(path(many, f"/rows?page={n}")).text for n in range(1, 7)]
        found = [re.findall(r'<code class="id">([^<]*)</code>', page) for page in pages]
        assert [len(one) for one in found] == [200, 200, 200, 200, 200, 50]
        assert sorted(chain.from_iterable(found)) == sorted(rows(1_050)["key"].to_pylist())
        assert "Page 6 of 6" in client.get(path(many, "/rows?page=99")).text
        assert "Page 1 of 3" in client.get(path(many, "/rows?condition=owner_unclear&subject=candidates")).text

    def test_three_hundred_thousand_rows_are_pages_like_any(
        self, opened: Open, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Fifteen hundred pages, the last as whole as the first, and only the rows of the page leave the file."""
        workspace, run_id = opened("went_on")
        client = visit("ada", of=workspace)
        many = judged.added(workspace, run_id, rows(300_000))
        taken: list[int] = []
        asked = concerned.query

        def counting(*args: object, **named: object) -> pa.Table:
            table = asked(*args, **named)  # type: ignore[arg-type]
            taken.append(table.num_rows)
            return table

        monkeypatch.setattr(concerned, "query", counting)
        last = client.get(path(many, "/rows?page=1500")).text
        assert "Page 1,500 of 1,500" in last
        assert 'class="id">r-149999<' in last
        assert last.count('class="id"') == 200
        assert max(taken) == 200
        assert "150,000 rows" in client.get(path(many)).text
        assert sum(1 for _ in client.get(path(many, ".csv")).iter_lines()) == 1 + 300_000 + 1

    def test_an_old_report_says_that_rows_were_not_kept(self, opened: Open, visit: Visit) -> None:
        """It is shown with its counts; there is nothing to download that would look complete."""
        workspace, run_id = opened("went_on")
        client = visit("ada", of=workspace)
        report = workspace.run_folder(run_id).read_json("readiness.json")
        since = ("column", "figure", "is_share", "waivable", "question")
        old = [{k: v for k, v in one.items() if k not in since} for one in report["conditions"]]
        other = judged.added(workspace, run_id, None, report=report | {"conditions": old})
        for ending in ("", "/rows", ".html"):
            answer = client.get(path(other, ending))
            assert (answer.status_code, "before the rows concerned were kept" in answer.text) == (200, True)
        for ending in (".csv", "/data-docs.zip"):
            assert client.get(path(other, ending)).status_code == 404
            assert f"{other}{ending}" not in client.get(path(other)).text

    @pytest.mark.parametrize(
        "asked", ["condition=<b>", "subject=a%20b", "table='x'", "page=0", "condition=" + "a" * 81]
    )
    def test_a_silly_question_is_not_found(self, opened: Open, visit: Visit, asked: str) -> None:
        """Only names of ours narrow the rows."""
        workspace, run_id = opened("went_on")
        listed = "quarantine" if asked.startswith("table") else "rows"
        assert visit("ada", of=workspace).get(path(run_id, f"/{listed}?{asked}")).status_code == 404


class TestHostileIds:
    def test_stay_text_on_every_page(self, opened: Open, visit: Visit) -> None:
        """No markup, no sign that turns text around, no id as long as a page."""
        workspace, run_id = opened("went_on")
        keys = [*judged.HOSTILE, "\u2066hidden\u2069", "{{ 7*7 }}"]
        other = judged.added(workspace, run_id, concerned_rows("owner_unclear", "warning", "candidates", keys))
        for ending in ("", "/rows", ".html"):
            raw = visit("ada", of=workspace).get(path(other, ending)).text
            assert "<script" not in raw
            assert "<img" not in raw
            assert "\u202e" not in raw
        text = shown(visit("ada", of=workspace).get(path(other, "/rows")).text)
        for told_as in ("<script>alert(1)</script>", "k-⟨U+202E⟩gnp.exe", "⟨U+2066⟩hidden⟨U+2069⟩", "{{ 7*7 }}",
                        "… (500 signs in all)"):  # fmt: skip
            assert told_as in text
        assert "x" * 121 not in text

    def test_in_what_was_found_stay_text_as_well(self, opened: Open, visit: Visit) -> None:
        """The name of a segment comes from a source, too."""
        workspace, run_id = opened("stopped")
        report = workspace.run_folder(run_id).read_json("readiness.json")
        for one in report["conditions"]:
            one |= {name: f"<script>{name}</script>\u202e" for name in ("observed", "fix")}
        other = judged.added(workspace, run_id, rows(0), report=report | {"message": "<script>all</script>\u202e"})
        for ending in ("", ".html"):
            raw = visit("ada", of=workspace).get(path(other, ending)).text
            assert "&lt;script&gt;all&lt;/script&gt;⟨U+202E⟩" in raw
            assert "&lt;script&gt;observed" in raw
            assert "\u202e" not in raw
            assert "<script" not in raw

    def test_are_no_formulas_in_a_spreadsheet(self, opened: Open, visit: Visit) -> None:
        """An apostrophe before what a spreadsheet would compute; everything else is as the source has it."""
        workspace, run_id = opened("went_on")
        keys = ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", " =1", "＝1", "\n=1", "c-1", "", 'a,b"c', "x" * 500]
        other = judged.added(workspace, run_id, concerned_rows("owner_unclear", "warning", "candidates", keys))
        text = visit("ada", of=workspace).get(path(other, ".csv")).content.decode()
        told = [row["key"] for row in csv.DictReader(io.StringIO(text, newline="")) if row["list"] == "concerned"]
        assert told == ["'=1+1", "'+1", "'-1", "'@SUM(1)", "'\t=1", "' =1", "'＝1", "'\n=1", *keys[8:]]


class TestFiles:
    def test_json_is_the_evidence_and_who_was_told(self, opened: Open, visit: Visit) -> None:
        """Nothing of the report is left out or changed."""
        workspace, run_id = opened("stopped")
        document = visit("ada", of=workspace).get(path(run_id, ".json")).json()
        told, waivers = document.pop("told"), document.pop("waivers")
        assert document == workspace.run_folder(run_id).read_json("readiness.json")
        assert [(one["action"], one["people"]) for one in told] == [
            ("compliance_told", ["own-cleo"]), ("notification_failed", ["own-cleo"]),
        ]  # fmt: skip
        assert waivers == []

    def test_csv_has_every_row_concerned_and_every_row_set_aside(self, opened: Open, visit: Visit) -> None:
        """As many as the files have."""
        workspace, run_id = opened("stopped")
        found = list(csv.DictReader(io.StringIO(visit("ada", of=workspace).get(path(run_id, ".csv")).text)))
        aside = workspace.snapshot_folder(snapshot_of(workspace, run_id)).read("quarantine")
        named = workspace.run_folder(run_id).read("readiness_rows")
        assert [row["list"] for row in found] == ["concerned"] * named.num_rows + ["set aside"] * aside.num_rows
        assert {row["reason"] for row in found[named.num_rows :]} == set(aside["reason"].to_pylist())

    def test_html_stands_alone(self, opened: Open, visit: Visit) -> None:
        """Its style is in it, nothing is loaded or linked, nothing is dark, and where rows are found is spelled out."""
        workspace, run_id = opened("stopped")
        raw = visit("ada", of=workspace).get(path(run_id, ".html")).text
        assert not re.search(r"<(?:link|script|img|iframe|a)\b|\s(?:src|href)=", raw)
        assert not re.search(r"url\(|@import", raw)
        assert '<html lang="en" class="paper">' in raw
        assert f"{path(run_id)}/rows?condition=history_disconnected" in shown(raw)
        assert "<details>" not in raw

    def test_data_docs_are_those_of_the_evidence(self, opened: Open, visit: Visit) -> None:
        """Byte for byte."""
        workspace, run_id = opened("stopped")
        answer = visit("ada", of=workspace).get(path(run_id, "/data-docs.zip"))
        assert answer.content == workspace.run_folder(run_id).read_bytes("data_docs.zip")
        assert "index.html" in ZipFile(io.BytesIO(answer.content)).namelist()

    @pytest.mark.parametrize("ending", [".json", ".csv", ".html", "/data-docs.zip"])
    def test_are_kept_by_the_reader_and_by_no_cache(self, opened: Open, visit: Visit, ending: str) -> None:
        """Each has a name of its own."""
        workspace, run_id = opened("stopped")
        headers = visit("ada", of=workspace).get(path(run_id, ending)).headers
        assert headers["cache-control"] == "no-store"
        assert re.fullmatch(rf'attachment; filename="[a-z-]+-{run_id}\.\w+"', headers["content-disposition"])


class TestAccess:
    ENDINGS = ("", ".json", ".csv", ".html", "/rows", "/quarantine", "/data-docs.zip")

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_needs_a_login_and_the_right_to_read(self, visit: Visit, ending: str) -> None:
        """Whether there is such a run is not told."""
        assert visit(None).get(path("no-such-run", ending)).status_code == 401
        assert visit("ada", reader=False).get(path("no-such-run", ending)).status_code == 403

    @pytest.mark.parametrize("ending", ENDINGS)
    @pytest.mark.parametrize("address", ["runs/nope", "snapshots/nope", "runs/..%2Fsnapshots", "other/nope"])
    def test_what_the_ledger_does_not_know_is_not_found(self, visit: Visit, address: str, ending: str) -> None:
        """Nothing of an unknown id becomes a path."""
        answer = visit("ada").get(f"/reactivation/readiness/{address}{ending}", headers={"accept": "text/html"})
        assert answer.status_code == 404
        assert "There is nothing here" in answer.text

    @pytest.mark.parametrize(
        ("file", "ending"),
        [("readiness.json", ""), ("readiness.json", ".json"), ("readiness.json", ".html"),
         ("readiness_rows.parquet", ""), ("readiness_rows.parquet", "/rows"), ("readiness_rows.parquet", ".csv"),
         ("data_docs.zip", "/data-docs.zip")],
    )  # fmt: skip
    def test_evidence_that_was_changed_is_not_shown(self, opened: Open, visit: Visit, file: str, ending: str) -> None:
        """A page says so; no file begins that would end in the middle."""
        workspace, run_id = opened("stopped")
        (workspace.run_folder(run_id).path / file).write_bytes(b"changed")
        answer = visit("ada", of=workspace).get(path(run_id, ending), headers={"accept": "text/html"})
        assert answer.status_code == 503
        assert "cannot be read" in answer.text

    def test_nothing_personal_is_on_any_page(self, opened: Open, visit: Visit) -> None:
        """Ids, codes and counts: no name, address or value of anybody."""
        workspace, run_id = opened("went_on")
        for ending in self.ENDINGS[:-1]:
            text = shown(visit("operator", of=workspace).get(path(run_id, ending)).text)
            assert not any(personal in text for personal in ("gmail.com", "Hart", "07400", "+44", "lots", "@harbour"))

    def test_looking_changes_nothing(self, opened: Open, visit: Visit) -> None:
        """The ledger is as it was."""
        workspace, run_id = opened("stale")
        with workspace.ledger.begin() as conn:
            before = [audit.about(conn, run_id, ("waiver_asked", "compliance_told")), runs.steps_of(conn, run_id)]
        for ending in self.ENDINGS:
            visit("cleo", of=workspace).get(path(run_id, ending))
        with workspace.ledger.begin() as conn:
            assert before == [
                audit.about(conn, run_id, ("waiver_asked", "compliance_told")),
                runs.steps_of(conn, run_id),
            ]
