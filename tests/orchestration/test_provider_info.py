"""What Airflow is told of our connection types."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import airflow
import jsonschema
import pytest
from airflow.providers_manager import ProvidersManager
from airflow.sdk import Connection
from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime
from tests.fakes.talking import SECRET, a_fake

from reactivation.orchestration import hooks
from reactivation.orchestration.provider_info import CONNECTION_TYPES, PREFIX, get_provider_info


def test_it_is_registered_beside_the_plugin() -> None:
    """By the entry point Airflow looks for."""
    (found,) = (one for one in entry_points(group="apache_airflow_provider") if one.value.startswith("reactivation."))
    assert found.load() is get_provider_info


def test_it_is_what_airflow_expects() -> None:
    """By Airflow's own schema of it."""
    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(get_provider_info(), schema)


def test_airflow_has_each_type_with_its_form() -> None:
    """Hook, hidden fields, and a field for each option."""
    manager, hooks_of = ProvidersManager(), ProvidersManagerTaskRuntime().hooks
    for name, kind in CONNECTION_TYPES.items():
        conn_type = PREFIX + name
        hook = hooks_of[conn_type]
        assert hook is not None
        assert (hook.connection_type, hook.hook_name, hook.connection_testable) == (conn_type, kind.title, True)
        assert manager.field_behaviours[conn_type]["hidden_fields"] == list(kind.hidden)
        for option in kind.options:
            assert f"extra__{conn_type}__{option}" in manager.connection_form_widgets


def test_nothing_heavy_is_imported_for_it() -> None:
    """Every component of Airflow reads it."""
    code = (
        "import sys; from reactivation.orchestration.provider_info import get_provider_info as g; g();"
        "sys.exit(any(m in sys.modules for m in ('airflow', 'sqlalchemy', 'aiohttp', 'aiosmtplib', 'duckdb')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("scopes", "works", "words"), [
    (["mail.send"], True, "it answers, and leaves our messages as they are"),
    ([], False, "does not let its key send mail"),
])  # fmt: skip
def test_testing_a_connection_says_what_check_would(
    monkeypatch: pytest.MonkeyPatch, scopes: list[str], works: bool, words: str
) -> None:
    """Airflow's *Test connection*, of the connection as it stands in the form."""
    fake = a_fake("sendgrid")
    fake.settings = {"/v3/scopes": {"scopes": scopes}}

    async def scenario() -> tuple[bool, str]:
        async with fake.serving() as url:
            stored = Connection(
                conn_id="reactivation_email", conn_type="reactivation_sendgrid", host=url, password=SECRET
            )
            monkeypatch.setattr(hooks.SendGridHook, "get_connection", classmethod(lambda _, __: stored))
            return await asyncio.to_thread(hooks.SendGridHook().test_connection)

    said = asyncio.run(scenario())
    assert said[0] == works
    assert words in said[1]


def test_testing_a_connection_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without asking anybody."""
    stored = Connection(conn_id="reactivation_sms", conn_type="reactivation_twilio")
    monkeypatch.setattr(hooks.TwilioHook, "get_connection", classmethod(lambda _, __: stored))
    works, said = hooks.TwilioHook().test_connection()
    assert not works
    assert "has no login and no password" in said
