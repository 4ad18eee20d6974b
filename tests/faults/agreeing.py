"""Whether what went out and the ledger say the same: in the outbox, and in the log of SendGrid as it is specified, in a
process of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.fakes.running import Running, running
from tests.faults.killing import at, unfinished
from tests.postman import sign_live
from tests.sending import NOW, Ready

from reactivation.ledger import feeds, seals
from reactivation.steps.dispatch import DispatchSummary, dispatch
from reactivation.steps.settings import ProviderAccount

LATER = NOW + timedelta(minutes=1)


@contextmanager
def sendgrid(ready: Ready, folder: Path) -> Iterator[Running]:
    """Somebody has signed that messages may go by it, and it was asked what came back."""
    with ready.workspace.ledger.begin() as conn:
        sign_live(conn, ready.workspace)
        feeds.advance(conn, "sendgrid", until=NOW, now=NOW)
    with running("sendgrid", folder) as fake:
        yield fake


def account(fake: Running) -> ProviderAccount:
    return ProviderAccount(
        "reactivation_email", "sendgrid", host=fake.at, secret="a key", options={"per_second": "1000"}
    )


def send(ready: Ready, fake: Running, now: datetime = LATER, *, batch: int | None = None) -> DispatchSummary:
    """One run, a minute later; in batches of so many."""
    workspace = at(ready.home, ready.url, account(fake))
    for provider in workspace.providers.values():
        provider.batch = batch or provider.batch
    try:
        return dispatch(workspace, now)
    finally:
        workspace.ledger.close()


def taken(fake: Running) -> Counter[str]:
    """How often the provider took the message of each key."""
    return Counter(mail["personalizations"][0]["custom_args"]["key"] for mail in fake.accepted())


def settled(ready: Ready, fake: Running) -> dict[str, Any]:
    """The sends by key; nothing was taken twice, nothing is lost, and what is not known nobody took."""
    rows = {row.send_id: row for row in ready.rows("sends")}
    had = taken(fake)
    assert set(had.values()) <= {1}
    assert {key for key, row in rows.items() if row.state == "accepted"} == set(had)
    assert {row.state for key, row in rows.items() if key not in had} <= {"unknown", "refused"}
    with ready.workspace.ledger.begin() as conn:
        assert seals.verify(conn).intact
    return rows


def each_exactly_once(ready: Ready) -> None:
    """One message per signed touch, and a ledger that says the same."""
    assert ready.written_to() == sorted(ready.states())
    assert set(ready.states().values()) == {("accepted", None)}
    assert len(ready.rows("sends")) == len(ready.files())
    assert {row.state for row in ready.rows("sends")} == {"accepted"}
    assert {f"{row.send_id}.eml" for row in ready.rows("sends")} == set(ready.files())
    told = [row for row in ready.rows("measurement_events") if (row.kind, row.outcome) == ("send", "accepted")]
    assert len(told) == len(ready.files())
    assert [file.name for file in ready.workspace.settings.outbox.iterdir() if file.suffix != ".eml"] == []
    asked = ready.home / "asked"
    assert not asked.exists() or list(asked.iterdir()) == []
    assert unfinished(ready.workspace.ledger) == 0
    with ready.workspace.ledger.begin() as conn:
        assert seals.verify(conn).intact
