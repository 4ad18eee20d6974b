"""Sends what is due, signed and still allowed: in batches, each asked about anew, each touch at most once.

Reads the ledger and nothing of Airflow's: a task's state, a message between tasks or a run's ``conf`` proves nothing.
Any number of dispatchers may work at once, and any of them may die at any moment.

Source: ARCHITECTURE.md, A day, 4; invariants 1, 3, 4, 5, 7, 11 and 12.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from reactivation.delivery import hand_over, recover
from reactivation.ledger import enrolments, seals, sends, touches, workers
from reactivation.ledger.mail import EMAIL
from reactivation.ledger.touches import Touch
from reactivation.playbooks.model import Playbook
from reactivation.sources import Sources
from reactivation.steps.asking import asked_again, asking_root, is_stale, take_in, unfit_tables
from reactivation.steps.claims import ACTOR, BEYOND_RAMP, Case, Claim, Drafts, claim, judge, last_word, settle
from reactivation.steps.deliverability import Domain
from reactivation.steps.verdicts import Verdict

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

BATCH = 25


@dataclass(frozen=True)
class DispatchSummary:
    """How many touches went which way; ``reasons`` are of those that were not sent. ``recovered``: work that dead
    dispatchers left behind, settled."""

    accepted: int
    refused: int
    unknown: int
    waiting: int
    held: int
    ended: int
    expired: int
    recovered: int
    reasons: Mapping[str, int]


@dataclass
class _Shift:
    """One dispatcher at work: its id, its clock, what it was told, and what it has done so far.

    ``full_on``: the day of which the sending domain can carry no more; nobody is asked again about its e-mails.
    """

    workspace: Workspace
    worker: str
    clock: Callable[[], datetime]
    source: Sources
    drafts: Drafts
    domain: Domain
    full_on: date | None = None
    looked_at: set[str] = field(default_factory=set)
    done: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def not_sent(self, touch: Touch, said: Verdict) -> None:
        self.looked_at.add(touch.touch_id)
        self.done[said.do] += 1
        self.reasons[said.reason] += 1
        if said == BEYOND_RAMP:
            self.full_on = self.day()

    def day(self) -> date:
        return self.clock().astimezone(UTC).date()


def dispatch(workspace: Workspace, now: datetime, limit: int | None = None) -> DispatchSummary:
    """Send what is due at ``now``, at most ``limit`` touches; nothing without a fresh answer of the source.

    Raises ``SourceError`` when the source cannot be read and ``DeliveryError`` when a provider cannot work; what was
    claimed by then is given back.
    """
    ledger = workspace.ledger
    began = time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - began)

    with workers.at_work(ledger) as worker:
        shift = _Shift(workspace, worker, clock, workspace.source(), Drafts(workspace), Domain(workspace))
        gone = _gone(workspace)
        recovered = recover(ledger, {p.name: p for p in workspace.providers.values()}, gone=gone, now=now)
        with ledger.begin() as conn:
            expired = touches.expire(conn, actor=ACTOR, now=now)
        try:
            while batch := _reserve(shift, gone, limit):
                _send(shift, batch)
        finally:
            _give_back(shift)
    seals.seal(ledger, clock())
    done = shift.done
    return DispatchSummary(
        accepted=done["accepted"], refused=done["refused"], unknown=done["unknown"], waiting=done["wait"],
        held=done["hold"], ended=done["end"], expired=expired, recovered=recovered.total(),
        reasons=dict(sorted(shift.reasons.items())),
    )  # fmt: skip


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


def _reserve(shift: _Shift, gone: frozenset[str], limit: int | None) -> list[Touch]:
    sent = sum(shift.done[state] for state in ("accepted", "refused", "unknown"))
    size = BATCH if limit is None else min(BATCH, limit - sent)
    if size <= 0:
        return []
    with shift.workspace.ledger.begin() as conn:
        return sends.reserve(
            conn, worker=shift.worker, gone=gone, now=shift.clock(), limit=size, but=shift.looked_at
        )  # fmt: skip


def _give_back(shift: _Shift) -> None:
    """Whatever we reserved or intended and did not get to is free again."""
    with shift.workspace.ledger.begin() as conn:
        sends.let_go(conn, shift.worker)
        for intent in sends.unfinished(conn, ("intent",)):
            if intent.worker == shift.worker:
                sends.take_back(conn, intent, reason="dispatch_ended", now=shift.clock())
    shutil.rmtree(asking_root(shift.workspace) / shift.worker, ignore_errors=True)


def _send(shift: _Shift, batch: Sequence[Touch]) -> None:
    """Ask, judge, claim and hand over one batch, playbook by playbook."""
    full = [touch for touch in batch if touch.channel == EMAIL and shift.full_on == shift.day()]
    _leave(shift, [(touch, BEYOND_RAMP) for touch in full])
    by_playbook: dict[str, list[Touch]] = defaultdict(list)
    for touch in batch:
        if touch not in full:
            by_playbook[touch.playbook].append(touch)
    for name, some in sorted(by_playbook.items()):
        playbook = shift.workspace.playbook(name).playbook
        if is_stale(shift.source, playbook, shift.clock()):
            _leave(shift, [(touch, Verdict("wait", "source_stale")) for touch in some])
            continue
        for one in _claimed(shift, playbook, some):
            _hand_over(shift, playbook, one)


def _claimed(shift: _Shift, playbook: Playbook, some: Sequence[Touch]) -> list[Claim]:
    """The intents written for a batch; the noes and exits its source tells of are committed before."""
    workspace, now = shift.workspace, shift.clock()
    customers = {touch.customer_id for touch in some}
    with asked_again(workspace, shift.source, customers, now, worker=shift.worker) as folder:
        ids = sorted({touch.enrolment_id for touch in some})
        with workspace.ledger.begin() as conn:
            known, keys = enrolments.enrolments_of(conn, ids), enrolments.keys_of(conn, ids)
        take_in(workspace, shift.source, folder, list(known.values()), now)
        if unfit_tables(folder, playbook):
            _leave(shift, [(touch, Verdict("wait", "source_not_ready")) for touch in some])
            return []
        cases = []
        for touch in some:
            draft = shift.drafts.of(touch)
            if isinstance(draft, Verdict):
                _leave(shift, [(touch, draft)])
            else:
                cases.append(Case(touch, known[touch.enrolment_id], frozenset(keys[touch.enrolment_id]), draft))
        judged = judge(workspace, folder, playbook, cases, now)
    shift.domain.look(ACTOR, shift.clock())
    claims, others = claim(
        workspace, playbook, judged, domain=shift.domain, worker=shift.worker, now=shift.clock()
    )  # fmt: skip
    for touch, said in others:
        shift.not_sent(touch, said)
    shift.looked_at |= {touch.touch_id for touch in some}
    return claims


def _hand_over(shift: _Shift, playbook: Playbook, one: Claim) -> None:
    workspace, case = shift.workspace, one.case
    said: list[Verdict] = []

    def ask(conn: Connection) -> str | None:
        found = last_word(conn, case, playbook, shift.clock())
        said.extend([found] if found else [])
        return found.reason if found else None

    provider = workspace.providers[case.touch.channel]
    result = hand_over(
        workspace.ledger, provider, one.sendable, one.intent, last_word=ask, clock=shift.clock
    )  # fmt: skip
    if isinstance(result, str):
        _leave(shift, [(case.touch, said[0])])
    elif result is not None:
        shift.done[result.state] += 1


def _leave(shift: _Shift, some: Sequence[tuple[Touch, Verdict]]) -> None:
    with shift.workspace.ledger.begin() as conn:
        for touch, said in some:
            settle(conn, touch, said, shift.clock())
    for touch, said in some:
        shift.not_sent(touch, said)
