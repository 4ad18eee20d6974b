"""The connection of a channel made into the account of a provider, and what is said when it is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from reactivation.orchestration.accounts import KINDS
from reactivation.orchestration.connections import settings_from_environment
from reactivation.orchestration.provider_info import CONNECTION_TYPES
from reactivation.steps.settings import ConfigurationError, ProviderAccount

EMAIL, SMS = "AIRFLOW_CONN_REACTIVATION_EMAIL", "AIRFLOW_CONN_REACTIVATION_SMS"
ACCOUNT_SID, SERVICE_SID, KEY_SID = "AC" + "a1" * 16, "MG" + "b2" * 16, "SK" + "c3" * 16
SECRET = "s3cret-0f-tests"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home and no other variable of ours."""
    for name in list(os.environ):
        if name.startswith(("REACTIVATION_", "AIRFLOW_CONN_REACTIVATION_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("REACTIVATION_HOME", str(tmp_path))


def account(monkeypatch: pytest.MonkeyPatch, variable: str, given: str | dict[str, Any]) -> ProviderAccount:
    monkeypatch.setenv(variable, given if isinstance(given, str) else json.dumps(given))
    (found,) = settings_from_environment().accounts.values()
    return found


def refusal(monkeypatch: pytest.MonkeyPatch, variable: str, given: str | dict[str, Any]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        account(monkeypatch, variable, given)
    return str(caught.value)


def test_without_a_connection_there_is_no_account() -> None:
    """Then the outbox is the only provider."""
    assert settings_from_environment().accounts == {}


@pytest.mark.parametrize(("variable", "given", "expected"), [
    (EMAIL, f"reactivation-sendgrid://:{SECRET}@",
     ProviderAccount("reactivation_email", "sendgrid", secret=SECRET)),
    (EMAIL, f"reactivation-sendgrid://:{SECRET}@api.eu.sendgrid.com",
     ProviderAccount("reactivation_email", "sendgrid", host="https://api.eu.sendgrid.com", secret=SECRET)),
    (EMAIL, {"conn_type": "reactivation_resend", "password": SECRET, "extra": {"per_second": 10}},
     ProviderAccount("reactivation_email", "resend", secret=SECRET, options={"per_second": "10"})),
    (EMAIL, {"conn_type": "http", "password": SECRET, "host": "http://127.0.0.1:8080/",
             "extra": {"provider": "resend", "srv_lookup": None, "X-Api-Key": "no header of ours"}},
     ProviderAccount("reactivation_email", "resend", host="http://127.0.0.1:8080", secret=SECRET)),
    (EMAIL, f"reactivation-smtp://anna:{SECRET}@mail.example:2587",
     ProviderAccount("reactivation_email", "smtp", "mail.example", 2587, "anna", SECRET)),
    (EMAIL, "smtp://mail.example",
     ProviderAccount("reactivation_email", "smtp", "mail.example", options={"security": "tls"})),
    (EMAIL, {"conn_type": "smtp", "host": "mail.example", "extra": {"disable_ssl": True, "retry_limit": 5}},
     ProviderAccount("reactivation_email", "smtp", "mail.example", options={"security": "starttls"})),
    (EMAIL, {"conn_type": "smtp", "host": "127.0.0.1", "extra": {"disable_ssl": True, "disable_tls": True}},
     ProviderAccount("reactivation_email", "smtp", "127.0.0.1", options={"security": "none"})),
    (SMS, f"reactivation-twilio://{ACCOUNT_SID}:{SECRET}@/?messaging_service_sid={SERVICE_SID}",
     ProviderAccount("reactivation_sms", "twilio", login=ACCOUNT_SID, secret=SECRET,
                     options={"messaging_service_sid": SERVICE_SID})),
    (SMS, {"conn_type": "http", "login": KEY_SID, "password": SECRET,
           "extra": {"provider": "twilio", "account_sid": ACCOUNT_SID, "messaging_service_sid": ""}},
     ProviderAccount("reactivation_sms", "twilio", login=KEY_SID, secret=SECRET,
                     options={"account_sid": ACCOUNT_SID})),
])  # fmt: skip
def test_a_connection_is_an_account(
    monkeypatch: pytest.MonkeyPatch, variable: str, given: Any, expected: ProviderAccount
) -> None:
    """By its type, with only what its provider reads; everything else of it goes nowhere."""
    assert account(monkeypatch, variable, given) == expected


def test_a_secret_is_in_no_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of the account nor of the settings."""
    found = account(monkeypatch, EMAIL, f"reactivation-smtp://anna:{SECRET}@mail.example")
    assert SECRET not in repr(found) + repr(settings_from_environment())


@pytest.mark.parametrize(("variable", "given", "words"), [
    (EMAIL, f"postgresql://anna:{SECRET}@db.example/x",
     "is of type postgresql, through which no email can go; use reactivation_sendgrid, reactivation_resend, "
     "reactivation_smtp: AIRFLOW_CONN_REACTIVATION_EMAIL=reactivation-sendgrid://:API_KEY@"),
    (EMAIL, f"reactivation-twilio://{ACCOUNT_SID}:{SECRET}@", "is of type reactivation_twilio, through which no email"),
    (SMS, f"reactivation-sendgrid://:{SECRET}@", "through which no sms can go; use reactivation_twilio"),
    (EMAIL, f"http://:{SECRET}@api.sendgrid.com", "is of type http, through which no email can go"),
    (EMAIL, {"conn_type": "http", "password": SECRET, "extra": {"provider": "mailer"}},
     "is of type http with provider mailer, through which no email can go"),
    (EMAIL, f"sendgrid://:{SECRET}@", "is of type sendgrid, through which no email can go"),
    (EMAIL, f"https://:{SECRET}@mail.example/?provider=smtp", "is of type https with provider smtp, through which no"),
    (EMAIL, "reactivation-sendgrid://api.sendgrid.com",
     "has no password; set AIRFLOW_CONN_REACTIVATION_EMAIL=reactivation-sendgrid://:API_KEY@"),
    (SMS, "reactivation-twilio://api.twilio.com", "has no login and no password; set"),
    (EMAIL, {"conn_type": "reactivation_smtp", "login": "anna"}, "has no host; set"),
    (SMS, f"reactivation-twilio://{ACCOUNT_SID}:{SECRET}@/?messaging_service={SERVICE_SID}",
     "has messaging_service in its extra; it may have account_sid, messaging_service_sid, per_second"),
    (SMS, f"reactivation-twilio://{SECRET}:x@", "has a login that is no SID; it is AC or SK and 32 hexadecimal digits"),
    (SMS, f"reactivation-twilio://{KEY_SID}:{SECRET}@", "names no account; put account_sid into its extra"),
    (EMAIL, f"reactivation-resend://:{SECRET}@/?per_second=fast", "has a per_second that is no number above 0; write"),
    (EMAIL, f"reactivation-resend://:{SECRET}@/?per_second=0", "has a per_second that is no number above 0; write"),
    (EMAIL, f"reactivation-smtp://a:{SECRET}@mail.example/?security=ssl", "has a security nobody knows; write one of"),
    (EMAIL, f"reactivation-smtp://a:{SECRET}@mail.example/?security=none",
     "would carry messages unencrypted to another machine; set security in its extra to starttls or tls"),
    (EMAIL, f"reactivation-resend://:{SECRET}@api.resend.com/http", "has a host that is not asked over https; write"),
])  # fmt: skip
def test_what_is_wrong_is_named_with_the_fix(
    monkeypatch: pytest.MonkeyPatch, variable: str, given: Any, words: str
) -> None:
    """The connection and its variable too, but never the secret, whatever field it was put into."""
    said = refusal(monkeypatch, variable, given)
    assert said.startswith(f"connection {variable.removeprefix('AIRFLOW_CONN_').lower()} ({variable}) ")
    assert words in said
    assert SECRET not in said


def test_every_provider_has_a_type_of_connection() -> None:
    """And the other way round."""
    assert KINDS.keys() == CONNECTION_TYPES.keys()
