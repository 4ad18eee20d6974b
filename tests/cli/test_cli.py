"""The command line: the same steps as the DAGs, with exit codes that a script can trust."""

from __future__ import annotations

import argparse
import csv
import inspect
import io
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.cli.conftest import Run
from tests.company import AS_OF

from reactivation import cli, paths
from reactivation.cli import commands
from reactivation.sample import generate

PLAYBOOK = "customer_reactivation"


class TestTheCommands:
    def test_a_whole_day(self, run: Run, home: Path) -> None:
        """run, candidates, explain, preview, dispatch, metrics and audit verify tell one story."""
        code, out, err = run("run", PLAYBOOK, "--json")
        assert code == 0, err
        answer = json.loads(out)
        assert answer["funnel"]["enrolled"] > 0
        assert answer["funnel"]["lists open"] > 0

        code, out, _ = run("candidates", "--csv")
        rows = list(csv.DictReader(io.StringIO(out)))
        assert code == 0
        assert len(rows) == answer["funnel"]["candidates"]
        allowed = next(r for r in rows if r["decision"] == "enrol")
        stopped = next(r for r in rows if r["reason_codes"].startswith("suppressed:"))

        code, out, _ = run("explain", stopped["customer_id"])
        assert code == 0
        assert "not_suppressed" in out

        code, out, _ = run("exception", stopped["customer_id"], "--user", "ada", "--json")
        assert (code, list(json.loads(out))) == (2, ["refused"])

        code, out, _ = run("plan", PLAYBOOK, "--json")
        planned = json.loads(out)
        assert code == 0
        assert len(planned) == 7 * answer["funnel"]["enrolled"]
        assert {row["state"] for row in planned} <= {"listed", "planned", "skipped", "drafted", "held"}
        code, out, _ = run("plan", PLAYBOOK, "--calendar", "--csv", "--run", answer["run_id"])
        days = list(csv.DictReader(io.StringIO(out)))
        standing = [row for row in planned if row["state"] != "skipped"]
        assert code == 0
        assert sum(int(day[f"touch {n}"]) for day in days for n in range(1, 8)) == len(standing)

        code, out, _ = run("preview", PLAYBOOK, "1", "--customer", allowed["customer_id"])
        assert code == 0
        assert "Subject: " in out
        assert "Harbour & Finch" in out

        code, out, _ = run("preview", PLAYBOOK, "1", "--customer", stopped["customer_id"])
        assert code == 0
        assert "Subject: " not in out
        assert "suppressed" in out

        code, out, _ = run("dispatch", "--json")
        assert code == 0
        assert json.loads(out)["accepted"] == 0, "nothing is signed"
        assert not list(home.rglob("*.eml"))

        code, out, _ = run("metrics", PLAYBOOK, "--json")
        figures = {(f["measure"], f["by"]): f for f in json.loads(out)["figures"]}
        assert code == 0
        assert figures["reactivation_eligibility_review_rate", None]["of"] == answer["funnel"]["candidates"]
        assert figures["response_rate", None]["note"] == "not enough data"
        for word, more in (
            ("not enough data", ()),
            ("segment ", ("--by", "segment")),
            ("measure,by,count", ("--csv",)),
        ):
            assert word in run("metrics", PLAYBOOK, *more)[1]
        assert run("tags", PLAYBOOK, "--csv")[:2] == (0, "customer_id,tag,set_at\r\n")

        code, out, _ = run("audit", "verify")
        assert code == 0
        assert "intact" in out

    def test_readiness_alone(self, run: Run) -> None:
        """The verdict with every condition; nobody is enrolled by asking."""
        code, out, err = run("readiness", PLAYBOOK, "--json")
        assert code == 0, err
        verdict = json.loads(out)
        assert verdict["ready"] is True
        assert {"consent_status_unclear"} <= {c["id"] for c in verdict["conditions"]}

    def test_check_is_content_with_what_is_shipped(self, run: Run) -> None:
        """Playbooks, templates, offers, owners and rules hold together."""
        assert run("check")[0] == 0

    def test_no_command_approves(self) -> None:
        """There is no way to sign from the command line."""
        words = {action for a in cli.parser()._subparsers._group_actions for action in a.choices}  # type: ignore[union-attr]
        assert not words & {"sign", "approve", "answer", "accept"}

    def test_two_runs_of_sample_are_the_same(self, run: Run, tmp_path: Path) -> None:
        """sample is deterministic."""
        for name in ("a", "b"):
            assert run("sample", "--out", str(tmp_path / name), "--as-of", "2026-11-24", "--customers", "50")[0] == 0
        names = sorted(p.name for p in (tmp_path / "a").iterdir())
        assert names == sorted(p.name for p in (tmp_path / "b").iterdir())
        assert all((tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names)


def _remove(table: str) -> Callable[[Path], None]:
    return lambda home: (home / "sample" / f"{table}.csv").unlink()


def _empty(table: str) -> Callable[[Path], None]:
    return lambda home: (home / "sample" / f"{table}.csv").write_text("", encoding="utf-8") and None


def _without_column(table: str, column: str) -> Callable[[Path], None]:
    def _do(home: Path) -> None:
        file = home / "sample" / f"{table}.csv"
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, [c for c in rows[0] if c != column], extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)

    return _do


class TestNotReady:
    @pytest.mark.parametrize(
        ("breaking", "words"),
        [
            (_remove("consents"), ["consents"]),
            (_remove("cases"), ["cases"]),
            (_empty("consents"), ["consents"]),
            (_without_column("contacts", "relationship"), ["contacts", "relationship"]),
            (_without_column("cases", "kind"), ["cases", "kind"]),
        ],
        ids=["no consents", "no cases", "empty consents", "no relationship column", "no case kind"],
    )
    def test_missing_evidence_stops_the_run(
        self, run: Run, home: Path, breaking: Callable[[Path], None], words: list[str]
    ) -> None:
        """Exit code 3, the table and the column named, and nobody enrolled or drafted."""
        breaking(home)
        code, out, err = run("run", PLAYBOOK)
        assert code == 3, err
        assert all(word in err for word in words)
        assert not list((home / "evidence").rglob("drafts.parquet"))
        assert out == ""

    def test_an_unknown_owner_stops_the_run(self, run: Run, home: Path) -> None:
        """A segment whose marketing owner nobody knows has no approval point."""
        owners = home / "sample" / "owners.yaml"
        owners.write_text(owners.read_text(encoding="utf-8").replace("own-ben:", "own-gone:"), encoding="utf-8")
        code, _, err = run("run", PLAYBOOK)
        assert code in (2, 3), err
        assert "own-ben" in err


class TestBadInput:
    def test_truncated_parquet(self, run: Run, home: Path) -> None:
        """A broken file is an error that names it, and no snapshot is left behind."""
        generate(home / "parquet", customers=50, seed=7, as_of=AS_OF, format="parquet")
        file = home / "parquet" / "purchases.parquet"
        file.write_bytes(file.read_bytes()[:-200])
        code, _, err = run("run", PLAYBOOK, "--source", str(home / "parquet"))
        assert code == 2
        assert "purchases.parquet" in err
        assert not list(home.rglob("manifest.json"))

    def test_wrong_type_is_quarantined_and_named(self, run: Run, home: Path) -> None:
        """A date that is none sets its row aside, with table, key, column and reason."""
        file = home / "sample" / "products.csv"
        with file.open("a", encoding="utf-8", newline="") as opened:
            header = file.read_text(encoding="utf-8-sig").splitlines()[0].split(",")
            row = {"product_id": "prod-bad", "name": "x", "category": "y", "updated_at": "the day before yesterday"}
            opened.write(",".join(row.get(c, "") for c in header) + "\n")
        assert run("run", PLAYBOOK, "--dry-run")[0] == 0
        quarantine = next((home / "evidence" / "snapshots").rglob("quarantine.parquet"))
        rows = [r for r in pq.read_table(quarantine).to_pylist() if r["key"] == "prod-bad"]
        assert [(r["table"], r["column"]) for r in rows] == [("products", "updated_at")]

    def test_as_of_in_the_future(self, run: Run) -> None:
        """Nobody can know tomorrow."""
        code, _, err = run("run", PLAYBOOK, "--as-of", "2027-01-01")
        assert code == 2
        assert "future" in err or "later than now" in err

    def test_old_as_of_is_a_dry_run_only(self, run: Run) -> None:
        """More than 24 hours ago may be looked at, not acted on."""
        code, _, err = run("run", PLAYBOOK, "--as-of", "2026-11-28T10:00")
        assert code == 2
        assert "24" in err

    def test_playbook_with_a_typo(self, run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """File, line, field and what was meant."""
        folder = home / "playbooks"
        shutil.copytree(paths.PLAYBOOKS, folder)
        file = folder / f"{PLAYBOOK}.yaml"
        file.write_text(file.read_text(encoding="utf-8").replace("holdout_share:", "holdout_shar:"), encoding="utf-8")
        monkeypatch.setenv("REACTIVATION_PLAYBOOKS", str(folder))
        for words in (("check",), ("run", PLAYBOOK)):
            code, out, err = run(*words)
            assert code == 2
            assert f"{PLAYBOOK}.yaml:" in out + err
            assert "holdout_shar" in out + err
            assert "holdout_share" in out + err

    def test_unknown_playbook(self, run: Run) -> None:
        """The message lists those there are."""
        code, _, err = run("run", "customer_reanimation")
        assert code == 2
        assert PLAYBOOK in err

    def test_unreachable_ledger(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """The ledger is named, without its password."""
        monkeypatch.setenv("AIRFLOW_CONN_REACTIVATION_LEDGER", "postgresql://someone:geheim@127.0.0.1:1/ledger")
        code, out, err = run("run", PLAYBOOK)
        assert code == 2
        assert "127.0.0.1" in err
        assert "geheim" not in out + err

    def test_wrong_address_key(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """With another key nobody would be recognised: everything stops."""
        assert run("run", PLAYBOOK, "--dry-run")[0] == 0
        other = {"conn_type": "generic", "password": "another secret key of some length"}
        monkeypatch.setenv("AIRFLOW_CONN_REACTIVATION_ADDRESS_KEY", json.dumps(other))
        for words in (("run", PLAYBOOK), ("dispatch",), ("outcomes",)):
            code, _, err = run(*words)
            assert code == 2
            assert "address key" in err
        assert "another secret" not in err

    def test_a_provider_that_does_not_answer(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is named with the fix, without its secret; what the sources say is recorded all the same."""
        sms = {"conn_type": "reactivation_twilio", "host": "http://127.0.0.1:1", "login": f"AC{'a1' * 16}",
               "password": "geheim"}  # fmt: skip
        monkeypatch.setenv("AIRFLOW_CONN_REACTIVATION_SMS", json.dumps(sms))
        monkeypatch.delenv("REACTIVATION_NOW")
        code, out, err = run("outcomes", "--json")
        assert code == 2
        assert "error: connection reactivation_sms: Twilio does not tell its messages" in err
        assert "geheim" not in out + err
        assert json.loads(out)["asked"] == 0

    def test_tags_that_cannot_be_written_back(self, run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The place is named with the fix, and what came back is recorded; without a place there is no word of it."""
        assert not any(what.startswith("tags") for what in json.loads(run("outcomes", "--json")[1]))
        monkeypatch.setenv("REACTIVATION_TAGS_TO", str(home / "exports"))
        code, out, err = run("outcomes", "--json")
        assert code == 2
        assert f"error: there is no folder {home / 'exports'}" in err
        assert json.loads(out)["asked"] == 0
        (home / "exports").mkdir()
        assert run("outcomes", "--json")[0] == 0
        assert (home / "exports" / "reactivation_tags.csv").is_file()

    def test_missing_address_key(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a key there is no ledger to speak of."""
        monkeypatch.delenv("AIRFLOW_CONN_REACTIVATION_ADDRESS_KEY")
        code, _, err = run("dispatch")
        assert code == 2
        assert "address key" in err

    @pytest.mark.parametrize(
        "words",
        [
            (),
            ("run",),
            ("run", PLAYBOOK, "--as-of", "yesterday"),
            ("sample", "--out", "x", "--customers", "0"),
            ("fly",),
        ],
    )
    def test_wrong_usage(self, run: Run, words: tuple[str, ...]) -> None:
        """Exit code 2 and a usage line."""
        code, _, err = run(*words)
        assert code == 2
        assert "usage:" in err

    def test_unknown_customer(self, run: Run) -> None:
        """explain and preview name the customer they do not know."""
        run("run", PLAYBOOK, "--dry-run")
        for words in (("explain", "cust-nobody"), ("preview", PLAYBOOK, "1", "--customer", "cust-nobody")):
            code, _, err = run(*words)
            assert code == 2
            assert "cust-nobody" in err


#: Commands that answer nothing but that they are done, or serve until they are ended.
WITHOUT_A_DOCUMENT = [("reopen", "acc-1"), ("ledger", "upgrade"), ("clean",), ("public",)]


class TestForPrograms:
    @pytest.mark.parametrize("words", WITHOUT_A_DOCUMENT, ids=" ".join)
    def test_a_command_without_a_document_does_not_offer_one(
        self, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Nobody waits for one in vain: it is wrong usage."""
        with pytest.raises(SystemExit, match="2"):
            cli.parser().parse_args([*words, "--json"])
        assert "unrecognized arguments: --json" in capsys.readouterr().err

    def test_a_story_is_the_lines_that_people_read(self, run: Run) -> None:
        """Of whom, and in which playbook."""
        run("run", PLAYBOOK, "--dry-run")
        customer = json.loads(run("candidates", "--json")[1])[0]["customer_id"]
        told = {"customer_id": customer, "playbook": PLAYBOOK, "told": run("explain", customer)[1].splitlines()}
        assert json.loads(run("explain", customer, "--json")[1]) == told

    def test_every_other_command_offers_one_and_looks_whether_it_was_asked_for(self) -> None:
        """Offered is exactly what the command reads, itself or by ``print_rows``."""
        leaves = _leaves(cli.parser())
        offering = {name for name, leaf in leaves.items() if "--json" in leaf._option_string_actions}
        source = {name: inspect.getsource(leaf.get_default("command")) for name, leaf in leaves.items()}
        answering = {name for name, text in source.items() if "arguments.json" in text or "print_rows(" in text}
        assert offering == answering
        without = {tuple(words[:2] if words[0] == "ledger" else words[:1]) for words in WITHOUT_A_DOCUMENT}
        assert leaves.keys() - offering == without


def _leaves(
    parser: argparse.ArgumentParser, words: tuple[str, ...] = ()
) -> dict[tuple[str, ...], argparse.ArgumentParser]:
    """The parser of each command by its words."""
    deeper = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not deeper:
        return {words: parser}
    return {
        name: leaf
        for action in deeper for word, below in action.choices.items()
        for name, leaf in _leaves(below, (*words, word)).items()
    }  # fmt: skip


class TestClean:
    def test_removes_what_was_only_a_rehearsal(self, run: Run, home: Path) -> None:
        """A ledger that knows only the outbox may go."""
        run("run", PLAYBOOK, "--dry-run")
        assert run("clean")[0] == 0
        assert not home.exists()

    def test_keeps_the_evidence_of_a_real_send(self, run: Run, home: Path) -> None:
        """A ledger that ever sent through anything else is kept."""
        assert run("ledger", "upgrade")[0] == 0
        _record_a_real_send(home)
        code, _, err = run("clean")
        assert code == 2
        assert "sendgrid" in err
        assert home.exists()


def _record_a_real_send(home: Path) -> None:
    from tests import ledgers

    from reactivation.ledger import sends
    from reactivation.ledger.engine import open_ledger

    ledger = open_ledger(f"sqlite:///{home / 'ledger' / 'ledger.db'}")
    with ledger.begin() as conn:
        ledgers.begin(conn)
        enrolment_id = ledgers.enrol(conn, "cust-1")
        touch_id = ledgers.add_touch(conn, enrolment_id, "cust-1")
        row: dict[str, Any] = ledgers.a_send(touch_id, "cust-1", "worker-1", provider="sendgrid")
        sends.intend(conn, [row])
        assert sends.win_calls(conn, [row["send_id"]], worker="worker-1", now=ledgers.NOW)
        assert sends.finish(conn, [sends.Outcome(row["send_id"], "accepted", "SG.1")], now=ledgers.NOW)
    ledger.close()


def test_a_bare_date_is_midnight_on_the_tenants_clock(home: Path) -> None:
    """Where a summer hour lies between it and UTC, the day begins an hour earlier; a zone that is written stays."""
    workspace = commands.workspace_of(argparse.Namespace())

    def asked(text: str) -> datetime | None:
        return commands._at(workspace, cli.parser().parse_args(["run", PLAYBOOK, "--as-of", text]).as_of)

    assert asked("2026-07-01") == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert asked("2026-11-24T09:30") == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    assert asked("2026-07-01T12:00+03:00") == datetime(2026, 7, 1, 9, tzinfo=UTC)
    workspace.ledger.close()
