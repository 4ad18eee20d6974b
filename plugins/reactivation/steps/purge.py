"""Removes what is past its time, and says so: folder, file, old digest, new digest and reason, in the audit trail.

What it may remove are rows of evidence files and the words of replies; the ledger's rows are ids, codes and HMACs, and
stay (decision 0019).
Erasures are done again, so that one that was cut short is finished.

Source: RULES.md, Evidence and privacy (retention defaults; purging audits itself; a legal hold stops it).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING

from reactivation.evidence import EvidenceError, Folder
from reactivation.ledger import audit, erasures, holds, kept, replies, seals
from reactivation.policy.retention import RetentionRules, people_are_past, record_is_past, replies_kept_since
from reactivation.steps.folders import run_folders, snapshot_folders
from reactivation.steps.keeping import DRAFT_COLUMNS, RECORDS, drafts_that_stay, records_that_stay
from reactivation.steps.persons import Persons, behind
from reactivation.steps.taking_out import (
    RETENTION,
    TakenOut,
    Taking,
    forget_replies,
    take_out_drafts,
    take_out_people,
    take_out_words,
)

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

ACTOR = "purge"


@dataclass(frozen=True)
class Purged:
    """What went, or would go. ``stopped``: by a hold on everything. ``on_hold``: how many customers are kept for one.
    ``problems``: files that could not be read."""

    dry: bool
    stopped: bool
    on_hold: int
    taken_out: tuple[TakenOut, ...]
    problems: tuple[str, ...]

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.taken_out)

    @property
    def folders(self) -> int:
        return len({one.folder for one in self.taken_out})

    def require_whole(self) -> None:
        """Raises ``EvidenceError`` with the first file that could not be read."""
        if self.problems:
            more = f" (and {len(self.problems) - 1} more)" if self.problems[1:] else ""
            raise EvidenceError(f"not everything could be purged: {self.problems[0]}{more}")


def purge(workspace: Workspace, now: datetime, *, dry: bool = False) -> Purged:
    """Remove everything that is past its time at ``now``; with ``dry`` only count it. Killed, the next one finishes.

    Raises ``StepError`` when a hold begins or ends meanwhile.
    """
    with workspace.ledger.begin() as conn:
        standing = holds.standing(conn)
        gone = Persons(erasures.customers(conn), erasures.address_keys(conn))
    stopped = any(one.customer_id is None for one in standing)
    on_hold = [one.customer_id for one in standing if one.customer_id is not None]
    taking = Taking(workspace, ACTOR, now, standing, dry=dry)
    if not stopped:
        held = behind(workspace, customers=on_hold)
        pass_ = _Pass(taking, gone=gone, held=held)
        forget_replies(taking, gone=gone, held=held)
        with workspace.ledger.begin() as conn:
            past = replies.with_words(conn, until=replies_kept_since(workspace.rules.retention, now))
        take_out_words(taking, past, held=held, reason=RETENTION)
        for snapshot in snapshot_folders(workspace):
            with taking.noting_damage():
                pass_.snapshot(snapshot)
        for run in run_folders(workspace):
            with taking.noting_damage():
                pass_.run(run)
    done = Purged(dry, stopped, len(on_hold), tuple(taking.done), tuple(taking.problems))
    if not dry:
        with workspace.ledger.begin() as conn:
            audit.write(
                conn, at=now, actor=ACTOR, action="purge_stopped" if stopped else "purged", subject=RETENTION,
                details={"rows": done.rows, "folders": sorted({one.folder for one in done.taken_out}),
                         "on_hold": done.on_hold, "unreadable": len(done.problems),
                         "rules_version": workspace.rules.version},
            )  # fmt: skip
        seals.seal(workspace.ledger, now)
    return done


@dataclass
class _Pass:
    """What one purge does with each folder."""

    taking: Taking
    gone: Persons
    held: Persons

    @property
    def _rules(self) -> RetentionRules:
        return self.taking.workspace.rules.retention

    @cached_property
    def _last_sent(self) -> dict[str, datetime]:
        with self.taking.workspace.ledger.begin() as conn:
            return kept.last_sent(conn)

    @cached_property
    def _keys_of(self) -> list[tuple[str, str]]:
        with self.taking.workspace.ledger.begin() as conn:
            return kept.keys_of_customers(conn)

    def snapshot(self, folder: Folder) -> None:
        past = people_are_past(self._rules, folder.as_of, self.taking.now)
        take_out_people(self.taking, folder, past=past, gone=self.gone, held=self.held)
        with self.taking.workspace.ledger.begin() as conn:
            on_it = kept.runs_of(conn, folder.id)
        self._records(folder, on_it)

    def run(self, folder: Folder) -> None:
        take_out_drafts(self.taking, folder, gone=self.gone, held=self.held)
        with self.taking.workspace.ledger.begin() as conn:
            drafts = kept.sent_drafts(conn, folder.id)
        sent = {digest: max(at, self._last_sent.get(customer, at)) for digest, (customer, at) in drafts.items()}
        keep = partial(drafts_that_stay, rules=self._rules, sent=sent, held=self.held, now=self.taking.now)
        self.taking.take(folder, "drafts", keep, DRAFT_COLUMNS, RETENTION)
        self._records(folder, [folder.id])

    def _records(self, folder: Folder, run_ids: list[str]) -> None:
        """What the folder says of customers by id: of those it is no evidence of a send of goes first."""
        as_of = folder.as_of
        if not record_is_past(self._rules, as_of, enrolled=False, last_sent=None, now=self.taking.now):
            return
        with self.taking.workspace.ledger.begin() as conn:
            evidenced = {customer for run_id in run_ids for customer in kept.evidenced(conn, run_id)}
        customers = self.held.customers | {one for one in evidenced if not self._is_over(as_of, one)}
        keys = self.held.keys | {key for customer, key in self._keys_of if customer in customers}
        for name, columns in RECORDS.items():
            keep = partial(records_that_stay, columns=columns, customers=customers, keys=keys)
            self.taking.take(folder, name, keep, columns, RETENTION)

    def _is_over(self, as_of: datetime, customer_id: str) -> bool:
        last = self._last_sent.get(customer_id)
        return record_is_past(self._rules, as_of, enrolled=True, last_sent=last, now=self.taking.now)
