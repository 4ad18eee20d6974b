"""Airflow's *Test connection* for our connection types: what ``reactivation check`` would say of the provider.

Nothing is sent through a hook; messages go out of ``send_due_touches`` alone.
"""

from __future__ import annotations

import asyncio

from airflow.sdk import BaseHook

from reactivation.orchestration.provider_info import CONNECTION_TYPES, PREFIX


class _ProviderHook(BaseHook):
    """Asks the provider of a connection what is wrong with it."""

    conn_name_attr = "connection_id"
    conn_type: str
    default_conn_name: str
    hook_name: str

    def __init__(self, connection_id: str | None = None) -> None:
        super().__init__()
        self.connection_id = connection_id or self.default_conn_name

    def test_connection(self) -> tuple[bool, str]:
        """Whether nothing is wrong, and what is."""
        from reactivation.orchestration.accounts import KINDS, account_of
        from reactivation.orchestration.connections import plain
        from reactivation.steps.providers import open_account, problems_of
        from reactivation.steps.settings import ConfigurationError

        channel = KINDS[self.conn_type.removeprefix(PREFIX)].channel
        try:
            account = account_of(self.connection_id, channel, plain(self.get_connection(self.connection_id)))
        except ConfigurationError as error:
            return False, str(error)
        found = asyncio.run(problems_of([open_account(account)]))
        return (False, " ".join(found)) if found else (True, "it answers, and leaves our messages as they are")


class SendGridHook(_ProviderHook):
    conn_type, default_conn_name = f"{PREFIX}sendgrid", "reactivation_email"
    hook_name = CONNECTION_TYPES["sendgrid"].title


class ResendHook(_ProviderHook):
    conn_type, default_conn_name = f"{PREFIX}resend", "reactivation_email"
    hook_name = CONNECTION_TYPES["resend"].title


class SmtpHook(_ProviderHook):
    conn_type, default_conn_name = f"{PREFIX}smtp", "reactivation_email"
    hook_name = CONNECTION_TYPES["smtp"].title


class TwilioHook(_ProviderHook):
    conn_type, default_conn_name = f"{PREFIX}twilio", "reactivation_sms"
    hook_name = CONNECTION_TYPES["twilio"].title
