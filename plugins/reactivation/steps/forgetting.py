"""What a new snapshot tells of people who were erased: it is taken out before anybody builds on it, and an address that
is new beside their id is refused like the old ones.

Source: RULES.md, Permission (we never re-subscribe anyone).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reactivation.evidence import EvidenceError, SnapshotFolder
from reactivation.ledger import erasures, holds, suppressions
from reactivation.ledger.suppressions import EVERY, Suppression
from reactivation.steps.persons import Persons, behind, told_of
from reactivation.steps.taking_out import ERASURE, Taking, take_out_people

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: The reason of the suppression: somebody of ours said so (``contract.tables``).
NO = "internal"
_TOLD_AGAIN = "told_again"


def say_no(keys: frozenset[str], now: datetime) -> list[Suppression]:
    """What an erasure forbids for ever: every message to these addresses."""
    return [Suppression(key, EVERY, EVERY, NO, ERASURE, now) for key in sorted(keys)]


def forget_again(workspace: Workspace, folder: SnapshotFolder, *, actor: str, now: datetime) -> None:
    """Make the people who were erased unsendable at every address the snapshot has of them, and take them out of it.

    Raises ``EvidenceError`` for a damaged folder: nobody builds on that either.
    """
    with workspace.ledger.begin() as conn:
        standing = holds.standing(conn)
        gone = Persons(erasures.customers(conn), erasures.address_keys(conn))
    if not gone:
        return
    told = told_of(workspace, folder, gone.customers)
    suppressions.commit(workspace.ledger, say_no(told.keys | told.shared, now), actor=actor, now=now)
    with workspace.ledger.begin() as conn:
        erasures.record(conn, customers=(), address_keys=told.keys, reason=_TOLD_AGAIN, actor=actor, now=now)
    if any(one.customer_id is None for one in standing):
        return
    held = behind(workspace, customers=[one.customer_id for one in standing if one.customer_id is not None])
    all_ = Persons(gone.customers, gone.keys | told.keys)
    taking = Taking(workspace, actor, now, standing)
    take_out_people(taking, folder, past=False, gone=all_, held=held)
    if taking.problems:
        raise EvidenceError(taking.problems[0])
