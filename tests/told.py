"""A ledger of three people a provider took messages for, and what it may tell of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from tests.builders import KEYS
from tests.ledgers import NOW, a_send, add_touch, begin, enrol

from reactivation.delivery.provider_events import ProviderEvent
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import enrolment_keys, enrolments, events, sends, suppressions
from reactivation.steps.provider_events import take_in_provider_events
from reactivation.steps.settings import Settings
from reactivation.steps.workspace import Workspace

LATER = NOW + timedelta(hours=1)
NUMBER = "+447700900456"
ANN, BOB, CAT = "c-ann", "c-bob", "c-cat"


def company(home: Path, ledger: Ledger, provider: str = "postman") -> Workspace:
    """Three people whose first messages a provider took, each under a reference of its own."""
    with ledger.begin() as conn:
        begin(conn)
        for customer in (ANN, BOB, CAT):
            key = KEYS.key_of(address(customer))
            touch = add_touch(conn, enrol(conn, customer, keys=[key]), customer, address_key=key, state="accepted")
            row = a_send(touch, customer, "w", provider=provider, address_key=key, called_at=NOW, finished_at=NOW)
            conn.execute(insert(sends), row | {"state": "accepted", "provider_ref": f"m-{customer}"})
    return Workspace(Settings(home=home, ledger_url="", address_keys=(), source="", environment="test"), ledger, KEYS)


def address(customer_id: str) -> str:
    return f"{customer_id.removeprefix('c-')}.hart@gmail.com"


def told(kind: Any, **changes: Any) -> ProviderEvent:
    return ProviderEvent(**({
        "event_id": f"e-{kind}", "provider": "postman", "channel": "email", "kind": kind,
        "at": NOW + timedelta(minutes=30),
    } | changes))  # fmt: skip


def taken(sent: Workspace, *some: ProviderEvent) -> dict[str, int]:
    return take_in_provider_events(sent, some, LATER)


def of(sent: Workspace) -> list[tuple[str, str, str, str]]:
    """Every suppression."""
    columns = (suppressions.c.address_key, suppressions.c.brand, suppressions.c.channel, suppressions.c.reason)
    with sent.ledger.begin() as conn:
        return [tuple(row) for row in conn.execute(select(*columns))]


def exits(sent: Workspace) -> dict[str, str]:
    """The exit of every enrolment that has ended, by customer."""
    query = select(enrolments.c.customer_id, enrolments.c.exit_reason).where(enrolments.c.state == "ended")
    with sent.ledger.begin() as conn:
        return {row.customer_id: row.exit_reason for row in conn.execute(query)}


def recorded(sent: Workspace) -> list[Any]:
    with sent.ledger.begin() as conn:
        return list(conn.execute(select(events).where(events.c.source == "postman").order_by(events.c.event_id)))


def texts(workspace: Workspace, customer_id: str) -> str:
    """The customer is written to at a number, too; its key."""
    key = KEYS.key_of(NUMBER)
    with workspace.ledger.begin() as conn:
        enrolment = conn.scalar(select(enrolments.c.enrolment_id).where(enrolments.c.customer_id == customer_id))
        row = {"enrolment_id": enrolment, "address_key": key, "channel": "sms", "active": True}
        conn.execute(insert(enrolment_keys), row)
    return key


def text(words: str | None, **changes: Any) -> ProviderEvent:
    return told("inbound", **({"event_id": "SM1", "channel": "sms", "address": NUMBER, "text": words} | changes))
