"""Takes rows out of every snapshot and run folder, and the words of replies out of the ledger, each time on record:
what erasure and the purge have in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import Connection

from reactivation.evidence import EvidenceError, Folder, Keep, Rewrite, take_out, to_take_out
from reactivation.ledger import audit, holds, replies
from reactivation.ledger.holds import Hold
from reactivation.ledger.replies import Reply
from reactivation.ledger.runs import StepError
from reactivation.steps.keeping import (
    CONTACT_COLUMNS,
    DRAFT_COLUMNS,
    PEOPLE_COLUMNS,
    drafts_not_of,
    people_that_stay,
)
from reactivation.steps.persons import Persons

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

ERASURE, RETENTION = "erasure", "retention"
#: What stands in the place of a folder for what went from the ledger.
LEDGER = "ledger"
#: What the audit trail calls a file that lost rows; its subject is the folder.
REWRITTEN = "evidence_rewritten"

_NO_CONTACTS = pa.table({column: pa.array([], pa.string()) for column in CONTACT_COLUMNS})


@dataclass(frozen=True)
class TakenOut:
    """Rows of one file of one folder that went, or would go."""

    folder: str
    file: str
    reason: str
    rows: int


@dataclass
class Taking:
    """One pass over the folders. ``dry``: count only. ``problems``: the files that could not be read, and why; the
    others are done all the same."""

    workspace: Workspace
    actor: str
    now: datetime
    standing: tuple[Hold, ...]
    dry: bool = False
    done: list[TakenOut] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def take(self, folder: Folder, name: str, keep: Keep, columns: Sequence[str], reason: str) -> None:
        """Take out of one file what ``keep`` says no to; one that is damaged does not keep the others."""
        with self.noting_damage():
            if not folder.has(name) or _is_empty(folder, name):
                return
            if self.dry:
                rows = to_take_out(folder, name, keep, columns)
            else:
                record = partial(self._record, folder)
                made = take_out(folder, name, keep, columns=columns, reason=reason, now=self.now, record=record)
                rows = made.rows_removed if made else 0
            if rows:
                self.done.append(TakenOut(folder.id, name, reason, rows))

    @contextmanager
    def noting_damage(self) -> Iterator[None]:
        """What is damaged is left alone and told of at the end."""
        try:
            yield
        except EvidenceError as error:
            self.problems.append(str(error))

    def require_same_holds(self, conn: Connection) -> None:
        """Raises ``StepError`` when a hold began or ended since it was asked; none does until this transaction ends."""
        if holds.standing(conn) != self.standing:
            raise StepError("a legal hold began or ended meanwhile; what is left to do was left, run it again")

    def _record(self, folder: Folder, made: Rewrite) -> None:
        """On record before it happens, once; refused when somebody began a hold meanwhile."""
        told = told_of(folder, made)
        with self.workspace.ledger.begin() as conn:
            self.require_same_holds(conn)
            if any(one.details == told for one in audit.about(conn, folder.id, (REWRITTEN,))):
                return
            audit.write(conn, at=self.now, actor=self.actor, action=REWRITTEN, subject=folder.id, details=told)


def told_of(folder: Folder, made: Rewrite) -> dict[str, Any]:
    """What the audit trail says of a file that lost rows."""
    return {
        "kind": folder.kind, "file": made.file, "old": made.old, "new": made.new, "reason": made.reason,
        "rows_removed": made.rows_removed, "rows_left": made.rows_left,
    }  # fmt: skip


def take_out_people(taking: Taking, folder: Folder, *, past: bool, gone: Persons, held: Persons) -> None:
    """From a snapshot's ``people.parquet``: the erased, and everybody once it is past its time."""
    if not past and not gone:
        return
    with taking.noting_damage():
        if not folder.has("people") or _is_empty(folder, "people"):
            return
        # Where everybody goes it matters to nobody who is who, and a damaged file of contacts hinders nothing.
        contacts = folder.read("contacts", CONTACT_COLUMNS) if held or not past else _NO_CONTACTS
        keep = partial(
            people_that_stay, contacts=contacts, past=past, gone=gone, held=held, keys=taking.workspace.keys
        )  # fmt: skip
        taking.take(folder, "people", keep, PEOPLE_COLUMNS, RETENTION if past else ERASURE)


def take_out_drafts(taking: Taking, folder: Folder, *, gone: Persons, held: Persons) -> None:
    """From a run's ``drafts.parquet``: the erased."""
    if gone:
        taking.take(folder, "drafts", partial(drafts_not_of, gone=gone, held=held), DRAFT_COLUMNS, ERASURE)


def take_out_words(taking: Taking, some: Sequence[Reply], *, held: Persons, reason: str) -> None:
    """The words of these replies, but for those of people on hold. Raises ``StepError`` when a hold begins or ends."""
    theirs = [
        one.reply_id for one in some
        if one.words is not None and one.customer_id not in held.customers and one.address_key not in held.keys
    ]  # fmt: skip
    if not theirs:
        return
    if not taking.dry:
        with taking.workspace.ledger.begin() as conn:
            taking.require_same_holds(conn)
            replies.forget(conn, theirs, reason=reason, actor=taking.actor, now=taking.now)
    taking.done.append(TakenOut(LEDGER, "replies", reason, len(theirs)))


def forget_replies(taking: Taking, *, gone: Persons, held: Persons) -> None:
    """The words of whoever was erased; nobody is asked about them any more, since they are suppressed."""
    if not gone:
        return
    with taking.workspace.ledger.begin() as conn:
        theirs = replies.of_people(conn, gone.customers, gone.keys)
    take_out_words(taking, theirs, held=held, reason=ERASURE)
    if not taking.dry:
        with taking.workspace.ledger.begin() as conn:
            for one in theirs:
                replies.label(conn, one.reply_id, replies.ERASED, now=taking.now)


def _is_empty(folder: Folder, name: str) -> bool:
    """Whether nothing was left in a file when rows were last taken out of it."""
    mine = [one for one in folder.rewrites if one.file == f"{name}.parquet"]
    return bool(mine) and mine[-1].done and mine[-1].rows_left == 0
