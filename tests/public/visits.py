"""Two customers who were written to, and requests to the public application, as they would come from outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select
from starlette.types import ASGIApp
from tests import ledgers

from reactivation.contract.addresses import AddressKeys
from reactivation.contract.links import LinkKeys
from reactivation.ledger.tables import enrolments, suppressions, touches
from reactivation.public import create_app
from reactivation.steps.settings import Settings
from reactivation.steps.workspace import Workspace, open_workspace

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
STRANGER = "203.0.113.7"
NOW = ledgers.NOW
KEY = b"an-address-key-of-the-public-tests"
KEYS = AddressKeys((KEY,))
LINKS = LinkKeys((KEY,))
EMAIL, PHONE = "ann.sample@example.com", "+447700900456"

Ask = Callable[..., httpx.Response]


@dataclass
class House:
    """A ledger with Ann, by e-mail and by text message, and Bob, by e-mail; a first message of each went out and a
    second is signed."""

    home: Path
    url: str

    @cached_property
    def settings(self) -> Settings:
        return Settings(
            home=self.home, ledger_url=self.url, address_keys=(KEY,), source=str(self.home), environment="test",
            given_now=NOW,
        )  # fmt: skip

    @cached_property
    def workspace(self) -> Workspace:
        return open_workspace(self.settings)

    def fill(self) -> None:
        keys = {"c-ann": (KEYS.key_of(EMAIL), KEYS.key_of(PHONE)), "c-bob": (KEYS.key_of("bob@example.com"),)}
        with self.workspace.ledger.begin() as conn:
            ledgers.begin(conn)
            for customer, own in keys.items():
                enrolment = ledgers.enrol(conn, customer, keys=own)
                ledgers.add_touch(conn, enrolment, customer, 1, address_key=own[0], state="accepted")
                ledgers.add_touch(conn, enrolment, customer, 2, address_key=own[0])

    def link(self, customer: str = "c-ann") -> str:
        """The path of the link in the first message to a customer."""
        return f"/u/{LINKS.token_of(self.touch_id(customer))}"

    def touch_id(self, customer: str = "c-ann") -> str:
        return ledgers.an_id(ledgers.an_id(ledgers.RUN_ID, customer), 1)

    def noes(self) -> set[tuple[str, str, str]]:
        """Address key, channel and reason of every suppression."""
        columns = (suppressions.c.address_key, suppressions.c.channel, suppressions.c.reason)
        with self.workspace.ledger.begin() as conn:
            return {tuple(row) for row in conn.execute(select(*columns))}

    def exits(self) -> dict[str, str]:
        """The exit of every enrolment that has ended, by customer."""
        query = select(enrolments.c.customer_id, enrolments.c.exit_reason).where(enrolments.c.state == "ended")
        with self.workspace.ledger.begin() as conn:
            return {row.customer_id: row.exit_reason for row in conn.execute(query)}

    def waiting(self) -> set[str]:
        """The customers for whom a signed message waits."""
        query = select(enrolments.c.customer_id).join(touches, touches.c.enrolment_id == enrolments.c.enrolment_id)
        with self.workspace.ledger.begin() as conn:
            return set(conn.scalars(query.where(touches.c.state == "signed")))

    def rows(self, table: Any) -> list[Any]:
        with self.workspace.ledger.begin() as conn:
            return list(conn.execute(select(table)).all())

    def app(self, **changes: Any) -> ASGIApp:
        """Its public application, in which no second passes."""
        return create_app(self.settings, lambda: self.workspace, **{"clock": lambda: 0.0, **changes})


def asking(app: ASGIApp) -> Ask:
    """``ask("GET", "/u/…")`` is the answer; ``client`` is the address the request comes from."""

    def ask(method: str, path: str, *, client: str = STRANGER, **request: Any) -> httpx.Response:
        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(app, client=(client, 40_000))
            async with httpx.AsyncClient(transport=transport, base_url="https://go.test") as browser:
                return await browser.request(method, path, **request)

        return asyncio.run(answer())

    return ask


@asynccontextmanager
async def lifespan(app: ASGIApp) -> AsyncIterator[None]:
    """The application runs, as its server says."""
    told: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    done: asyncio.Queue[Any] = asyncio.Queue()
    running = asyncio.create_task(app({"type": "lifespan", "state": {}}, told.get, done.put))
    await told.put({"type": "lifespan.startup"})
    assert (await done.get())["type"] == "lifespan.startup.complete"
    yield
    await told.put({"type": "lifespan.shutdown"})
    await running
