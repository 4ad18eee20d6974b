"""Compliance is told of a stop by any of Airflow's notifiers, and whether that worked is recorded."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import select
from tests.company import NOW

from reactivation.ledger.tables import audit
from reactivation.orchestration.rooms import open_rooms
from reactivation.orchestration.telling import VARIABLE, notifier_from_environment, tell_compliance, tell_owners
from reactivation.policy.pausing import Part
from reactivation.steps.monitoring import Alert
from reactivation.steps.readiness import NotReady
from reactivation.steps.settings import ConfigurationError

STOPPED = NotReady("run", "r-1", "Not ready. 7 of 10 candidates have no clear consent record.", "readiness.json")
PAGE = "/reactivation/readiness/runs/r-1"


@dataclass
class Office:
    """Where notices arrive."""

    url: str
    notices: list[Any] = field(default_factory=list)


class _Door(BaseHTTPRequestHandler):
    notices: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        self.notices.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def office() -> Iterator[Office]:
    """A server that takes notices."""
    _Door.notices.clear()
    with HTTPServer(("127.0.0.1", 0), _Door) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Office(f"http://127.0.0.1:{server.server_port}", _Door.notices)
        server.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A product of its own, with nothing in it."""
    monkeypatch.setenv("REACTIVATION_HOME", str(tmp_path))
    monkeypatch.setenv("REACTIVATION_NOW", NOW.isoformat())
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "address_key").write_text("a secret of at least sixteen bytes")
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path


def recorded() -> list[tuple[str, dict[str, Any]]]:
    """What the audit trail has about the run."""
    workspace = open_rooms()
    try:
        with workspace.ledger.begin() as conn:
            rows = conn.execute(select(audit.c.action, audit.c.details).where(audit.c.subject == "r-1")).all()
    finally:
        workspace.ledger.close()
    return [(row.action, json.loads(row.details)) for row in rows]


def by_http(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_COMPLIANCE", url)
    arguments = {"http_conn_id": "compliance", "json": {"text": "{{ stopped.message }}", "page": "{{ stopped.page }}"}}
    notifier = "airflow.providers.http.notifications.HttpNotifier"
    monkeypatch.setenv(VARIABLE, json.dumps({"notifier": notifier, "arguments": arguments}))


@pytest.mark.usefixtures("home")
class TestTelling:
    def test_the_log_is_the_notice_where_no_notifier_is_set(self, caplog: pytest.LogCaptureFixture) -> None:
        """With who is to look, and where."""
        tell_compliance(STOPPED, PAGE, {})
        assert PAGE in caplog.text
        assert recorded() == [("compliance_told", {"people": ["cleo"], "means": "log", "problem": None})]

    def test_a_notifier_gets_the_paragraph_and_the_page(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        """As its templates ask for them."""
        by_http(office.url, monkeypatch)
        tell_compliance(STOPPED, PAGE, {})
        (notice,) = office.notices
        assert notice["text"] == STOPPED.message
        assert notice["page"].endswith(PAGE)
        assert recorded() == [("compliance_told", {"people": ["cleo"], "means": "HttpNotifier", "problem": None})]

    def test_owners_are_told_of_harm(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        """In counts, by the same notifier, on record."""
        by_http(office.url, monkeypatch)
        workspace = open_rooms()
        alert = Alert(Part("plain"), "r-1", "complaints", 4, 2100, 0.001, frozenset({"ben", "ada"}))
        tell_owners(workspace, alert, {})
        workspace.ledger.close()
        (notice,) = office.notices
        assert notice["text"] == "r-1: 4 complaints of 2100 messages, the limit is 0.10%"
        assert recorded() == [("owners_told", {"people": ["ada", "ben"], "means": "HttpNotifier", "problem": None})]

    def test_a_notifier_that_fails_is_recorded_without_its_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """They may hold an address or a secret; and the task fails for its own reason, not for this one."""
        by_http("http://127.0.0.1:1", monkeypatch)
        tell_compliance(STOPPED, PAGE, {})
        ((action, details),) = recorded()
        assert action == "notification_failed"
        assert details["means"] == "HttpNotifier"
        assert "127.0.0.1" not in json.dumps(details)

    @pytest.mark.parametrize("setting", [
        "{", "[]", "{}", '{"notifier": "nowhere.Notifier"}', '{"notifier": "json.JSONDecoder"}',
        '{"notifier": "airflow.providers.http.notifications.HttpNotifier", "arguments": {"no": 1}}',
    ])  # fmt: skip
    def test_a_setting_that_makes_no_notifier_is_recorded(self, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
        """And said with the fix."""
        monkeypatch.setenv(VARIABLE, setting)
        with pytest.raises(ConfigurationError, match=VARIABLE):
            notifier_from_environment()
        tell_compliance(STOPPED, PAGE, {})
        assert recorded() == [
            ("notification_failed", {"people": ["cleo"], "means": "notifier", "problem": "misconfigured"})
        ]  # fmt: skip
