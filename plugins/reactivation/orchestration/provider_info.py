"""What Airflow is told of our connection types: their forms, without a hook being imported for them.

Registered by the entry point ``apache_airflow_provider``; it is read by every component of Airflow, so nothing of ours
is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "reactivation_"
_HOOKS = "reactivation.orchestration.hooks"


@dataclass(frozen=True)
class Option:
    """A field of the extra, as the form shows it."""

    label: str
    description: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConnectionType:
    """One type of connection: its name in lists, what its own fields hold, those it has no use for, its options."""

    title: str
    hook: str
    fields: Mapping[str, str]
    hidden: tuple[str, ...]
    options: Mapping[str, Option]


_RATE = Option("Calls per second", "How fast it may be called; empty: as fast as such accounts may by default")

CONNECTION_TYPES: Mapping[str, ConnectionType] = {
    "sendgrid": ConnectionType(
        "Reactivation: SendGrid", "SendGridHook", {"password": "API key", "host": "Host (empty: api.sendgrid.com)"},
        ("login", "schema", "port"), {"per_second": _RATE},
    ),
    "resend": ConnectionType(
        "Reactivation: Resend", "ResendHook", {"password": "API key", "host": "Host (empty: api.resend.com)"},
        ("login", "schema", "port"), {"per_second": _RATE},
    ),
    "smtp": ConnectionType(
        "Reactivation: SMTP", "SmtpHook", {"host": "Server", "login": "User"}, ("schema",),
        {"security": Option("Security", "How the connection is encrypted; none only on this machine",
                            ("starttls", "tls", "none"))},
    ),
    "twilio": ConnectionType(
        "Reactivation: Twilio", "TwilioHook",
        {"login": "Account SID or API key SID", "password": "Auth token or API key secret",
         "host": "Host (empty: api.twilio.com)"},
        ("schema", "port"),
        {"account_sid": Option("Account SID", "Only when the login is an API key"),
         "messaging_service_sid": Option("Messaging service SID", "The service whose pool has the sender"),
         "per_second": _RATE},
    ),
}  # fmt: skip


def get_provider_info() -> dict[str, Any]:
    """What ``airflow providers`` and the connection form show."""
    return {
        "package-name": "reactivation",
        "name": "Reactivation",
        "description": "Providers that hand over messages a named owner approved.",
        "connection-types": [_connection_type(name, kind) for name, kind in CONNECTION_TYPES.items()],
    }


def _connection_type(name: str, kind: ConnectionType) -> dict[str, Any]:
    return {
        "connection-type": PREFIX + name,
        "hook-class-name": f"{_HOOKS}.{kind.hook}",
        "hook-name": kind.title,
        "ui-field-behaviour": {
            "hidden-fields": list(kind.hidden), "relabeling": dict(kind.fields), "placeholders": {}
        },
        "conn-fields": {
            option: {
                "label": one.label, "description": one.description,
                "schema": {"type": ["string", "null"]} | ({"enum": [*one.choices, None]} if one.choices else {}),
            }
            for option, one in kind.options.items()
        },
    }  # fmt: skip
