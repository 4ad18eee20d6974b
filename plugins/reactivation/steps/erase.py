"""Erases a person: from now on unsendable, and gone from every file that had a name, an address or a message in it.

In this order, each step committed before the next: nothing goes out to them any more; that they are erased is on
record, and their enrolments end; the files. So whoever is killed in between leaves somebody who is not written to, and
the next erasure takes out the rest; so does the next purge, once it is on record.

Source: RULES.md, Evidence and privacy (erasure removes the profile and keeps the key); Permission (HMAC-keyed so that
it survives erasure).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from reactivation.ledger import audit, enrolments, erasures, history, holds, seals, suppressions
from reactivation.ledger.holds import EVERYTHING, Hold
from reactivation.ledger.runs import StepError
from reactivation.ledger.suppressions import Suppression
from reactivation.steps.folders import run_folders, snapshot_folders
from reactivation.steps.forgetting import say_no
from reactivation.steps.persons import Persons, address_key_of, behind, require_known
from reactivation.steps.taking_out import (
    ERASURE,
    TakenOut,
    Taking,
    forget_replies,
    take_out_drafts,
    take_out_people,
)

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: Why somebody is erased.
REASONS = ("person_asked", "authority", "not_needed")
_EXIT = "suppressed"


@dataclass(frozen=True)
class Erased:
    """What was done, or would be (``dry``). ``customers``: their ids; the rest are counts of what was new.
    ``problems``: files that could not be read, in which something of them may be left. ``stays``: counts of what is
    left of them on record, by id and HMAC; asked for in a dry run alone."""

    customers: tuple[str, ...]
    addresses: int
    suppressions: int
    enrolments_ended: int
    taken_out: tuple[TakenOut, ...]
    problems: tuple[str, ...]
    dry: bool = False
    stays: Mapping[str, int] | None = None


def erase(
    workspace: Workspace, *, customer_id: str | None = None, address: str | None = None, user: str, reason: str,
    now: datetime, dry: bool = False,
) -> Erased:  # fmt: skip
    """Erase everybody behind a customer, or behind an address. Doing it again changes nothing; with ``dry`` nothing is
    changed or recorded at all.

    Raises ``StepError`` for a reason or a customer nobody knows, for text that is no address (never quoted), and while
    a legal hold stands that concerns them: that they were to be erased is recorded then.
    """
    if reason not in REASONS:
        raise StepError(f"{reason} is no reason to erase somebody; give one of {', '.join(REASONS)}")
    keys = frozenset() if address is None else frozenset({address_key_of(workspace, address)})
    if customer_id is not None:
        require_known(workspace, customer_id)
    person = behind(workspace, customers=() if customer_id is None else (customer_id,), keys=keys)
    standing, held = _holds(workspace, person, asked=customer_id or min(keys), user=user, now=now, dry=dry)
    said_no = say_no(person.keys | person.shared, now)
    if dry:
        return _would_erase(workspace, person, said_no, Taking(workspace, user, now, standing, dry=True), held)
    new = suppressions.commit(workspace.ledger, said_no, actor=user, now=now)
    with workspace.ledger.begin() as conn:
        erasures.record(
            conn, customers=person.customers, address_keys=person.keys, reason=reason, actor=user, now=now
        )  # fmt: skip
        ended = _end(conn, person, user=user, now=now)
    taking = Taking(workspace, user, now, standing)
    _take_out(taking, person, held)
    seals.seal(workspace.ledger, now)
    return Erased(
        customers=tuple(sorted(person.customers)), addresses=len(said_no), suppressions=new, enrolments_ended=ended,
        taken_out=tuple(taking.done), problems=tuple(taking.problems),
    )  # fmt: skip


def _take_out(taking: Taking, person: Persons, held: Persons) -> None:
    """Their words, and their rows of every file that has any."""
    forget_replies(taking, gone=person, held=held)
    for snapshot in snapshot_folders(taking.workspace):
        take_out_people(taking, snapshot, past=False, gone=person, held=held)
    for run in run_folders(taking.workspace):
        take_out_drafts(taking, run, gone=person, held=held)


def _would_erase(
    workspace: Workspace, person: Persons, said_no: Sequence[Suppression], taking: Taking, held: Persons
) -> Erased:
    """What an erasure now would do, and what it would leave."""
    _take_out(taking, person, held)
    with workspace.ledger.begin() as conn:
        ending = erasures.occupied_by(conn, person.customers, person.keys | person.shared)
        known = [one for customer in sorted(person.customers) for one in history.enrolments_of(conn, customer)]
        sent = [t for one in known for t in history.touches_of(conn, one.enrolment_id) if t.send_state is not None]
        new = suppressions.not_recorded(conn, said_no)
    return Erased(
        customers=tuple(sorted(person.customers)), addresses=len(said_no), suppressions=new,
        enrolments_ended=len(ending), taken_out=tuple(taking.done), problems=tuple(taking.problems), dry=True,
        stays={"addresses as HMACs": len(said_no), "enrolments": len(known), "sends": len(sent)},
    )  # fmt: skip


def _holds(
    workspace: Workspace, person: Persons, *, asked: str, user: str, now: datetime, dry: bool
) -> tuple[tuple[Hold, ...], Persons]:
    """The holds that stand, and those they are about, none of them this person. Raises ``StepError``."""
    with workspace.ledger.begin() as conn:
        standing = holds.standing(conn)
    about = {one.customer_id for one in standing}
    held = behind(workspace, customers=sorted(one for one in about if one is not None))
    if None not in about and not held.customers & person.customers and not held.keys & person.keys:
        return standing, held
    in_the_way = _in_the_way(standing, person)
    said = ", ".join(sorted({f"{one.customer_id or EVERYTHING} (by {one.began_by})" for one in in_the_way}))
    if dry:
        raise StepError(f"it would be refused: a legal hold stands on {said}")
    with workspace.ledger.begin() as conn:
        audit.write(
            conn, at=now, actor=user, action="erasure_refused", subject=asked,
            details={"hold_ids": [one.hold_id for one in in_the_way]},
        )  # fmt: skip
    seals.seal(workspace.ledger, now)
    raise StepError(
        f"refused, and recorded: a legal hold stands on {said}. Nothing was erased; when the hold has ended "
        "(reactivation hold --lift), ask again"
    )


def _in_the_way(standing: Sequence[Hold], person: Persons) -> list[Hold]:
    """The holds that concern the person: on them, on everything, or, where it is an address in common, any."""
    mine = [one for one in standing if one.customer_id is None or one.customer_id in person.customers]
    return mine or list(standing)


def _end(conn: Connection, person: Persons, *, user: str, now: datetime) -> int:
    """End their enrolments; what waits is cancelled."""
    ended = erasures.occupied_by(conn, person.customers, person.keys | person.shared)
    return sum(enrolments.end_enrolment(conn, one, reason=_EXIT, because=ERASURE, actor=user, now=now) for one in ended)
