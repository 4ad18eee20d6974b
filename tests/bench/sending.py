"""Sending, measured: touches that are really signed, through the real protocol, to a provider that takes everything."""

from __future__ import annotations

import asyncio
import json
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp
from sqlalchemy import func, select, text, update
from tests.bench import data
from tests.company import Company
from tests.fakes.running import running
from tests.postman import sign_live

from reactivation.approvals import SendableTouch, reading, sendable
from reactivation.delivery import http
from reactivation.delivery.sendgrid import SendGrid
from reactivation.ledger import feeds
from reactivation.ledger.tables import list_signers, sends, touches
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
_FAULTS: list[dict[str, Any]] = [
    {"kind": "answer", "status": 429}, {"kind": "answer", "status": 429, "headers": {"Retry-After": "1"}},
    {"kind": "drop_before"}, {"kind": "drop_after"}, {"kind": "answer_after", "status": 500},
    {"kind": "answer", "status": 400, "body": {"errors": []}},
]  # fmt: skip
#: So long a provider is left alone that does not say how long: it is asked to stop hundreds of times here.
_HURRIED = timedelta(milliseconds=50)


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


def send_all(workspace: Workspace) -> tuple[float, float, float, int]:
    """Seconds of the whole run and of its sending alone, seconds of computing in the latter, and how many were sent.

    What it computes says more than how long it took where others work on the same machine.
    """
    spent = computed = 0.0
    real = dispatching._send_cases

    async def timed(*arguments: Any) -> None:
        nonlocal spent, computed
        began, before = time.perf_counter(), time.process_time()
        await real(*arguments)
        spent += time.perf_counter() - began
        computed += time.process_time() - before

    with _sink() as url, _sender(workspace, url) as sender:
        began = time.perf_counter()
        with patch.object(dispatching, "_send_cases", timed):
            summary = dispatch(sender, data.NOW)
        whole = time.perf_counter() - began
    return whole, spent, computed, summary.accepted


def memory_while_sending(workspace: Workspace) -> list[tuple[int, int]]:
    """How many were sent and the bytes this process had in memory then, after each look."""
    seen: list[tuple[int, int]] = []
    real = dispatching._send_cases

    async def weighed(shift: Any, *arguments: Any) -> None:
        await real(shift, *arguments)
        seen.append((shift.done["accepted"], _in_memory()))

    with _sink() as url, _sender(workspace, url) as sender, patch.object(dispatching, "_send_cases", weighed):
        dispatch(sender, data.NOW)
    return seen


def send_in_spite(workspace: Workspace, folder: Path) -> dict[str, Any]:
    """Dispatches, a minute apart, to a provider of which each hundredth call has each fault, until nothing that is due
    is left. Counts by outcome, and how many sends its own log and the ledger do not agree on, lost ones included."""
    for left in folder.glob("sendgrid.*"):
        left.unlink()
    runs, began = 0, time.perf_counter()
    rows: dict[str, str] = {}
    with running("sendgrid", folder) as fake, _sender(workspace, fake.at) as sender:
        due = _due(sender)
        fake.do_wrong(*_faults(2 * due))
        with patch.object(http, "_ALONE_UNASKED", _HURRIED):
            changed = True
            while changed:
                dispatch(sender, data.NOW + timedelta(minutes=runs))
                runs += 1
                before, rows = rows, _states(sender)
                changed = before != rows
        lost = _due(sender)
        with fake.log.open(encoding="utf-8") as log:  # line by line: together they would outweigh the dispatcher
            took = Counter(json.loads(line)["personalizations"][0]["custom_args"]["key"] for line in log)
    accepted = {key for key, state in rows.items() if state == "accepted"}
    apart = len(accepted ^ took.keys()) + took.total() - len(took)
    return {"due": due, "runs": runs, "apart": apart + lost, "states": Counter(rows.values()),
            "parts": {"runs": round(time.perf_counter() - began, 1)}}  # fmt: skip


def _due(workspace: Workspace) -> int:
    """How many touches wait to be sent, and may be at this time of day."""
    waiting = touches.c.state.in_(("signed", "claimed")) & (touches.c.not_before <= data.NOW)
    with workspace.ledger.begin() as conn:
        return conn.scalar(select(func.count()).select_from(touches).where(waiting)) or 0


def _states(workspace: Workspace) -> dict[str, str]:
    """Every send's."""
    with workspace.ledger.begin() as conn:
        return dict(conn.execute(select(sends.c.send_id, sends.c.state)).tuples().all())


def _faults(count: int) -> Iterator[dict[str, Any] | None]:
    """What goes wrong with so many calls: each fault with one in a hundred, at random."""
    chance = random.Random(data.SEED)  # noqa: S311
    for _ in range(count):
        drawn = chance.randrange(100)
        yield _FAULTS[drawn] if drawn < len(_FAULTS) else None


@contextmanager
def _sender(workspace: Workspace, url: str) -> Iterator[Workspace]:
    """The same rooms, whose e-mails go by a provider at that URL as fast as it takes them."""
    account = ProviderAccount("reactivation_email", "sendgrid", host=url, secret="a key",
                              options={"per_second": "1000000"})  # fmt: skip
    sender = open_workspace(replace(workspace.settings, accounts={"email": account}, given_now=None))
    try:
        with sender.ledger.begin() as conn:
            feeds.advance(conn, "sendgrid", until=data.NOW, now=data.NOW)
        yield sender
    finally:
        sender.ledger.close()


def _in_memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


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
