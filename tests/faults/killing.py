"""Dispatchers, judges and whoever erases or purges, as processes of their own that are really killed, at a named point
or at a counted one.

They are forked from a server that has the product imported already, so a kill costs no second import.
"""

from __future__ import annotations

import inspect
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import func, select, text
from tests.sending import NOW, settings
from tests.steps.six import Six

from reactivation import paths
from reactivation.delivery import handover, http, outbox
from reactivation.evidence import RunFolder, folders, rewriting
from reactivation.ledger import erasures, runs, sends, suppressions
from reactivation.ledger.engine import Ledger, open_ledger
from reactivation.playbooks.loader import load_all
from reactivation.playbooks.owners import load_owners
from reactivation.playbooks.tenant import load_tenant
from reactivation.steps import dispatch, readiness, taking_out
from reactivation.steps.erase import erase
from reactivation.steps.purge import purge
from reactivation.steps.rules import read_rules
from reactivation.steps.settings import ProviderAccount
from reactivation.steps.workspace import Workspace, open_workspace

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.faults.killing", "great_expectations"])

# What is declared is read here, in the server that all of them are forked from: each would read it anew.
read_rules(), load_owners(paths.OWNERS), load_tenant(paths.TENANT), load_all(paths.PLAYBOOKS)

#: A few batches for the few who are due.
BATCH = 5
#: From the first claim to the end a dispatcher makes a little more calls and returns of our own than this;
#: ``test_the_span`` says so.
SPAN = 2_300

#: Where a dispatcher is killed: the module, its function, and whether before or after it. In the order of a send.
POINTS: dict[str, tuple[Any, str, str]] = {
    "when everything is judged": (dispatch, "claim", "before"),
    "in the claim, before an intent": (sends, "intend", "before"),
    "in the claim, after an intent": (sends, "intend", "after"),
    "when the claim is committed": (dispatch, "claim", "after"),
    "before calls are won": (sends, "win_calls", "before"),
    "in the transaction that wins calls": (sends, "win_calls", "after"),
    "when the calls are won": (outbox.Outbox, "send", "before"),
    "when the message is half written": (outbox.os, "link", "before"),
    "when the message has its name": (outbox.os, "link", "after"),
    "when the provider has answered": (outbox.Outbox, "_send", "after"),
    "before the outcomes are recorded": (handover, "record", "before"),
    "in the transaction that records the outcomes": (sends, "finish", "after"),
    "when one batch is all done": (dispatch, "hand_over", "after"),
}
#: The same where the messages go by HTTP.
BY_HTTP: dict[str, tuple[Any, str, str]] = {
    name: point for name, point in POINTS.items() if point[0] not in (outbox.Outbox, outbox.os)
} | {
    "when the calls are won": (http.HttpProvider, "send", "before"),
    "when a call is answered": (http.HttpProvider, "ask", "after"),
    "when an answer is judged": (http.HttpProvider, "send", "after"),
}  # fmt: skip

#: The same of whoever judges a run.
JUDGING: dict[str, tuple[Any, str, str]] = {
    "when the verdict is given": (RunFolder, "add", "before"),
    "when a file has its name and the manifest does not know it": (folders, "replace_file", "before"),
    "when the files are written": (RunFolder, "add", "after"),
    "in the transaction that records the verdict": (runs, "record_step", "after"),
    "when the verdict is recorded": (readiness.seals, "seal", "before"),
    "when all is done": (readiness.seals, "seal", "after"),
}

#: The same of whoever takes rows out of the evidence, in the order of one file.
TAKING: dict[str, tuple[Any, str, str]] = {
    "before a file is looked at": (taking_out, "take_out", "before"),
    "when the new file is half done": (rewriting, "write_parquet", "after"),
    "in the transaction that records the new file": (taking_out.audit, "about", "after"),
    "when the new file is on record": (taking_out.Taking, "_record", "after"),
    "when the new file is noted": (rewriting, "note", "after"),
    "when the new file has its name": (rewriting, "note_done", "before"),
    "when one file is done": (rewriting, "note_done", "after"),
}
#: And of an erasure before that.
ERASING: dict[str, tuple[Any, str, str]] = {
    "before anything": (suppressions, "commit", "before"),
    "when nobody may write to them": (suppressions, "commit", "after"),
    "in the transaction that records the erasure": (erasures, "record", "after"),
}

_OURS = ("/reactivation/ledger/", "/reactivation/delivery/", "/reactivation/steps/dispatch.py")


def start(home: Path, url: str, now: datetime, *, point: str | None = None, nth: int = 1, counted: int | None = None,
          count_into: Path | None = None, account: ProviderAccount | None = None) -> ForkServerProcess:  # fmt: skip
    """A dispatcher at work on that home and ledger; killed at ``point`` for the ``nth`` time, or at a counted call.
    ``account``: the provider its e-mails go by, else the outbox."""
    how = {"point": point, "nth": nth, "counted": counted, "count_into": count_into, "account": account}
    process = _PROCESSES.Process(target=_work, args=(home, url, now), kwargs=how)
    process.start()
    return process


def judge(six: Six, run_id: str, now: datetime, point: str) -> ForkServerProcess:
    """Somebody who judges that run, killed at a point of ``JUDGING``."""
    process = _PROCESSES.Process(target=_judge, args=(six.home, six.ledger.name, run_id, now, point))
    process.start()
    return process


def _judge(home: Path, url: str, run_id: str, now: datetime, point: str) -> None:
    workspace = Six.at(home, open_ledger(url)).workspace
    _arm(*JUDGING[point], 1)
    with suppress(readiness.NotReady):
        readiness.check_readiness(workspace, run_id, now)


def at(home: Path, url: str, account: ProviderAccount | None) -> Workspace:
    """The rooms of that home; a given clock is for the outbox alone."""
    known = settings(home, url)
    return open_workspace(known if account is None else replace(known, accounts={"email": account}, given_now=None))


def forget(home: Path, url: str, point: str, *, nth: int = 1, purge_at: datetime | None = None) -> ForkServerProcess:
    """Somebody who erases ``c-ann``, or who purges, killed at a point of ``TAKING`` or ``ERASING``."""
    process = _PROCESSES.Process(target=_forget, args=(home, url, point, nth, purge_at))
    process.start()
    return process


def _forget(home: Path, url: str, point: str, nth: int, purge_at: datetime | None) -> None:
    workspace = open_workspace(settings(home, url))
    _arm(*(TAKING | ERASING)[point], nth)
    if purge_at is None:
        erase(workspace, customer_id="c-ann", user="cleo", reason="person_asked", now=NOW)
    else:
        purge(workspace, purge_at)


def _work(
    home: Path, url: str, now: datetime, *, point: str | None, nth: int, counted: int | None, count_into: Path | None,
    account: ProviderAccount | None,
) -> None:  # fmt: skip
    workspace = at(home, url, account)
    for provider in workspace.providers.values():
        provider.batch = min(BATCH, provider.batch)
    if point is not None:
        dispatch._BATCHES = 1  # so that it dies when something has gone out and something has not
        _arm(*(POINTS if account is None else BY_HTTP)[point], nth)
    if counted is not None or count_into is not None:
        _count(counted)
    dispatch.dispatch(workspace, now)
    if count_into is not None:
        sys.setprofile(None)
        threading.setprofile(None)
        count_into.write_text(str(_calls))


def _arm(owner: Any, name: str, when: str, nth: int) -> None:
    """Make the ``nth`` call of a function the last thing this process does."""
    meanwhile((owner, name, when), nth, _die)


def meanwhile(
    point: tuple[Any, str, str], nth: int, happens: Callable[[], object],
    put: Callable[[Any, str, Any], object] = setattr,
) -> None:  # fmt: skip
    """Something happens at the ``nth`` time a point is reached. ``put``: how its function is replaced."""
    owner, name, when = point
    real: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def noted(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        this = calls
        if this == nth and when == "before":
            happens()
        result = real(*args, **named)
        if inspect.iscoroutine(result):
            return awaited(result, this)
        if this == nth and when == "after":
            happens()
        return result

    async def awaited(result: Any, this: int) -> Any:
        told = await result
        if this == nth and when == "after":
            happens()
        return told

    put(owner, name, noted)


_calls = 0


def _count(fatal: int | None) -> None:
    """Count the calls of our own functions, in all threads, from when the first claims begin; die at the ``fatal`` one.
    Until then nothing is counted: it would take most of the time."""
    real = dispatch._send_cases

    def profile(frame: FrameType, event: str, _arg: object) -> None:
        global _calls  # noqa: PLW0603
        if event in ("call", "return") and any(part in frame.f_code.co_filename for part in _OURS):
            _calls += 1
            if _calls == fatal:
                _die()

    def counted(*args: Any) -> Any:
        threading.setprofile(profile)
        sys.setprofile(profile)
        return real(*args)

    dispatch._send_cases = counted


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def is_killed(process: ForkServerProcess) -> bool:
    """Waits for the end; whether it was a kill."""
    process.join(timeout=120)
    return process.exitcode == -signal.SIGKILL


def noticed(ledger: Ledger) -> None:
    """Waits until the database has noticed who is dead: a busy server takes a moment to let go of a dead one's lock."""
    if ledger.dialect != "postgresql":
        return
    held = text(
        "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()"
    )
    with ledger.begin() as conn:
        for number in conn.scalars(held).all():
            conn.execute(select(func.pg_advisory_xact_lock(number)))


def unfinished(ledger: Ledger) -> int:
    """How many sends are neither accepted, refused nor known to be unknown."""
    with ledger.begin() as conn:
        return len(sends.unfinished(conn))
