# ruff: noqa: S608 - SQL is made of names of the tests only
"""Four systems feed one run: files for CRM, PostgreSQL for billing, SQLite for support, files for consent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, text
from tests.builders import AS_OF, suppression, tables, write_source
from tests.company import PLAYBOOK, Company
from tests.databases import write_database
from tests.sending import NOW, Ready, settings, source_tables

from reactivation import paths
from reactivation.sources import SourceError
from reactivation.steps.begin import begin_run
from reactivation.steps.decide import decide_run
from reactivation.steps.dispatch import dispatch
from reactivation.steps.readiness import NotReady, check_readiness
from reactivation.steps.snapshot import take_snapshot
from reactivation.steps.workspace import Workspace, open_workspace

TAKEN = {"purchases": "billing", "engagements": "support", "cases": "support", "consents": "consent",
         "suppressions": "consent"}  # fmt: skip


class Four(Ready):
    """A company whose tables lie in four systems; ``source`` is its CRM."""

    engines: dict[str, Engine]

    @property
    def consent(self) -> Path:
        return self.home / "consent"

    def open(self, engines: dict[str, Engine]) -> Four:
        """Its workspace, with the systems where the settings say they are."""
        self.engines = engines
        vars(self)["workspace"] = open_workspace(replace(
            settings(self.home, self.url),
            named_sources={"billing": "connection:billing_db/public", "support": "connection:support_db",
                           "consent": str(self.consent)},
            connect=engines.__getitem__, playbooks=self.home / "playbooks",
        ))  # fmt: skip
        return self

    def tell(self, system: str, sql: str, **values: object) -> None:
        """Something changes in a database."""
        with self.engines[system].begin() as connection:
            connection.execute(text(sql), values)


def playbooks(folder: Path, taken: dict[str, str]) -> Path:
    """The shipped playbooks, with these tables from these sources."""
    shutil.copytree(paths.PLAYBOOKS, folder, dirs_exist_ok=True)
    said = "sources: {" + ", ".join(f"{table}: {name}" for table, name in taken.items()) + "}\n"
    for file in folder.glob("*.yaml"):
        file.write_text(file.read_text(encoding="utf-8") + said, encoding="utf-8")
    return folder


@pytest.fixture
def four(tmp_path: Path, sqlite_template: Path, postgres_database: Engine) -> Iterator[Four]:
    """The four systems, each with its own tables, and nothing decided yet."""
    home = tmp_path / "home"
    (home / "ledger").mkdir(parents=True)
    shutil.copyfile(sqlite_template, home / "ledger" / "ledger.db")
    told, nothing = source_tables(), dict.fromkeys(tables())
    of = {name: {t: told[t] for t in told if TAKEN.get(t, "crm") == name} for name in ("crm", *TAKEN.values())}
    write_source(home / "source", **nothing | of["crm"])
    write_source(home / "consent", **nothing | of["consent"])
    support = create_engine(f"sqlite:///{home / 'support.db'}")
    write_database(support, **nothing | of["support"])
    write_database(postgres_database, **nothing | of["billing"])
    playbooks(home / "playbooks", TAKEN)
    made = Four(home, f"sqlite:///{home / 'ledger' / 'ledger.db'}")
    yield made.open({"support_db": support, "billing_db": postgres_database})
    made.close()
    support.dispose()


def decided(workspace: Workspace) -> str:
    """A dry run, decided: its id."""
    snapshot_id = take_snapshot(workspace, now=NOW, as_of=AS_OF)
    run_id = begin_run(workspace, PLAYBOOK, now=NOW, dry=True, triggered_by="operator", snapshot_id=snapshot_id)
    decide_run(workspace, run_id, NOW)
    return run_id


def test_one_run_decides_as_if_all_lay_in_one_folder(four: Four, tmp_path: Path) -> None:
    """The same decisions, byte for byte; the manifest lists each system with its tables and when it speaks."""
    write_source(tmp_path / "one", **source_tables())
    alone = open_workspace(replace(four.workspace.settings, source=str(tmp_path / "one"), named_sources=None))
    runs = [workspace.run_folder(decided(workspace)) for workspace in (alone, four.workspace)]
    assert runs[0].read_bytes("decisions.parquet") == runs[1].read_bytes("decisions.parquet")
    told = four.workspace.snapshot_folder(runs[1].manifest["inputs"]["snapshot_id"]).manifest["sources"]
    assert {source["name"]: set(source["tables"]) for source in told} == {
        "default": {"contacts", "accounts", "products", "offers", "claims"}, "billing": {"purchases"},
        "support": {"cases", "engagements"}, "consent": {"consents", "suppressions"},
    }  # fmt: skip
    alone.ledger.close()


def test_what_each_system_says_last_is_obeyed(four: Four) -> None:
    """Signed and due: nothing goes while one system is stale. Then one opts out by file, one buys, one complains: they
    are not written to, all others are."""
    company = Company(four.workspace)
    company.run(now=NOW)
    for request, row, items in company.asked(NOW):
        by = "olu" if row.kind == "offer" else {"own-ada": "ada", "own-ben": "ben"}[row.owner_id]
        company.answer(request, row, items, "Sign", by=by, now=NOW)
    due = sorted(customer for customer, (state, _) in four.states().items() if state == "signed")
    out, bought, complained, *others = due
    says = "UPDATE source_says SET as_of = :at"
    four.tell("billing_db", says, at=NOW - timedelta(hours=25))
    assert dispatch(four.workspace, NOW).reasons == {"source_stale": len(due)}
    four.tell("billing_db", says, at=NOW)
    write_source(
        four.consent, as_of=NOW, **dict.fromkeys(tables())
        | {"suppressions": [suppression("s-9", customer_id=out)], "consents": source_tables()["consents"]},
    )  # fmt: skip
    values = "(purchase_id, customer_id, occurred_at, kind, amount, currency, quantity)"
    four.tell("billing_db", f"INSERT INTO purchases {values} VALUES ('b-new', :who, :at, 'order', 9, 'GBP', 1)",
              who=bought, at=NOW - timedelta(minutes=5))  # fmt: skip
    values = "(case_id, customer_id, opened_at, kind, status)"
    four.tell("support_db", f"INSERT INTO cases {values} VALUES ('k-new', :who, :at, 'complaint', 'open')",
              who=complained, at=NOW.isoformat())  # fmt: skip
    summary = dispatch(four.workspace, NOW)
    assert (four.written_to(), summary.accepted) == (others, len(others))
    assert four.exits()[out] == "opted_out"
    assert four.exits()[bought] == "returned_unprompted"


@pytest.mark.parametrize(("system", "name"), [("billing_db", "billing"), ("support_db", "support")])
def test_one_stale_system_stops_a_run(four: Four, system: str, name: str) -> None:
    """A run is not ready, and names the system."""
    four.tell(system, "UPDATE source_says SET as_of = :at", at=(NOW - timedelta(hours=30)).isoformat())
    run_id = decided(four.workspace)
    with pytest.raises(NotReady, match=f"older than 24 hours: {name}"):
        check_readiness(four.workspace, run_id, NOW)


def test_a_table_in_two_systems_is_refused(four: Four) -> None:
    """Nobody may forget the noes of the one that is not read."""
    write_source(four.source, **dict.fromkeys(tables()) | {"suppressions": [suppression(str(uuid4()))]})
    with pytest.raises(SourceError, match=r"the source default has suppressions too, which .* take from consent"):
        take_snapshot(four.workspace, now=NOW)
