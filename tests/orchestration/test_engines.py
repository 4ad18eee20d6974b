"""A connection becomes a plain engine, wherever it is kept."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from reactivation.orchestration.engines import engine_of
from reactivation.steps.settings import ConfigurationError


class TestFromTheEnvironment:
    def test_postgres(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As Airflow writes it; the password stays out of sight."""
        monkeypatch.setenv("AIRFLOW_CONN_BILLING_DB", "postgres://ada:s3cret@db.example:6543/billing?sslmode=require")
        engine = engine_of("billing_db")
        assert engine.url.render_as_string() == (
            "postgresql+psycopg://ada:***@db.example:6543/billing?sslmode=require"
        )  # fmt: skip

    def test_sqlite_is_only_read(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Neither written to, nor made where it is not."""
        monkeypatch.setenv("AIRFLOW_CONN_SUPPORT", f"sqlite:///{tmp_path / 'support.db'}")
        with pytest.raises(OperationalError), engine_of("support").connect():
            pass
        sqlite3.connect(tmp_path / "support.db").execute("CREATE TABLE cases (case_id)").connection.close()
        with engine_of("support").connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM cases")).scalar() == 0
            with pytest.raises(OperationalError, match="readonly"):
                connection.execute(text("DROP TABLE cases"))

    def test_sqlite_may_be_written_to(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Where that is asked for; it is not made either."""
        monkeypatch.setenv("AIRFLOW_CONN_CRM", f"sqlite:///{tmp_path / 'crm.db'}")
        with pytest.raises(OperationalError), engine_of("crm", writes=True).connect():
            pass
        sqlite3.connect(tmp_path / "crm.db").execute("CREATE TABLE reactivation_tags (tag)").connection.close()
        with engine_of("crm", writes=True).begin() as connection:
            connection.execute(text("INSERT INTO reactivation_tags VALUES ('a')"))
        with engine_of("crm").connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM reactivation_tags")).scalar() == 1

    def test_no_such_connection(self) -> None:
        """With the variable to set."""
        with pytest.raises(ConfigurationError, match="no connection erp; set AIRFLOW_CONN_ERP"):
            engine_of("erp")

    def test_another_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Outside a task nobody knows its driver."""
        monkeypatch.setenv("AIRFLOW_CONN_ERP", "oracle://ada@db.example/erp")
        with pytest.raises(ConfigurationError, match="erp is of type oracle"):
            engine_of("erp")


class TestInsideATask:
    def test_the_hook_of_the_connection_makes_the_engine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever database it is, as its provider wants it."""
        from airflow.providers.common.sql.hooks.sql import DbApiHook
        from airflow.sdk import Connection

        class Hook(DbApiHook):
            conn_name_attr, default_conn_name = "erp_conn_id", "erp"

            def get_sqlalchemy_engine(self, engine_kwargs: Any = None) -> Engine:
                return create_engine("sqlite:///of-the-hook")

        monkeypatch.setattr(Connection, "get_hook", lambda self, **_: Hook())
        _be_in_a_task(monkeypatch)
        monkeypatch.setenv("AIRFLOW_CONN_ERP", "oracle://ada@db.example/erp")
        assert str(engine_of("erp").url) == "sqlite:///of-the-hook"

    def test_without_a_provider_the_url_will_do(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """PostgreSQL and SQLite need none."""
        _be_in_a_task(monkeypatch)
        monkeypatch.setenv("AIRFLOW_CONN_SUPPORT", f"sqlite:///{tmp_path / 'support.db'}")
        assert engine_of("support").dialect.name == "sqlite"


def _be_in_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = ModuleType("airflow.sdk.execution_time.task_runner")
    runner.SUPERVISOR_COMMS = None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, runner.__name__, runner)
