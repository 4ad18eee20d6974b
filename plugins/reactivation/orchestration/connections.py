"""Connections and environment variables made into plain values.

A connection is read from ``AIRFLOW_CONN_<ID>`` (a URI or JSON, as Airflow writes them); inside a task also from
Airflow's own store. Airflow is imported only there, so that the command line stays quick. In the environment ``local``
the ledger and the address key may be left out: then they lie below the home. Anywhere else they must be named.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from reactivation import paths
from reactivation.steps.settings import ConfigurationError, ProviderAccount, Settings, Webhook

if TYPE_CHECKING:
    from sqlalchemy import Engine

LEDGER, ADDRESS_KEY = "reactivation_ledger", "reactivation_address_key"
EMAIL, SMS = "reactivation_email", "reactivation_sms"
#: By provider, the connection that switches its webhook on.
WEBHOOKS = {
    "sendgrid": "reactivation_webhook_sendgrid", "resend": "reactivation_webhook_resend",
    "twilio": "reactivation_webhook_twilio",
}  # fmt: skip
LOCAL = "local"
ADDRESS_KEY_FILE = Path("secrets") / "address_key"

_SOURCES = "REACTIVATION_SOURCE_"
POSTGRES = ("postgres", "postgresql")


@dataclass(frozen=True)
class Connection:
    """What Airflow calls a connection, as plain values."""

    conn_type: str | None
    host: str | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    port: int | None = None
    schema: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def settings_from_environment() -> Settings:
    """The settings of this process. Raises ``ConfigurationError`` naming the variable, what is wrong and the fix."""
    home = Path(os.environ.get("REACTIVATION_HOME") or ".reactivation").absolute()
    environment = os.environ.get("REACTIVATION_ENVIRONMENT") or LOCAL
    return Settings(
        home=home,
        ledger_url=_ledger_url(home, environment),
        address_keys=_address_keys(home, environment),
        source=os.environ.get("REACTIVATION_SOURCE") or str(home / "sample"),
        named_sources=_named_sources(),
        connect=_engine,
        tags_to=os.environ.get("REACTIVATION_TAGS_TO") or "",
        segments_to=os.environ.get("REACTIVATION_SEGMENTS_TO") or "",
        connect_to_write=_writing_engine,
        environment=environment,
        accounts=_accounts(),
        owners=_path("REACTIVATION_OWNERS", paths.OWNERS),
        tenant=_path("REACTIVATION_TENANT", paths.TENANT),
        playbooks=_path("REACTIVATION_PLAYBOOKS", paths.PLAYBOOKS),
        given_now=_given_now(),
    )


# --- the values -----------------------------------------------------------------------------------------------------
def _ledger_url(home: Path, environment: str) -> str:
    connection = connection_of(LEDGER)
    if connection is None:
        _only_local(environment, LEDGER, "the ledger's database")
        return f"sqlite:///{home / 'ledger' / 'ledger.db'}"
    if connection.conn_type == "sqlite":
        return f"sqlite:///{connection.schema or connection.host or ''}"
    if connection.conn_type in POSTGRES:
        return postgres_url(connection)
    raise ConfigurationError(
        f"connection {LEDGER} is of type {connection.conn_type}; a ledger is kept on sqlite or postgres. "
        f"Set {variable_of(LEDGER)}=postgresql://USER:PASSWORD@HOST/DATABASE"
    )


def postgres_url(connection: Connection) -> str:
    from sqlalchemy import URL

    extra = {name: str(value) for name, value in connection.extra.items()}
    url = URL.create(
        "postgresql", username=connection.login, password=connection.password, host=connection.host,
        port=connection.port, database=connection.schema,
    )  # fmt: skip
    return url.render_as_string(hide_password=False) + (f"?{urlencode(extra)}" if extra else "")


def _address_keys(home: Path, environment: str) -> tuple[bytes, ...]:
    """Oldest first. Empty when there is none: what needs an address key says so itself."""
    connection = connection_of(ADDRESS_KEY)
    if connection is not None:
        keys = tuple(key.strip().encode() for key in (connection.password or "").split(",") if key.strip())
        if not keys:
            raise ConfigurationError(
                f"connection {ADDRESS_KEY} has no password; the password is the secret key, or several with commas "
                "between, oldest first"
            )
        return keys
    _only_local(environment, ADDRESS_KEY, "the secret key of addresses")
    file = home / ADDRESS_KEY_FILE
    return (file.read_bytes().strip(),) if file.is_file() else ()


def _only_local(environment: str, conn_id: str, what: str) -> None:
    if environment != LOCAL:
        raise ConfigurationError(
            f"environment {environment} has no connection {conn_id} ({what}); set {variable_of(conn_id)} for every "
            "process, or add the connection in Airflow"
        )


def _path(variable: str, default: Path) -> Path:
    text = os.environ.get(variable)
    if not text:
        return default
    path = Path(text).absolute()
    if not path.exists():
        raise ConfigurationError(f"{variable}={text}: there is no such file or folder")
    return path


def _named_sources() -> dict[str, str]:
    """Name to place, of every ``REACTIVATION_SOURCE_<NAME>``."""
    return {
        name.removeprefix(_SOURCES).lower(): place for name, place in os.environ.items() if name.startswith(_SOURCES)
    }  # fmt: skip


def _accounts() -> dict[str, ProviderAccount]:
    """The provider of each channel that has a connection."""
    from reactivation.orchestration.accounts import account_of

    given = ((channel, conn_id, connection_of(conn_id)) for channel, conn_id in (("email", EMAIL), ("sms", SMS)))
    return {channel: account_of(conn_id, channel, found) for channel, conn_id, found in given if found is not None}


def webhooks_from_environment() -> tuple[Webhook, ...]:
    """The webhooks that are switched on, for the process that serves them. Raises ``ConfigurationError``."""
    given = ((provider, conn_id, connection_of(conn_id)) for provider, conn_id in WEBHOOKS.items())
    return tuple(_webhook(provider, conn_id, found) for provider, conn_id, found in given if found is not None)


def _webhook(provider: str, conn_id: str, connection: Connection) -> Webhook:
    keys = tuple(key.strip() for key in (connection.password or "").split(",") if key.strip())
    if not keys:
        raise ConfigurationError(
            f"connection {conn_id} ({variable_of(conn_id)}) has no password; the password is what {provider} signs its "
            "calls with, or several with commas between while it is changed"
        )
    return Webhook(conn_id, provider, keys, connection.host)


def _engine(conn_id: str) -> Engine:
    from reactivation.orchestration.engines import engine_of

    return engine_of(conn_id)


def _writing_engine(conn_id: str) -> Engine:
    from reactivation.orchestration.engines import engine_of

    return engine_of(conn_id, writes=True)


def _given_now() -> datetime | None:
    text = os.environ.get("REACTIVATION_NOW")
    if not text:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        given = None
    if given is None or given.tzinfo is None:
        raise ConfigurationError(f"REACTIVATION_NOW={text} is no instant; write for example 2026-12-01T11:00+00:00")
    return given.astimezone(UTC)


# --- connections ----------------------------------------------------------------------------------------------------
def variable_of(conn_id: str) -> str:
    return f"AIRFLOW_CONN_{conn_id.upper()}"


def connection_of(conn_id: str) -> Connection | None:
    text = os.environ.get(variable_of(conn_id))
    if text:
        return _parse(conn_id, text)
    return _from_airflow(conn_id) if in_a_task() else None


def in_a_task() -> bool:
    """Airflow's store answers only a process that runs a task; asking elsewhere would import Airflow for nothing."""
    runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
    return hasattr(runner, "SUPERVISOR_COMMS")


def _from_airflow(conn_id: str) -> Connection | None:
    from airflow.sdk import Connection as Stored
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return plain(Stored.get(conn_id))
    except AirflowNotFoundException:
        return None


def plain(stored: Any) -> Connection:
    """A connection of Airflow's as plain values."""
    return Connection(
        conn_type=stored.conn_type, host=stored.host, login=stored.login, password=stored.password, port=stored.port,
        schema=stored.schema, extra=stored.extra_dejson,
    )  # fmt: skip


def _parse(conn_id: str, text: str) -> Connection:
    try:
        return _from_json(text) if text.lstrip().startswith("{") else _from_uri(text)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ConfigurationError(
            f"{variable_of(conn_id)} cannot be read; write a URI such as postgresql://USER:PASSWORD@HOST/DATABASE, or "
            'JSON such as {"conn_type": "generic", "password": "…"}'
        ) from None  # the text holds a secret, and so would the error it caused


def _from_json(text: str) -> Connection:
    given = json.loads(text)
    extra = given.get("extra") or {}
    port = given.get("port")
    return Connection(
        conn_type=given["conn_type"], host=given.get("host"), login=given.get("login"), password=given.get("password"),
        port=None if port is None else int(port), schema=given.get("schema"),
        extra=json.loads(extra) if isinstance(extra, str) else dict(extra),
    )  # fmt: skip


def _from_uri(text: str) -> Connection:
    parts = urlsplit(text)
    if not parts.scheme:
        raise ValueError("no scheme")

    def plain(value: str | None) -> str | None:
        return unquote(value) if value else None

    return Connection(
        conn_type=parts.scheme.replace("-", "_"), host=plain(parts.hostname), login=plain(parts.username),
        password=plain(parts.password), port=parts.port, schema=plain(parts.path[1:]),
        extra=dict(parse_qsl(parts.query)),
    )  # fmt: skip
