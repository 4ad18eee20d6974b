"""A no that reached us outside the sources: whom it is of, what it forbids, and the enrolments it ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from reactivation.ledger import enrolments, erasures, measurements, suppressions
from reactivation.ledger.enrolments import Enrolment
from reactivation.ledger.suppressions import EVERY, Suppression
from reactivation.outcomes import Exit, exit_of_all, exit_of_no
from reactivation.playbooks.declared import DeclarationError
from reactivation.playbooks.model import Playbook
from reactivation.policy.accounts import CONTACT_SAID_NO
from reactivation.steps.asking import suppressed_event
from reactivation.steps.settings import ConfigurationError

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace


@dataclass(frozen=True)
class Person:
    """Who says something: the enrolment it is said of, further active ones of the same person, and the addresses of
    all of these."""

    enrolment: Enrolment | None = None
    others: tuple[Enrolment, ...] = ()
    keys: frozenset[str] = frozenset()

    @property
    def enrolments(self) -> tuple[Enrolment, ...]:
        return self.others if self.enrolment is None else (self.enrolment, *self.others)


def person_of(conn: Connection, enrolment: Enrolment | None, key: str | None) -> Person:
    """Whoever is behind an enrolment and an address key, as far as either is known."""
    own = {} if enrolment is None else enrolments.keys_of(conn, [enrolment.enrolment_id])[enrolment.enrolment_id]
    keys = {*own} | ({key} if key is not None else set())
    customers = set() if enrolment is None else {enrolment.customer_id}
    ids = [one for one in erasures.occupied_by(conn, customers, keys) if not enrolment or one != enrolment.enrolment_id]
    of_others = {one for theirs in enrolments.keys_of(conn, ids).values() for one in theirs}
    found = enrolments.enrolments_of(conn, ids)
    return Person(enrolment, tuple(found[one] for one in sorted(found)), frozenset(keys | of_others))


def playbook_or_none(workspace: Workspace, name: str) -> Playbook | None:
    """The playbook, or ``None`` where it cannot be read any more: that keeps nobody's no from counting."""
    try:
        return workspace.playbook(name).playbook
    except (ConfigurationError, DeclarationError):
        return None


def suppressions_of(
    person: Person, playbook: Playbook | None, *, reason: str, source: str, at: datetime
) -> Iterator[Suppression]:
    """A person who said no is written to at none of his addresses, on no channel of the brand; where the brand is not
    known, of every one."""
    for key in sorted(person.keys):
        yield Suppression(key, EVERY if playbook is None else playbook.brand, EVERY, reason, source, at)


def standing_noes(conn: Connection, one: Enrolment, playbook: Playbook | None, now: datetime) -> set[str]:
    """Why the addresses of an enrolment must not be written to, with its measurement events."""
    keys = enrolments.keys_of(conn, [one.enrolment_id])[one.enrolment_id]
    reasons = set(suppressions.standing(conn, keys, brand=EVERY if playbook is None else playbook.brand).values())
    measurements.insert_events(conn, [suppressed_event(one, reason, now) for reason in sorted(reasons)])
    return reasons


def of_their_accounts(conn: Connection, person: Person) -> Iterator[tuple[Enrolment, Exit]]:
    """The active enrolments of accounts of which whoever said no is another contact than the one who is written to:
    each waits for its owner, as it would by the gate right before a send."""
    for one in enrolments.of_colleagues(conn, person.keys):
        yield one, exit_of_no(CONTACT_SAID_NO)


def end_forbidden(
    workspace: Workspace, conn: Connection, some: Iterable[Enrolment], *, actor: str, now: datetime
) -> int:
    """End those of the enrolments whose addresses must not be written to; returns how many."""
    ended = 0
    for one in some:
        found = exit_of_all(standing_noes(conn, one, playbook_or_none(workspace, one.playbook), now), None)
        if found is not None and one.state == "active":
            ended += enrolments.end_enrolment(
                conn, one.enrolment_id, reason=found.reason, because=found.because, actor=actor, now=now
            )
    return ended
