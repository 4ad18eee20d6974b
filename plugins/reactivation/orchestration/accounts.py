"""The connection of a channel made into the account of a provider: only what that provider reads, checked, as plain
values.

Whatever else a connection carries goes nowhere: Airflow's own HTTP hook would send it as headers.

Source: PROVIDERS.md, Airflow's HTTP classes, what bites.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from reactivation.orchestration.connections import Connection, variable_of
from reactivation.orchestration.provider_info import CONNECTION_TYPES, PREFIX
from reactivation.steps.settings import ConfigurationError, ProviderAccount

SECURITY = ("starttls", "tls", "none")


@dataclass(frozen=True)
class Kind:
    """What the account of a provider needs: the channel it is for, and fields that must not be empty."""

    channel: str
    needs: tuple[str, ...]
    example: str


KINDS: Mapping[str, Kind] = {
    "sendgrid": Kind("email", ("password",), "reactivation-sendgrid://:API_KEY@"),
    "resend": Kind("email", ("password",), "reactivation-resend://:API_KEY@"),
    "smtp": Kind("email", ("host",), "reactivation-smtp://USER:PASSWORD@HOST:587"),
    "twilio": Kind("sms", ("login", "password"), "reactivation-twilio://ACCOUNT_SID:AUTH_TOKEN@"),
}

_HTTP = ("http", "https")
_SID = {"login": "(AC|SK)", "account_sid": "AC", "messaging_service_sid": "MG"}


def account_of(conn_id: str, channel: str, connection: Connection) -> ProviderAccount:
    """The account a connection describes. Raises ``ConfigurationError`` naming the variable, what is wrong and the
    fix; never a value, since any of them may be in the wrong field."""
    provider = _provider(conn_id, channel, connection)
    if missing := [name for name in KINDS[provider].needs if not getattr(connection, name)]:
        raise _wrong(conn_id, f"has no {' and no '.join(missing)}", f"set {_example(conn_id, provider)}")
    account = ProviderAccount(
        connection=conn_id, provider=provider,
        host=connection.host if provider == "smtp" else _url(conn_id, connection),
        port=connection.port if provider == "smtp" else None,
        login=connection.login, secret=connection.password, options=_options(conn_id, provider, connection),
    )  # fmt: skip
    if provider == "twilio":
        _check_sids(account)
    if provider == "smtp":
        _check_encryption(account)
    return account


def _provider(conn_id: str, channel: str, connection: Connection) -> str:
    """By the type of the connection; a plain HTTP one says it in its extra."""
    conn_type = connection.conn_type or ""
    plain = str(connection.extra.get("provider") or "") if conn_type in _HTTP else ""
    named = conn_type.removeprefix(PREFIX) if conn_type.startswith(PREFIX) or conn_type == "smtp" else plain
    fitting = [name for name, kind in KINDS.items() if kind.channel == channel]
    if named not in fitting or plain == "smtp":
        found = f"is of type {conn_type}" + (f" with provider {plain}" if plain else "")
        types = ", ".join(PREFIX + name for name in fitting)
        raise _wrong(
            conn_id, f"{found}, through which no {channel} can go", f"use {types}: {_example(conn_id, fitting[0])}"
        )
    return named


def _options(conn_id: str, provider: str, connection: Connection) -> dict[str, str]:
    """What the extra says that this provider knows. In a connection of ours anything else is a mistake."""
    given = {name: str(value) for name, value in connection.extra.items() if value not in (None, "")}
    known = CONNECTION_TYPES[provider].options
    if (connection.conn_type or "").startswith(PREFIX):
        if unknown := sorted(given.keys() - known.keys()):
            raise _wrong(conn_id, f"has {', '.join(unknown)} in its extra", f"it may have {', '.join(sorted(known))}")
    elif provider == "smtp":
        given = {"security": _security_of_airflow(given)} | given
    options = {name: value for name, value in given.items() if name in known}
    if "per_second" in options and not _is_rate(options["per_second"]):
        raise _wrong(conn_id, "has a per_second that is no number above 0", "write for example 2")
    if options.get("security", SECURITY[0]) not in SECURITY:
        raise _wrong(conn_id, "has a security nobody knows", f"write one of {', '.join(SECURITY)}")
    return options


def _security_of_airflow(extra: Mapping[str, str]) -> str:
    """What the same extra means to Airflow's own SMTP hook."""
    if extra.get("disable_ssl", "false").lower() != "true":
        return "tls"
    return "starttls" if extra.get("disable_tls", "false").lower() != "true" else "none"


def _is_rate(text: str) -> bool:
    return re.fullmatch(r"\d{1,4}(\.\d+)?", text) is not None and float(text) > 0


def _url(conn_id: str, connection: Connection) -> str | None:
    """Where the provider is, when not where it usually is; encrypted unless it is this machine."""
    host = connection.host
    if not host:
        return None
    url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    if connection.port and "://" not in host:
        url += f":{connection.port}"
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname)):
        raise _wrong(conn_id, "has a host that is not asked over https", "write https://HOST")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _check_sids(account: ProviderAccount) -> None:
    values = {"login": account.login or ""} | dict(account.options)
    for name, prefix in _SID.items():
        if name in values and not re.fullmatch(rf"{prefix}[0-9a-fA-F]{{32}}", values[name]):
            example = f"{prefix.strip('()').replace('|', ' or ')} and 32 hexadecimal digits"
            raise _wrong(account.connection, f"has a {name} that is no SID", f"it is {example}")
    if values["login"].startswith("SK") and "account_sid" not in values:
        raise _wrong(
            account.connection, "logs in with an API key but names no account", "put account_sid into its extra"
        )


def _check_encryption(account: ProviderAccount) -> None:
    if account.options.get("security") == "none" and not _is_here(account.host):
        raise _wrong(account.connection, "would carry messages unencrypted to another machine",
                     "set security in its extra to starttls or tls")  # fmt: skip


def _is_here(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def _example(conn_id: str, provider: str) -> str:
    return f"{variable_of(conn_id)}={KINDS[provider].example}"


def _wrong(conn_id: str, what: str, fix: str) -> ConfigurationError:
    return ConfigurationError(f"connection {conn_id} ({variable_of(conn_id)}) {what}; {fix}")
