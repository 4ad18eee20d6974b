"""Settings from the environment, and what is said when one of them is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reactivation import paths
from reactivation.orchestration.connections import settings_from_environment, webhooks_from_environment
from reactivation.steps.settings import ConfigurationError, Webhook

LEDGER, KEY = "AIRFLOW_CONN_REACTIVATION_LEDGER", "AIRFLOW_CONN_REACTIVATION_ADDRESS_KEY"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and no other variable of ours."""
    for name in list(os.environ):
        if name.startswith(("REACTIVATION_", "AIRFLOW_CONN_REACTIVATION_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("REACTIVATION_HOME", str(tmp_path))
    return tmp_path


class TestDefaults:
    def test_everything_lies_below_the_home(self, home: Path) -> None:
        """Ledger, evidence, outbox and sample, without a single setting."""
        settings = settings_from_environment()
        assert settings.ledger_is_embedded
        assert settings.ledger_url == f"sqlite:///{home}/ledger/ledger.db"
        assert (settings.evidence, settings.outbox) == (home / "evidence", home / "outbox")
        assert settings.source == str(home / "sample")
        assert settings.environment == "local"
        assert settings.given_now is None
        assert (settings.owners, settings.playbooks) == (paths.OWNERS, paths.PLAYBOOKS)

    def test_home_is_a_hidden_folder_here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without ``REACTIVATION_HOME``: ``./.reactivation``, made absolute so that it means the same everywhere."""
        monkeypatch.delenv("REACTIVATION_HOME")
        monkeypatch.chdir(tmp_path)
        assert settings_from_environment().home == tmp_path / ".reactivation"

    def test_without_a_key_there_is_none(self) -> None:
        """Checking playbooks needs no key, so its lack is not an error here."""
        assert settings_from_environment().address_keys == ()

    def test_key_of_the_home(self, home: Path) -> None:
        """The one that was generated into it."""
        (home / "secrets").mkdir()
        (home / "secrets" / "address_key").write_text("0123456789abcdef\n")
        assert settings_from_environment().address_keys == (b"0123456789abcdef",)

    def test_airflow_is_not_imported(self) -> None:
        """The command line would take seconds longer to say anything."""
        code = (
            "import sys; from reactivation.orchestration.connections import settings_from_environment as s; s();"
            "sys.exit(any(m in sys.modules for m in ('airflow', 'sqlalchemy', 'duckdb', 'pyarrow')))"
        )
        environment = {**os.environ, "PYTHONPATH": str(Path(paths.__file__).parents[1])}
        assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


class TestLedger:
    @pytest.mark.parametrize(
        ("given", "url"),
        [
            ("sqlite:////var/lib/reactivation/ledger.db", "sqlite:////var/lib/reactivation/ledger.db"),
            ("postgresql://anna@db.example/ledger", "postgresql://anna@db.example/ledger"),
            ("postgres://anna:p%40ss@db.example:6543/ledger", "postgresql://anna:p%40ss@db.example:6543/ledger"),
            ("postgres://anna@db.example/ledger?sslmode=require", "postgresql://anna@db.example/ledger?sslmode=require"),
            (
                json.dumps({"conn_type": "postgres", "host": "db.example", "login": "anna", "password": "p@ss",
                            "schema": "ledger", "port": 6543, "extra": {"sslmode": "require"}}),
                "postgresql://anna:p%40ss@db.example:6543/ledger?sslmode=require",
            ),
            (json.dumps({"conn_type": "sqlite", "schema": "/var/ledger.db"}), "sqlite:////var/ledger.db"),
        ],
    )  # fmt: skip
    def test_any_form_airflow_writes(self, monkeypatch: pytest.MonkeyPatch, given: str, url: str) -> None:
        """A URI or JSON; the password is quoted again for SQLAlchemy."""
        monkeypatch.setenv(LEDGER, given)
        assert settings_from_environment().ledger_url == url

    def test_another_database_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With the types there are, and the variable to set."""
        monkeypatch.setenv(LEDGER, "mysql://anna@db.example/ledger")
        with pytest.raises(ConfigurationError, match=rf"type mysql.*sqlite or postgres.*{LEDGER}"):
            settings_from_environment()

    @pytest.mark.parametrize(
        "given", ["{not json s3cret", "postgres://anna:s3cret@db.example:port/ledger", "s3cret", "{}"]
    )
    def test_unreadable_is_said_without_repeating_it(self, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
        """A connection holds a password; neither message nor chained error may."""
        monkeypatch.setenv(LEDGER, given)
        with pytest.raises(ConfigurationError, match="AIRFLOW_CONN_REACTIVATION_LEDGER cannot be read") as caught:
            settings_from_environment()
        assert "s3cret" not in str(caught.value)
        assert caught.value.__suppress_context__

    def test_must_be_named_outside_a_laptop(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A process that lost its variables must not start an empty ledger of its own."""
        monkeypatch.setenv("REACTIVATION_ENVIRONMENT", "production")
        with pytest.raises(ConfigurationError, match="environment production has no connection reactivation_ledger"):
            settings_from_environment()


class TestAddressKeys:
    def test_several_oldest_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A rotated key keeps the old ones before it."""
        monkeypatch.setenv(KEY, "generic://:0123456789abcdef%2C%20fedcba9876543210@")
        assert settings_from_environment().address_keys == (b"0123456789abcdef", b"fedcba9876543210")

    def test_connection_without_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It says where the key belongs."""
        monkeypatch.setenv(KEY, "generic://key@")
        with pytest.raises(ConfigurationError, match="reactivation_address_key has no password"):
            settings_from_environment()

    def test_secrets_stay_out_of_repr(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Settings may be logged."""
        monkeypatch.setenv(KEY, "generic://:0123456789abcdef@")
        monkeypatch.setenv(LEDGER, "postgres://anna:s3cret@db.example/ledger")
        assert not any(secret in repr(settings_from_environment()) for secret in ("0123456789abcdef", "s3cret"))


class TestClock:
    @pytest.mark.parametrize("given", ["2026-12-01T11:00+00:00", "2026-12-01T12:00+01:00"])
    def test_a_given_instant(self, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
        """Kept in UTC."""
        monkeypatch.setenv("REACTIVATION_NOW", given)
        assert settings_from_environment().given_now == datetime(2026, 12, 1, 11, tzinfo=UTC)

    @pytest.mark.parametrize("given", ["2026-12-01T11:00", "noon", "2026-12-01"])
    def test_no_instant(self, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
        """Without a zone it would depend on the machine."""
        monkeypatch.setenv("REACTIVATION_NOW", given)
        with pytest.raises(ConfigurationError, match=f"REACTIVATION_NOW={given} is no instant"):
            settings_from_environment()


class TestFiles:
    def test_a_file_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Named with its variable."""
        monkeypatch.setenv("REACTIVATION_OWNERS", "/nowhere/owners.yaml")
        with pytest.raises(ConfigurationError, match=r"REACTIVATION_OWNERS=/nowhere/owners\.yaml"):
            settings_from_environment()


class TestSources:
    def test_named_ones(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """``REACTIVATION_SOURCE_<NAME>`` says where the source of that name is."""
        monkeypatch.setenv("REACTIVATION_SOURCE", "/crm")
        monkeypatch.setenv("REACTIVATION_SOURCE_BILLING", "connection:erp/billing")
        settings = settings_from_environment()
        assert (settings.source, settings.named_sources) == ("/crm", {"billing": "connection:erp/billing"})

    def test_command_line_overrules_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """``--source DIR`` means everything from there."""
        from reactivation import cli
        from reactivation.cli import commands

        monkeypatch.setenv("REACTIVATION_SOURCE_BILLING", "connection:erp")
        arguments = cli.parser().parse_args(["run", "customer_reactivation", "--source", "/crm"])
        settings = commands._settings(arguments)
        assert (settings.source, settings.named_sources) == ("/crm", None)


class TestWebhooks:
    HOOK = "AIRFLOW_CONN_REACTIVATION_WEBHOOK_TWILIO"

    def test_all_are_off(self) -> None:
        """Until somebody gives a key."""
        assert webhooks_from_environment() == ()

    def test_a_connection_switches_one_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With its keys, of which there are two while one is changed, and where the provider calls."""
        given = {"conn_type": "generic", "host": "https://go.test/hooks/twilio", "password": "old-token, new-token"}
        monkeypatch.setenv(self.HOOK, json.dumps(given))
        (hook,) = webhooks_from_environment()
        assert hook == Webhook("reactivation_webhook_twilio", "twilio", ("old-token", "new-token"), given["host"])
        assert "token" not in repr(hook)

    def test_one_without_a_key_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Better no process than one that believes nobody, or everybody."""
        monkeypatch.setenv(self.HOOK, "generic://")
        with pytest.raises(ConfigurationError, match=f"{self.HOOK}.* has no password"):
            webhooks_from_environment()
