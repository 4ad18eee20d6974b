"""The folder of a local installation: private, claimed by one at a time, emptied of what is ours alone."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from tools.home import USERS, Home, LocalError
from tools.stack import Stack, check_port, port_of

from reactivation import paths
from reactivation.playbooks.owners import load_owners


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A prepared home."""
    made = Home(tmp_path / "home")
    made.prepare()
    return made


class TestSecrets:
    def test_are_made_once(self, home: Home) -> None:
        """A second start finds the same key; another one would make every stored address unknown."""
        before = {file.name: file.read_text() for file in (home.root / "secrets").iterdir()}
        home.prepare()
        assert {file.name: file.read_text() for file in (home.root / "secrets").iterdir()} == before
        assert {"address_key", "jwt_secret", "fernet_key", "passwords.json"} <= set(before)

    def test_only_their_owner_may_read(self, home: Home) -> None:
        """Files 0600 in a folder 0700."""
        assert (home.root / "secrets").stat().st_mode & 0o777 == 0o700
        assert {file.stat().st_mode & 0o777 for file in (home.root / "secrets").iterdir()} == {0o600}

    def test_every_signer_of_the_example_can_log_in(self, home: Home) -> None:
        """And there are those who may not sign anything."""
        signers = {owner.user for owner in load_owners(paths.OWNERS).by_id.values()}
        assert signers < set(USERS)
        assert set(home.passwords) == set(USERS)
        assert len(set(home.passwords.values())) == len(USERS)


class TestClaim:
    def test_one_at_a_time(self, home: Home) -> None:
        """Two Airflows on one SQLite file would spoil it; the message names the process and the way out."""
        descriptor = home.lock()
        with pytest.raises(LocalError, match=rf"in use by process {os.getpid()} .*REACTIVATION_HOME"):
            home.lock()
        os.close(descriptor)
        os.close(home.lock())

    def test_clearing_spares_what_is_not_ours(self, home: Home) -> None:
        """Somebody may have put a file there."""
        (home.root / "notes.txt").write_text("mine")
        home.clear()
        assert [entry.name for entry in home.root.iterdir()] == ["notes.txt"]


class TestEnvironment:
    def test_the_callers_airflow_and_ledger_stay_outside(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        """A demonstration must not write into somebody's real ledger."""
        monkeypatch.setenv("AIRFLOW_CONN_REACTIVATION_LEDGER", "postgres://anna@db.example/ledger")
        monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
        monkeypatch.setenv("REACTIVATION_SOURCE", "/somewhere/else")
        environment = home.environment(8080, (8793, 8794))
        assert "AIRFLOW_CONN_REACTIVATION_LEDGER" not in environment
        assert "REACTIVATION_SOURCE" not in environment
        assert environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
        assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"


class TestPort:
    def test_taken(self, tmp_path: Path) -> None:
        """Said with the way to choose another, before a single folder is made."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            with pytest.raises(LocalError, match=rf"port {port} on 127\.0\.0\.1 is taken.*PORT={port + 1}"):
                Stack(Home(tmp_path / "home"), port, say=print)
        assert not (tmp_path / "home").exists()
        check_port(port)

    @pytest.mark.parametrize("text", ["80", "http", "70000", "-1", ""])
    def test_no_port(self, text: str) -> None:
        """The text is repeated."""
        with pytest.raises(LocalError, match=f"PORT={text} is no port"):
            port_of({"PORT": text})

    def test_default(self) -> None:
        """Airflow's own."""
        assert port_of({}) == 8080
