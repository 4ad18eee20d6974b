"""Sending, measured: touches that are really signed, through the real protocol, to a provider that takes everything."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp
from sqlalchemy import select, text, update
from tests.bench import data
from tests.company import Company
from tests.postman import sign_live

from reactivation.approvals import SendableTouch, reading, sendable
from reactivation.delivery.sendgrid import SendGrid
from reactivation.ledger import feeds
from reactivation.ledger.tables import list_signers, touches
from reactivation.steps import dispatch as dispatching
from reactivation.steps.dispatch import dispatch
from reactivation.steps.draft import draft_run
from reactivation.steps.drafted import Drafts
from reactivation.steps.lists import open_lists
from reactivation.steps.settings import ProviderAccount
from reactivation.steps.workspace import Workspace, open_workspace

#: As many calls at once as the product makes.
_AT_ONCE = 25
#: A person names what he agrees to in a field of limited length; here all of it is.
_ANY_LENGTH = 1 << 40


def sign_everything(workspace: Workspace, run_id: str) -> None:
    """From the plan to signatures, by the steps and the answers of people; everything is due at once."""
    draft_run(workspace, run_id, data.NOW)
    open_lists(workspace, run_id, data.NOW)
    company = Company(workspace)
    with patch.object(reading, "_TEXT_LENGTH", _ANY_LENGTH):
        for request, row, items in company.asked(data.NOW):
            with workspace.ledger.begin() as conn:
                signers = select(list_signers.c.user_id).where(list_signers.c.list_id == row.list_id)
                by = min(set(conn.scalars(signers)) - set(row.authors))
            company.answer(request, row, items, "Sign", by=by, now=data.NOW)
    with workspace.ledger.begin() as conn:
        sign_live(conn, workspace)
        conn.execute(text("ANALYZE"))  # as PostgreSQL does by itself within a minute


def send_all(workspace: Workspace) -> tuple[float, float, int]:
    """Seconds of the whole run and of its sending alone, and how many were sent."""
    spent = 0.0
    real = dispatching._send_judged

    async def timed(*arguments: Any) -> None:
        nonlocal spent
        began = time.perf_counter()
        await real(*arguments)
        spent += time.perf_counter() - began

    with _sink() as url:
        account = ProviderAccount("reactivation_email", "sendgrid", host=url, secret="a key",
                                  options={"per_second": "1000000"})  # fmt: skip
        known = replace(workspace.settings, accounts={"email": account}, given_now=None)
        sender = open_workspace(known)
        with sender.ledger.begin() as conn:
            feeds.advance(conn, "sendgrid", until=data.NOW, now=data.NOW)
        began = time.perf_counter()
        with patch.object(dispatching, "_send_judged", timed):
            summary = dispatch(sender, data.NOW)
        whole = time.perf_counter() - began
        sender.ledger.close()
    return whole, spent, summary.accepted


def post_all(workspace: Workspace, count: int) -> float:
    """Seconds that the client alone takes to post the bytes of as many messages, as many at once."""
    body = json.dumps(_a_request(workspace)).encode()

    async def post(url: str) -> float:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_AT_ONCE)) as session:
            left = iter(range(count))

            async def some() -> None:
                for _ in left:
                    async with session.post(f"{url}/v3/mail/send", data=body) as answer:
                        await answer.read()

            began = time.perf_counter()
            await asyncio.gather(*(some() for _ in range(_AT_ONCE)))
            return time.perf_counter() - began

    with _sink() as url:
        return asyncio.run(post(url))


def _a_request(workspace: Workspace) -> Any:
    """What is said to the provider about one of the touches."""
    with workspace.ledger.begin() as conn:
        (found,) = dispatching.sends.reserve(conn, worker="bench", gone=(), now=data.NOW, limit=1)
        conn.execute(update(touches).where(touches.c.touch_id == found.touch_id).values(reserved_by=None))
        (draft,) = Drafts(workspace).of([found])
        (touch,) = sendable(conn, [draft], data.NOW)  # type: ignore[list-item]
    assert isinstance(touch, SendableTouch), touch
    return SendGrid("bench", "key").request(touch, found.touch_id, data.NOW).json


@contextmanager
def _sink() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.sink"], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()
