"""Takes in what providers tell, by webhook or when they are asked: a no first, then holds, then events and exits.

Told twice it is nothing new, and everything is committed when it returns. Killed in between, the event itself is not on
record yet, so the next telling does the rest.

Source: ARCHITECTURE.md, A day, 5; invariants 3 and 4; RULES.md, Permission (inbound SMS).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

import pandas as pd
from sqlalchemy import Connection

from reactivation.contract.addresses import canonical_email, canonical_phone
from reactivation.delivery.provider_events import ProviderEvent
from reactivation.ledger import enrolments, erasures, events, replies, seals, sends, suppressions, touches
from reactivation.ledger.enrolments import Enrolment
from reactivation.ledger.events import Event
from reactivation.ledger.replies import ERASED, Reply
from reactivation.ledger.sends import Outcome
from reactivation.ledger.suppressions import EVERY, Suppression
from reactivation.ledger.touches import Touch
from reactivation.outcomes import UNDELIVERED, Exit, Fact, exit_of, exit_of_all, stops
from reactivation.outcomes.exits import NOES, OPEN, SIGNALS
from reactivation.playbooks.model import Playbook
from reactivation.policy.inbound import HELP, OPT_OUT, START, UNRECOGNISED, meanings
from reactivation.steps.asking import unknown_from
from reactivation.steps.consequences import stop_channel
from reactivation.steps.noes import (
    Person,
    of_their_accounts,
    person_of,
    playbook_or_none,
    standing_noes,
    suppressions_of,
)

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

ACTOR = "provider_events"
#: Why a channel stops when somebody said no and nobody can read who.
NO_OF_NOBODY = "no_of_nobody"
#: What is recorded of a send whose outcome was unknown until its provider spoke of it.
BY_EVENT = "told_by_provider"

#: What forbids, by kind of event, and the reason of the suppression.
_NOES = {"unsubscribe": "opt_out", "complaint": "complaint", "bounce": "hard_bounce"}
#: What a text message is recorded as, by its meaning.
_OF_MEANING = {OPT_OUT: "unsubscribe", HELP: "help", START: "start", UNRECOGNISED: "reply"}
#: The kinds by which a message did not go on from its provider.
_NEVER_SENT = ("not_delivered", "filtered")
_LONGEST_ID, _LONGEST_WORDS = 80, 2_000
_AT_ONCE = 500
#: For so long a provider goes on trying to deliver a message.
_COMES_BACK_WITHIN = timedelta(days=4)

PlaybookOf = Callable[[str], Playbook | None]


@dataclass(frozen=True)
class _Case:
    """One event with whom it is about. ``kind`` is what the ledger calls it; ``key``: of the address it names.

    The enrolment of ``person`` is that of the message, else the one that occupies the address or did last.
    """

    event: ProviderEvent
    event_id: str
    kind: str
    key: str | None
    touch: Touch | None
    send: sends.Told | None
    person: Person

    @property
    def enrolment(self) -> Enrolment | None:
        return self.person.enrolment

    @property
    def address_key(self) -> str | None:
        """The address the message went to, else the one that is named."""
        return self.touch.address_key if self.touch is not None else self.key

    @property
    def no(self) -> str | None:
        """The reason of the suppression it amounts to. What came back of other systems' messages may be of an address
        long corrected."""
        return None if self.kind == "bounce" and self.enrolment is None else _NOES.get(self.kind)


def take_in_provider_events(workspace: Workspace, told: Iterable[ProviderEvent], now: datetime) -> dict[str, int]:
    """Record what providers told by ``now``; counts: events, repeated, nobody, suppressions, held, stopped and
    exit:<reason>. Raises ``LedgerError``; then none of it, or only its first part, is committed, and it may be told
    again.
    """
    counts: Counter[str] = Counter()
    playbook_of = cache(partial(playbook_or_none, workspace))
    every = list(told)
    for begin in range(0, len(every), _AT_ONCE):
        some = every[begin : begin + _AT_ONCE]
        counts += _take_in(workspace, some, playbook_of, now)
    if counts["events"]:
        seals.seal(workspace.ledger, now)
    return _shown(counts)


def _take_in(
    workspace: Workspace, told: Sequence[ProviderEvent], playbook_of: PlaybookOf, now: datetime
) -> Counter[str]:  # fmt: skip
    counts: Counter[str] = Counter()
    cases = _cases(workspace, told, counts)
    if not cases:
        return counts
    counts["suppressions"] = suppressions.commit(
        workspace.ledger, [no for case in cases for no in _suppressions(case, playbook_of)], actor=ACTOR, now=now
    )
    said = [case for case in cases if case.kind == "reply"]
    counts["held"] = replies.hold(workspace.ledger, _replies(workspace, said, now), actor=ACTOR, now=now)
    counts["stopped"] = _stop(workspace, cases, now)
    with workspace.ledger.begin() as conn:
        sends.finish(conn, _outcomes(cases), now=now)
        for case in cases:
            counts.update(_record(conn, case, playbook_of, now))
    return counts


def _shown(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted({"events": 0, "suppressions": 0, **(+counts)}.items()))


# --- whom it is about -----------------------------------------------------------------------------------------------
def _cases(workspace: Workspace, told: Iterable[ProviderEvent], counts: Counter[str]) -> list[_Case]:
    """What is new, each with its person, in an order in which no two recorders wait for each other."""
    keyed: dict[str, tuple[ProviderEvent, str | None]] = {}
    for one in told:
        key = _key(workspace, one)
        event_id = _event_id(one, key)
        counts["repeated"] += event_id in keyed
        keyed.setdefault(event_id, (one, key))
    kinds = _kinds(workspace, [one for one, _ in keyed.values()])
    with workspace.ledger.begin() as conn:
        known = events.known(conn, keyed) if keyed else set()
        counts["repeated"] += len(known)
        new = {event_id: pair for event_id, pair in keyed.items() if event_id not in known}
        people = _People(conn, list(new.values()))
        cases = [
            people.case(conn, one, event_id, kind, key)
            for (event_id, (one, key)), kind in zip(keyed.items(), kinds, strict=True) if event_id in new
        ]  # fmt: skip
    counts["nobody"] = sum(case.enrolment is None for case in cases)
    # Of messages that are none of ours only a no is kept, and what somebody wrote.
    ours = [case for case in cases if case.enrolment is not None or case.no is not None or case.kind == "reply"]
    return sorted(ours, key=lambda case: (case.enrolment.enrolment_id if case.enrolment else "", case.event_id))


class _People:
    """The sends, touches and enrolments behind some events, read at once."""

    def __init__(self, conn: Connection, pairs: Sequence[tuple[ProviderEvent, str | None]]) -> None:
        send_ids = {one.send_id for one, _ in pairs if one.send_id is not None}
        references = {one.reference for one, _ in pairs if one.reference is not None}
        found = sends.spoken_of(conn, send_ids, references)
        bounced = {key: one.at for one, key in pairs if one.kind == "bounce" and one.reference is None and key}
        self._called = sends.called_for(conn, bounced, min(bounced.values()) - _COMES_BACK_WITHIN) if bounced else []
        found += self._called
        self._by_id = {one.send_id: one for one in found}
        self._by_reference = {(one.provider, one.provider_ref): one for one in found if one.provider_ref}
        named = {one.touch_id for one in found} | {one.touch_id for one, _ in pairs if one.touch_id is not None}
        self._touches = {one.touch_id: one for one in touches.touches_of(conn, named)}
        self._of_key = enrolments.latest_of_keys(conn, {key for _, key in pairs if key is not None})
        ids = {*self._of_key.values(), *(one.enrolment_id for one in self._touches.values())}
        self._enrolments = enrolments.enrolments_of(conn, ids)

    def case(self, conn: Connection, one: ProviderEvent, event_id: str, kind: str, key: str | None) -> _Case:
        send = self._by_id.get(one.send_id or "") or self._by_reference.get((one.provider, one.reference or ""))
        if send is None and kind == "bounce":
            send = self._bounced(one, key)
        touch = self._touches.get(one.touch_id or "" if send is None else send.touch_id)
        enrolment_id = touch.enrolment_id if touch is not None else self._of_key.get(key or "")
        enrolment = None if enrolment_id is None else self._enrolments[enrolment_id]
        said = kind in (*_NOES, "reply")
        person = person_of(conn, enrolment, key) if said else Person(enrolment)
        return _Case(one, event_id, kind, key, touch, send, person)

    def _bounced(self, one: ProviderEvent, key: str | None) -> sends.Told | None:
        """The message of which only the address is told: the last that this provider had for it just before."""
        return next((
            send for send in reversed(self._called)
            if send.provider == one.provider and send.address_key == key and send.called_at is not None
            and timedelta(0) <= one.at - send.called_at <= _COMES_BACK_WITHIN
        ), None)  # fmt: skip


def _key(workspace: Workspace, one: ProviderEvent) -> str | None:
    if one.address is None:
        return None
    try:
        canonical = canonical_email(one.address) if one.channel == "email" else canonical_phone(one.address, None)
        return None if canonical is None else workspace.keys.key_of(canonical)
    except UnicodeError:  # half a sign, as a broken row may have it
        return None


def _event_id(one: ProviderEvent, key: str | None) -> str:
    """The id in the ledger. What stands for an address in it is keyed, as everywhere."""
    whole = f"{one.provider}:{one.event_id}" + (f":{(key or 'nobody')[:16]}" if one.id_of_address else "")
    if len(whole) <= _LONGEST_ID and whole.isprintable():
        return whole
    return f"{one.provider}:{uuid5(NAMESPACE_URL, whole.encode('utf-8', 'backslashreplace').decode())}"


def _kinds(workspace: Workspace, some: Sequence[ProviderEvent]) -> list[str]:
    """What the ledger calls each: texts of people by what they mean."""
    texts = pd.Series([_kept_words(one.text) for one in some], dtype=object)
    meant = meanings(texts, workspace.rules.inbound) if some else ()
    return [
        _OF_MEANING[meaning] if one.kind == "inbound" else one.kind for one, meaning in zip(some, meant, strict=True)
    ]


# --- what follows ---------------------------------------------------------------------------------------------------
def _suppressions(case: _Case, playbook_of: PlaybookOf) -> Iterator[Suppression]:
    """A person who said no is written to at none of his addresses; a dead address says nothing about another."""
    if case.no is None:
        return
    source, at = case.event.provider, case.event.at
    if case.kind == "bounce":
        if case.address_key is not None:
            yield Suppression(case.address_key, EVERY, EVERY, case.no, source, at)
        return
    playbook = None if case.enrolment is None else playbook_of(case.enrolment.playbook)
    yield from suppressions_of(case.person, playbook, reason=case.no, source=source, at=at)


def _replies(workspace: Workspace, said: Sequence[_Case], now: datetime) -> list[Reply]:
    """What is held. Of somebody who was erased the words are not kept, and nobody is asked: he is suppressed."""
    if not said:
        return []
    with workspace.ledger.begin() as conn:
        gone, customers = erasures.address_keys(conn), erasures.customers(conn)
    found = []
    for case in said:
        customer = None if case.enrolment is None else case.enrolment.customer_id
        erased = case.address_key in gone or customer in customers
        found.append(Reply(
            reply_id=str(uuid5(NAMESPACE_URL, f"reactivation:reply:{case.event_id}")), address_key=case.address_key,
            customer_id=customer, enrolment_id=None if case.enrolment is None else case.enrolment.enrolment_id,
            provider=case.event.provider, channel=case.event.channel, occurred_at=case.event.at,
            words=None if erased else _kept_words(case.event.text), label=ERASED if erased else None,
            labelled_at=now if erased else None,
        ))  # fmt: skip
    return found


def _kept_words(text: str | None) -> str:
    """As both databases can keep them."""
    return (text or "")[:_LONGEST_WORDS].replace("\x00", "").encode("utf-8", "replace").decode()


def _stop(workspace: Workspace, cases: Sequence[_Case], now: datetime) -> int:
    """Stop the channels that a provider filters, or on which somebody said no and nobody can read who."""
    reasons = {(case.event.channel, case.event.reason or "filtered") for case in cases if case.kind == "filtered"}
    reasons |= {(case.event.channel, NO_OF_NOBODY) for case in cases if case.no and not case.person.keys}
    if reasons:
        with workspace.ledger.begin() as conn:
            for channel, reason in sorted(reasons):
                stop_channel(conn, channel, reason, actor=ACTOR, now=now)
    return len(reasons)


def _outcomes(cases: Sequence[_Case]) -> list[Outcome]:
    """What its provider speaks of, it had."""
    return [
        Outcome(
            case.send.send_id, "refused" if case.kind in _NEVER_SENT else "accepted", case.event.reference,
            case.event.reason if case.kind in _NEVER_SENT else BY_EVENT,
        )
        for case in cases if case.send is not None and case.send.state == "unknown"
    ]  # fmt: skip


def _record(conn: Connection, case: _Case, playbook_of: PlaybookOf, now: datetime) -> Counter[str]:
    """The event itself, once, and the exits it amounts to."""
    one, told = case.enrolment, case.event
    playbook = None if one is None else playbook_of(one.playbook)
    row = Event(
        case.event_id, one.customer_id if one else None, case.address_key, one.enrolment_id if one else None,
        case.touch.touch_id if case.touch else None, case.kind, told.channel, told.at, told.provider,
    )  # fmt: skip
    seen = frozenset({*NOES, UNDELIVERED}) if playbook is None else stops(playbook)
    if not events.record(conn, [row], stops=seen, now=now):
        return Counter(repeated=1)
    counts = Counter(events=1)
    for enrolment, found in _exits(conn, case, playbook_of, now):
        ended = enrolments.end_enrolment(
            conn, enrolment.enrolment_id, reason=found.reason, because=found.because, actor=ACTOR, now=now
        )
        counts[f"exit:{found.reason}"] += ended
    return counts


def _exits(
    conn: Connection, case: _Case, playbook_of: PlaybookOf, now: datetime
) -> Iterator[tuple[Enrolment, Exit]]:  # fmt: skip
    """The active enrolments that are over by this event and by what stands against their addresses."""
    # A provider does not say where the person lives, so nobody knows whose act an open is.
    if (case.no is None and case.kind not in SIGNALS) or case.kind == OPEN:
        return
    if case.no is not None:
        yield from of_their_accounts(conn, case.person)
    for one in case.person.enrolments:
        playbook = playbook_of(one.playbook)
        reasons = standing_noes(conn, one, playbook, now)
        returned = None
        if playbook is not None and one is case.enrolment:
            returned = exit_of(
                [Fact(case.kind, case.event.at)], playbook, since=unknown_from(playbook, one),
                contacted=one.enrolment_id in sends.last_sent(conn, [one.enrolment_id]),
            )  # fmt: skip
        found = exit_of_all(reasons, returned)
        if one.state == "active" and found is not None:
            yield one, found
