# ruff: noqa: S608 - SQL is made of names of the tests only
"""Who is in the segments of document 002: in the run's evidence, as an export, and in the CRM."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from tests.builders import AS_OF, days_ago, purchase, tables
from tests.steps.six import NOW, PLAYBOOK, Six
from tests.steps.test_writing_back import do

from reactivation.ledger import erasures, runs
from reactivation.ledger.engine import Ledger
from reactivation.ledger.runs import StepError
from reactivation.policy.activity_segments import NAMES, SEGMENTS
from reactivation.sources import SourceError
from reactivation.steps.segmented import segment_members
from reactivation.steps.workspace import Workspace
from reactivation.steps.writing_back import write_segments_back

LATER = NOW + timedelta(minutes=30)
TWO = "customers_not_active"
AFTER = "customers_not_active_after_react"
TAG = "customer_not-active_after-reactivation"
NOTHING = {"members_new": 0, "members_gone": 0, "members_erased": 0}
PAGE = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text(encoding="utf-8")
on_sqlite = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)


def told(**of: dict[str, Any]) -> dict[str, Any]:
    """The six customers, with some contacts said otherwise: c-ada clicked, c-ben bears the tag."""
    rows = tables()
    changes = {"c-ada": {"last_email_link_clicked": days_ago(3)}, "c-ben": {"tags": [TAG]}, **of}
    return {"contacts": [row | changes.get(row["customer_id"], {}) for row in rows["contacts"]]}


@pytest.fixture
def six(tmp_path: Path, ledger: Ledger) -> Six:
    made = Six(tmp_path / "home", ledger)
    made.write(**told())
    made.snapshot()
    return made


def decided(six: Six, playbook: str = TWO, *, dry: bool = False, ready: bool = True, now: datetime = NOW) -> str:
    return (six.ready if ready else six.decided)(now, dry=dry, playbook=playbook)


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["customer_id"] for row in rows]


class TestEvidence:
    def test_has_everybody_of_the_snapshot_by_id(self, six: Six) -> None:
        """One row each, candidates or not, with nothing but flags; counted beside the decisions."""
        run_id = decided(six)
        segments = six.workspace.run_folder(run_id).read("segments")
        contacts = six.workspace.snapshot_folder(next(iter(_snapshots(six)))).read("contacts", ["customer_id"])
        assert segments.schema == SEGMENTS
        assert segments["customer_id"].to_pylist() == sorted(contacts["customer_id"].to_pylist())
        with six.ledger.begin() as conn:
            step = runs.step_of(conn, run_id, "decide")
        assert step is not None
        assert step.counts["segments"] == {name: sum(segments[name].to_pylist()) for name in NAMES}

    @on_sqlite
    def test_of_a_playbook_without_segments_has_none(self, six: Six) -> None:
        """Nothing is written that nobody asked for."""
        run_id = decided(six, PLAYBOOK)
        assert not six.workspace.run_folder(run_id).has("segments")
        with pytest.raises(StepError, match="only a playbook with population"):
            segment_members(six.workspace, PLAYBOOK, AFTER)


@on_sqlite
class TestExport:
    def test_names_the_members(self, six: Six) -> None:
        """By id, with the as-of of the run: the quiet, and of them who bears the tag."""
        decided(six)
        quiet = segment_members(six.workspace, TWO, "customers_not_active")
        assert "c-ben" in ids(quiet)
        assert "c-ada" not in ids(quiet)
        assert segment_members(six.workspace, TWO, AFTER) == [
            {"customer_id": "c-ben", "segment": AFTER, "as_of": AS_OF}
        ]

    def test_of_an_earlier_run(self, six: Six) -> None:
        """By its id; without one it is the last."""
        first = decided(six)
        six.write(as_of=LATER, **told(**{"c-ben": {"tags": []}}))
        six.snapshot(LATER)
        decided(six, now=LATER)
        assert segment_members(six.workspace, TWO, AFTER) == []
        assert ids(segment_members(six.workspace, TWO, AFTER, first)) == ["c-ben"]

    @pytest.mark.parametrize(("name", "said"), [
        ("customer_not_active", "did you mean customers_not_active"), ("all", "there are active_users, "),
    ])  # fmt: skip
    def test_of_a_segment_there_is_not(self, six: Six, name: str, said: str) -> None:
        """With those there are."""
        with pytest.raises(StepError, match=said):
            segment_members(six.workspace, TWO, name)

    def test_before_anything_was_decided(self, six: Six) -> None:
        """With the command that decides."""
        with pytest.raises(StepError, match="reactivation run customers_not_active"):
            segment_members(six.workspace, TWO, AFTER)


def _snapshots(six: Six) -> list[str]:
    return [folder.name for folder in (six.home / "evidence" / "snapshots").iterdir()]


def made(instant: str) -> str:
    """The statement of docs/deploy.md, with this type of its instant."""
    (statement,) = re.findall(r"^CREATE TABLE reactivation_segments \(.*?^\)", PAGE, re.M | re.S)
    return re.sub(r" +--.*", "", statement).replace("TIMESTAMP WITH TIME ZONE", instant)


def there(database: Engine) -> set[tuple[str, str]]:
    """Who is in which segment of the two e-mails."""
    with database.connect() as connection:
        rows = connection.execute(text(f"SELECT * FROM reactivation_segments WHERE playbook = '{TWO}'"))
        return {(row.customer_id, row.segment) for row in rows}


def found(six: Six) -> set[tuple[str, str]]:
    """The same by the last run."""
    return {(one, name) for name in NAMES for one in ids(segment_members(six.workspace, TWO, name))}


Writing = Callable[[Six], dict[str, int]]


@pytest.fixture
def write(database: Engine) -> Writing:
    """Writes to a CRM whose table was made as the page says."""
    do(database, made("TIMESTAMP WITH TIME ZONE" if database.dialect.name == "postgresql" else "DATETIME"))
    return lambda six: write_segments_back(_to(six.workspace, "connection:crm_db", database))


def _to(workspace: Workspace, place: str, database: Engine | None = None) -> Workspace:
    connect = {"crm_db": database}.get
    changed = replace(workspace.settings, segments_to=place, connect_to_write=connect)  # type: ignore[arg-type]
    return replace(workspace, settings=changed)


class TestATable:
    def test_says_who_is_in_which_segment(self, six: Six, write: Writing, database: Engine) -> None:
        """As the last run found it; again, nothing is written."""
        decided(six)
        expected = found(six)
        assert write(six) == NOTHING | {"members_new": len(expected)}
        assert there(database) == expected
        assert write(six) == NOTHING

    @on_sqlite
    def test_follows_who_comes_and_goes(self, six: Six, write: Writing, database: Engine) -> None:
        """Who left a segment has no row any more; rows of a playbook that is not ours stay."""
        decided(six)
        write(six)
        do(database, f"INSERT INTO reactivation_segments VALUES ('x', 'theirs', '{AFTER}', '2026-01-01 00:00:00.000')")
        rows = tables()["purchases"]
        six.write(as_of=LATER, **told(), purchases=[*rows, purchase("b-new", "c-ben", days_ago(1))])
        six.snapshot(LATER)
        decided(six, now=LATER)
        counts = write(six)
        assert counts["members_gone"] > 0
        assert ("c-ben", AFTER) not in there(database)
        assert there(database) == found(six)
        with database.connect() as connection:
            others = text("SELECT count(*) FROM reactivation_segments WHERE playbook = 'theirs'")
            assert connection.scalar(others) == 1

    @on_sqlite
    def test_has_nobody_who_was_erased(self, six: Six, write: Writing, database: Engine) -> None:
        """The next writing takes their rows out, and none writes them again."""
        decided(six)
        write(six)
        with six.ledger.begin() as conn:
            erasures.record(conn, customers=["c-ben"], address_keys=[], reason="person_asked", actor="cleo", now=NOW)
        assert write(six)["members_erased"] > 0
        assert "c-ben" not in {who for who, _ in there(database)}
        assert write(six) == NOTHING

    @on_sqlite
    def test_hears_nothing_of_a_dry_run_or_of_data_that_was_not_ready(
        self, six: Six, write: Writing, database: Engine
    ) -> None:  # fmt: skip
        """And what stands there stays as it is."""
        decided(six, dry=True)
        decided(six, ready=False)
        assert write(six) == {}
        assert there(database) == set()

    @on_sqlite
    def test_is_never_made(self, six: Six, database: Engine) -> None:
        """The message has the statement that makes it."""
        decided(six)
        there_is = _to(six.workspace, "connection:crm_db", database)
        with pytest.raises(SourceError, match="crm_db: reactivation_segments is not there") as refused:
            write_segments_back(there_is)
        do(database, str(refused.value).partition("Make it with: ")[2])
        assert write_segments_back(there_is)["members_new"] > 0


@on_sqlite
class TestAFile:
    def test_has_everybody_who_is_in_a_segment(self, six: Six, tmp_path: Path) -> None:
        """Replaced whole each time, instants in UTC."""
        decided(six)
        counts = write_segments_back(_to(six.workspace, str(tmp_path)))
        lines = (tmp_path / "reactivation_segments.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == "customer_id,playbook,segment,as_of"
        assert f"c-ben,{TWO},{AFTER},{AS_OF:%Y-%m-%dT%H:%M:%SZ}" in lines
        assert counts == {"members": len(lines) - 1} == {"members": len(found(six))}

    def test_is_written_nowhere_without_the_setting(self, six: Six) -> None:
        """Nothing is written, and nothing is said."""
        decided(six)
        assert write_segments_back(six.workspace) == {}

    def test_in_a_folder_that_is_not_there(self, six: Six, tmp_path: Path) -> None:
        """A wrong path does not become a new folder."""
        decided(six)
        with pytest.raises(SourceError, match=r"there is no folder .*typo"):
            write_segments_back(_to(six.workspace, str(tmp_path / "typo")))
