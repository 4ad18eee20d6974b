"""Sends what is due, signed and still allowed: in batches, each asked about anew, each touch at most once.

Reads the ledger and nothing of Airflow's: a task's state, a message between tasks or a run's ``conf`` proves nothing.
Any number of dispatchers may work at once, and any of them may die at any moment.

Source: ARCHITECTURE.md, A day, 4; invariants 1, 3, 4, 5, 7, 11 and 12.
"""

from __future__ import annotations

import asyncio
import gc
import shutil
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import uvloop
from sqlalchemy import Connection

from reactivation.delivery import Provider, hand_over, recover
from reactivation.evidence import SnapshotFolder
from reactivation.ledger import enrolments, seals, sends, touches, workers
from reactivation.ledger.engine import Ledger
from reactivation.ledger.enrolments import Enrolment
from reactivation.ledger.mail import EMAIL
from reactivation.ledger.sends import Send
from reactivation.ledger.touches import Touch
from reactivation.playbooks.model import Playbook
from reactivation.sources import Sources
from reactivation.steps.asking import asked_again, asking_root, is_stale, take_in, unfit_tables
from reactivation.steps.claims import ACTOR, BEYOND_RAMP, Case, Claim, claim, judge, last_word, settle
from reactivation.steps.consequences import obey
from reactivation.steps.deliverability import Domain
from reactivation.steps.drafted import Drafts
from reactivation.steps.hearing import is_deaf
from reactivation.steps.verdicts import Verdict

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: How many touches are asked about at once, to begin with and at most; each then goes out in a batch of its provider's.
_FIRST_LOOK, _LARGEST_LOOK = 100, 2_000
#: A look grows while it is sent this quickly, and is asked again about what it did not get to in a minute.
_QUICK, _FRESH = timedelta(seconds=10), timedelta(seconds=60)
#: So many batches are on their way at once, so that one is claimed while the calls of others are answered.
_BATCHES = 8
#: What a provider did not take is tried so many times more; one that wants to be left alone longer, in the next run.
_REPEATS, _PATIENCE = 3, timedelta(seconds=60)
_NOT_READY = Verdict("wait", "provider_not_ready")


@dataclass(frozen=True)
class DispatchSummary:
    """How many touches went which way; ``reasons`` are of those that were not sent. ``recovered``: work that dead
    dispatchers left behind, settled. ``stopped``: it was told to end before all was done."""

    accepted: int
    refused: int
    unknown: int
    waiting: int
    held: int
    ended: int
    expired: int
    recovered: int
    stopped: bool
    reasons: Mapping[str, int]


@dataclass
class _Shift:
    """One dispatcher at work: its id, its clock, what it was told, and what it has done so far.

    ``claiming``: claims batches one after another, oldest first, so that of two touches of one person the later waits;
    each begins when the last has ended, whatever the calls of others keep busy meanwhile. ``aside``: does the other
    transactions of batches, while the calls of others go on. ``full_on``: the day of which the sending domain can carry
    no more; nobody is asked again about its e-mails. ``resting``: the channels whose provider wants to be left alone.
    ``again``: what a provider did not take, or whose answer grew too old. ``failed``: what ends it. ``stopped``: it was
    told to end. ``look``: how many next.
    """

    workspace: Workspace
    worker: str
    gone: frozenset[str]
    clock: Callable[[], datetime]
    limit: int | None
    source: Sources
    drafts: Drafts
    domain: Domain
    claiming: Executor
    aside: Executor
    full_on: date | None = None
    resting: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    failed: list[Exception] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    done: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    look: int = _FIRST_LOOK

    def not_sent(self, said: Verdict) -> None:
        self.done[said.do] += 1
        self.reasons[said.reason] += 1
        if said == BEYOND_RAMP:
            self.full_on = self.day()

    def day(self) -> date:
        return self.clock().astimezone(UTC).date()

    def room(self) -> int:
        """How many touches may be looked at next."""
        if self.stopped.is_set():
            return 0
        sent = sum(self.done[state] for state in ("accepted", "refused", "unknown"))
        return self.look if self.limit is None else min(self.look, self.limit - sent)


def dispatch(workspace: Workspace, now: datetime, limit: int | None = None) -> DispatchSummary:
    """Send what is due at ``now``, at most ``limit`` touches; nothing without a fresh answer of the source.

    Raises ``SourceError`` when the source cannot be read and ``DeliveryError`` when a provider cannot work; what was
    claimed by then is given back.
    """
    gc.freeze()  # nothing of what is there becomes garbage meanwhile: the collector need not look through it each time
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_dispatch(workspace, now, limit))
    finally:
        gc.unfreeze()


async def _dispatch(workspace: Workspace, now: datetime, limit: int | None) -> DispatchSummary:
    ledger = workspace.ledger
    began = time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - began)

    providers = {one.name: one for one in workspace.providers.values()}
    drafts = Drafts(workspace)
    try:
        with workers.at_work(ledger) as worker, _writing(ledger) as (claiming, aside):
            gone = _gone(workspace)
            shift = _Shift(
                workspace, worker, gone, clock, limit, workspace.source(), drafts, Domain(workspace), claiming, aside
            )  # fmt: skip
            recovered = await recover(
                ledger, providers, gone=gone, as_it_was=drafts.calls, now=now,
                consequences=lambda told: obey(workspace, told, now),
            )  # fmt: skip
            with ledger.begin() as conn:
                expired = touches.expire(conn, actor=ACTOR, now=now)
            try:
                with _ends_in_order(shift.stopped):
                    await _work(shift)
            finally:
                _give_back(shift)
    finally:
        for provider in providers.values():
            await provider.close()
    seals.seal(ledger, clock())
    done = shift.done
    return DispatchSummary(
        accepted=done["accepted"], refused=done["refused"], unknown=done["unknown"], waiting=done["wait"],
        held=done["hold"], ended=done["end"], expired=expired, recovered=recovered.total(),
        stopped=shift.stopped.is_set(), reasons=dict(sorted(shift.reasons.items())),
    )  # fmt: skip


@contextmanager
def _writing(ledger: Ledger) -> Iterator[tuple[Executor, Executor]]:
    """A thread that claims, and those that write everything else: the same where each transaction is alone anyway."""
    with ThreadPoolExecutor(1) as claiming:
        if ledger.writers == 1:
            yield claiming, claiming
            return
        with ThreadPoolExecutor(ledger.writers - 1) as aside:
            yield claiming, aside


@contextmanager
def _ends_in_order(stopped: asyncio.Event) -> Iterator[None]:
    """Told to end (SIGTERM), the calls under way are answered and recorded, and the rest is given back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before, loop = signal.getsignal(signal.SIGTERM), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, before)


def _gone(workspace: Workspace) -> frozenset[str]:
    """The dispatchers that left traces and live no more; the personal data they were just told is removed."""
    with workspace.ledger.begin() as conn:
        seen = sends.reservers(conn) | {send.worker for send in sends.unfinished(conn)}
    told = asking_root(workspace)
    left = {folder.name for folder in told.iterdir()} if told.is_dir() else set()
    gone = workers.gone(workspace.ledger, sorted(seen | left))
    for worker in left & gone:
        shutil.rmtree(told / worker, ignore_errors=True)
    return gone


async def _work(shift: _Shift) -> None:
    """All that is due, oldest first; then what a provider did not take, a few times more."""
    after: Touch | None = None
    while (room := shift.room()) > 0 and (some := _reserve(shift, room, after=after)):
        after = some[-1]
        await _send(shift, some)
    for _ in range(_REPEATS):
        again, shift.again = sorted(shift.again), set()
        while again and (room := shift.room()) > 0:
            some, again = _reserve(shift, room, only=again[:room]), again[room:]
            await _send(shift, some)
    with shift.workspace.ledger.begin() as conn:
        left = touches.touches_of(conn, shift.again)
    _leave(shift, [(touch, _NOT_READY) for touch in left])


def _reserve(
    shift: _Shift, limit: int, *, after: Touch | None = None, only: Sequence[str] | None = None
) -> list[Touch]:  # fmt: skip
    with shift.workspace.ledger.begin() as conn:
        return sends.reserve(
            conn, worker=shift.worker, gone=shift.gone, now=shift.clock(), limit=limit, after=after, only=only
        )  # fmt: skip


def _give_back(shift: _Shift) -> None:
    """Whatever we reserved or intended and did not get to is free again."""
    with shift.workspace.ledger.begin() as conn:
        sends.let_go(conn, shift.worker)
        ours = [one for one in sends.unfinished(conn, ("intent",)) if one.worker == shift.worker]
        if ours:
            sends.take_back(conn, ours, reason="dispatch_ended", now=shift.clock())
    shutil.rmtree(asking_root(shift.workspace) / shift.worker, ignore_errors=True)


async def _send(shift: _Shift, some: Sequence[Touch]) -> None:
    """Ask, judge, claim and hand over what we look at."""
    going: dict[str, list[Touch]] = defaultdict(list)
    left: list[tuple[Touch, Verdict]] = []
    for touch in some:
        if touch.channel == EMAIL and shift.full_on == shift.day():
            left.append((touch, BEYOND_RAMP))
        elif touch.channel in shift.resting:
            left.append((touch, _NOT_READY))
        else:
            going[touch.playbook].append(touch)
    _leave(shift, left)
    asked: list[tuple[Playbook, list[Touch]]] = []
    for name, those in sorted(going.items()):
        playbook = shift.workspace.playbook(name).playbook
        if is_stale(shift.source, playbook, shift.clock()):
            _leave(shift, [(touch, Verdict("wait", "source_stale")) for touch in those])
        elif _is_deaf(shift, playbook):
            _leave(shift, [(touch, Verdict("wait", "provider_not_heard")) for touch in those])
        else:
            asked.append((playbook, those))
    if not asked:
        return
    asked_at = shift.clock()
    judged = _judged(shift, asked)
    gc.collect()  # what is left is what we look at: else the collector looks through it, too, every few messages
    gc.freeze()
    told_at = shift.clock()
    for playbook, cases in judged:
        await _send_cases(shift, playbook, cases, asked_at)
    quick = shift.clock() - told_at < _QUICK
    shift.look = min(shift.look * 4, _LARGEST_LOOK) if quick else max(shift.look // 4, _FIRST_LOOK)


def _is_deaf(shift: _Shift, playbook: Playbook) -> bool:
    """Whether somebody may have said no to a provider that has not told us for as long as a source may be silent."""
    return is_deaf(shift.workspace, shift.clock(), timedelta(hours=playbook.readiness.stale_after_hours))


def _judged(
    shift: _Shift, asked: Sequence[tuple[Playbook, Sequence[Touch]]]
) -> list[tuple[Playbook, list[Case]]]:  # fmt: skip
    """By playbook, what may go by what its source says now; the noes and exits it tells of are committed before. The
    source is asked once about everybody."""
    workspace, now = shift.workspace, shift.clock()
    every = [touch for _, those in asked for touch in those]
    with asked_again(
        workspace, shift.source, {touch.customer_id for touch in every}, now, worker=shift.worker
    ) as folder:  # fmt: skip
        ids = sorted({touch.enrolment_id for touch in every})
        with workspace.ledger.begin() as conn:
            known, keys = enrolments.enrolments_of(conn, ids), enrolments.keys_of(conn, ids)
        take_in(workspace, shift.source, folder, list(known.values()), now)
        return [
            (playbook, _judged_by(shift, playbook, those, folder, known=known, keys=keys)) for playbook, those in asked
        ]  # fmt: skip


def _judged_by(
    shift: _Shift, playbook: Playbook, some: Sequence[Touch], folder: SnapshotFolder, *,
    known: Mapping[str, Enrolment], keys: Mapping[str, Mapping[str, str]],
) -> list[Case]:  # fmt: skip
    """The touches of a playbook that may go; the others are left. ``known``, ``keys``: of their enrolments."""
    if unfit_tables(folder, playbook):
        _leave(shift, [(touch, Verdict("wait", "source_not_ready")) for touch in some])
        return []
    cases: list[Case] = []
    left: list[tuple[Touch, Verdict]] = []
    for touch, draft in zip(some, shift.drafts.of(some), strict=True):
        if isinstance(draft, Verdict):
            left.append((touch, draft))
        else:
            cases.append(Case(touch, known[touch.enrolment_id], frozenset(keys[touch.enrolment_id]), draft))
    judged = judge(shift.workspace, folder, playbook, cases, shift.clock()) if cases else []
    _leave(shift, left + [(case.touch, said) for case, said in judged if said.do != "send"])
    return [case for case, said in judged if said.do == "send"]


async def _send_cases(shift: _Shift, playbook: Playbook, cases: Sequence[Case], asked_at: datetime) -> None:
    """In batches of each provider's size, some of them at once. The first error ends it when all calls are answered."""
    batches: list[Sequence[Case]] = []
    for channel in sorted({case.touch.channel for case in cases}):
        mine = [case for case in cases if case.touch.channel == channel]
        provider = shift.workspace.providers.get(channel)
        size = Provider.batch if provider is None else provider.batch
        batches += [mine[begin : begin + size] for begin in range(0, len(mine), size)]
    at_once = asyncio.Semaphore(_BATCHES)

    async def one(batch: Sequence[Case]) -> None:
        async with at_once:
            if shift.failed or shift.stopped.is_set():
                return
            if shift.clock() - asked_at > _FRESH:
                shift.again |= _let_go(shift, batch)
                return
            if batch[0].touch.channel in shift.resting:
                _leave(shift, [(case.touch, _NOT_READY) for case in batch])
                return
            try:
                await _send_batch(shift, playbook, batch)
            except Exception as error:  # the other batches' calls are under way, and must be answered first
                shift.failed.append(error)

    await asyncio.gather(*(one(batch) for batch in batches))
    if shift.failed:
        raise shift.failed[0]


async def _send_batch(shift: _Shift, playbook: Playbook, batch: Sequence[Case]) -> None:
    workspace = shift.workspace
    claims, others = await asyncio.get_running_loop().run_in_executor(shift.claiming, _claim, shift, playbook, batch)
    for _, said in others:
        shift.not_sent(said)
    if not claims:
        return
    of = {one.intent.send.send_id: one.case for one in claims}
    verdicts: dict[str, Verdict] = {}

    def ask(conn: Connection, intents: Sequence[Send]) -> dict[str, str]:
        said = last_word(conn, [of[one.send_id] for one in intents], playbook, shift.clock())
        if shift.stopped.is_set():
            said |= {one.touch_id: Verdict("wait", "dispatch_ended") for one in intents if one.touch_id not in said}
        verdicts.update(said)
        return {one.send_id: said[one.touch_id].reason for one in intents if one.touch_id in said}

    answers = await hand_over(
        workspace.ledger, workspace.providers[claims[0].case.touch.channel], [one.intent for one in claims],
        last_word=ask, consequences=lambda told: obey(workspace, told, shift.clock()), clock=shift.clock,
        aside=shift.aside,
    )  # fmt: skip
    refused: list[tuple[Touch, Verdict]] = []
    for send_id, answer in sorted(answers.items()):
        touch = of[send_id].touch
        if isinstance(answer, str):
            refused.append((touch, verdicts[touch.touch_id]))
        elif answer.state == "not_sent":
            shift.again.add(touch.touch_id)
            if answer.wait is not None and answer.wait > _PATIENCE:
                shift.resting.add(touch.channel)
        else:
            shift.done[answer.state] += 1
    _leave(shift, refused)


def _claim(
    shift: _Shift, playbook: Playbook, batch: Sequence[Case]
) -> tuple[list[Claim], list[tuple[Touch, Verdict]]]:  # fmt: skip
    shift.domain.look(ACTOR, shift.clock())
    return claim(shift.workspace, playbook, batch, domain=shift.domain, worker=shift.worker, now=shift.clock())


def _let_go(shift: _Shift, batch: Sequence[Case]) -> set[str]:
    """Touches we did not get to in time; returns their ids."""
    ids = {case.touch.touch_id for case in batch}
    with shift.workspace.ledger.begin() as conn:
        sends.let_go(conn, shift.worker, ids)
    return ids


def _leave(shift: _Shift, some: Sequence[tuple[Touch, Verdict]]) -> None:
    if not some:
        return
    with shift.workspace.ledger.begin() as conn:
        settle(conn, some, shift.clock())
    for _, said in some:
        shift.not_sent(said)
