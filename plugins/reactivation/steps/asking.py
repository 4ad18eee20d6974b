"""Asks a source again about a few customers, and takes in what it says: a no first, then what they did.

Used by the dispatcher just before it sends and by the hourly recording of outcomes, so that both act on the same facts
in the same way.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation.contract.digests import digest
from reactivation.contract.tables import FORBIDDING, TABLES
from reactivation.evidence import SnapshotFolder
from reactivation.ledger import codes, enrolments, events, measurements, sends, suppressions, touches
from reactivation.ledger.enrolments import Enrolment
from reactivation.outcomes import (
    UNDELIVERED,
    Exit,
    No,
    events_of,
    exit_of,
    exit_of_all,
    facts_of,
    facts_of_noes,
    noes,
    stops,
    suppressions_of,
)
from reactivation.outcomes.exits import OPEN
from reactivation.playbooks.model import Playbook
from reactivation.policy.columns import arrow, frame_of
from reactivation.policy.dormancy import opens_count
from reactivation.policy.rules import Rules
from reactivation.sources import Sources, extract, read_events

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: What was done, by customer.
Facts = dict[str, list[dict[str, Any]]]

#: A source a little ahead of us has another clock; one far ahead speaks of what nobody can know.
_CLOCKS_DIFFER_BY = timedelta(minutes=5)


@contextmanager
def asked_again(
    workspace: Workspace, source: Sources, customer_ids: Collection[str], now: datetime, *, worker: str
) -> Iterator[SnapshotFolder]:
    """A snapshot of these customers and of whoever shares an address with them; it is gone after the block."""
    place = asking_root(workspace) / worker / str(uuid4())
    asking_root(workspace).mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        yield extract(
            source, into=place, snapshot_id=place.name, as_of=now, keys=workspace.keys,
            customer_ids=sorted(customer_ids),
        )  # fmt: skip
    finally:
        shutil.rmtree(place, ignore_errors=True)


def asking_root(workspace: Workspace) -> Path:
    """Where dispatchers keep what they were just told, a folder each; swept when its dispatcher is gone."""
    return workspace.settings.home / "asked"


def is_stale(source: Sources, playbook: Playbook, now: datetime) -> bool:
    """Whether any source whose word counts speaks of a time too long ago, or still to come: then nothing is sent.

    Its word counts where the playbook requires one of its tables, or one of them may forbid.
    """
    earliest, latest = now - timedelta(hours=playbook.readiness.stale_after_hours), now + _CLOCKS_DIFFER_BY
    told = source.spoken({*playbook.requires, *FORBIDDING})
    return not all(earliest <= speaks <= latest for speaks in told.values())


def unfit_tables(folder: SnapshotFolder, playbook: Playbook) -> tuple[str, ...]:
    """The tables the playbook requires that are missing, lack a column it requires, or have a *no* nobody can read.

    What such a table would forbid is unknown, so nothing is sent on its word.
    """
    told = {name: table for source in folder.manifest["sources"] for name, table in source["tables"].items()}
    return tuple(
        name
        for name, columns in playbook.requires.items()
        if not told[name]["present"]
        or told[name]["broken_unreadable_nos"]
        or {*columns, *TABLES[name].required} & set(told[name]["missing_columns"])
    )


def take_in(
    workspace: Workspace, source: Sources, folder: SnapshotFolder, people: Sequence[Enrolment], now: datetime
) -> Counter[str]:  # fmt: skip
    """Commit what the source now says about the customers of these enrolments; counts.

    In this order: noes, in transactions of their own; then events, each once; then the exits of active enrolments.
    """
    counts: Counter[str] = Counter()
    contacts = folder.read("contacts")
    some = [_asked(workspace, name, own, contacts) for name, own in sorted(_by_playbook(people).items())]
    if not some:
        return counts
    customers = set().union(*(one.customers for one in some))
    raw = read_events(source, customer_ids=sorted(customers), since=min(one.since for one in some))
    done, rows = raw.to_pylist(), contacts.to_pylist()
    opens = _whose_opens_count(contacts, workspace.rules)
    said = [(one, _noes(workspace, folder, one.playbook, one.people, raw)) for one in some]
    for _, noes_of in said:
        counts["suppressions"] += suppressions.commit(
            workspace.ledger, suppressions_of(noes_of), actor="record_outcomes", now=now
        )
    for one, noes_of in said:
        facts = facts_of(
            [row for row in done if row["customer_id"] in one.customers],
            [row for row in rows if row["customer_id"] in one.customers],
        )
        told = _Told(_by_enrolled(facts, one.colleagues), facts_of_noes(noes_of), opens)
        with workspace.ledger.begin() as conn:
            for enrolment, exit_ in _returned(conn, one.playbook, one.people, told=told, counts=counts, now=now):
                ended = enrolments.end_enrolment(
                    conn, enrolment.enrolment_id, reason=exit_.reason, because=exit_.because, actor="record_outcomes",
                    now=now,
                )  # fmt: skip
                counts[f"exit:{exit_.reason}"] += ended
    return +counts


@dataclass(frozen=True)
class _Asked:
    """Enrolments of one playbook, whose customers they are about, and from when on what these do is news."""

    playbook: Playbook
    people: Sequence[Enrolment]
    colleagues: Mapping[str, str]
    customers: frozenset[str]
    since: datetime


def _by_playbook(people: Sequence[Enrolment]) -> dict[str, list[Enrolment]]:
    found: dict[str, list[Enrolment]] = {}
    for one in people:
        found.setdefault(one.playbook, []).append(one)
    return found


def _asked(workspace: Workspace, name: str, people: Sequence[Enrolment], contacts: pa.Table) -> _Asked:
    playbook = workspace.playbook(name).playbook
    colleagues = _colleagues(contacts, people) if playbook.subject == "account" else {}
    return _Asked(
        playbook, people, colleagues, frozenset({one.customer_id for one in people} | set(colleagues)),
        min(unknown_from(playbook, one) for one in people),
    )  # fmt: skip


@dataclass(frozen=True)
class _Told:
    """What a source said: by customer what they did, by address key what was said against writing to it."""

    by_customer: dict[str, list[dict[str, Any]]]
    noes: dict[str, list[dict[str, Any]]]
    whose_opens_count: frozenset[str]

    def of(self, one: Enrolment, keys: Collection[str]) -> list[dict[str, Any]]:
        """What is told of one enrolment, each record once."""
        against = (row for key in sorted(keys) for row in self.noes.get(key, ()))
        rows = [*self.by_customer.get(one.customer_id, ()), *against]
        return list({row["event_id"]: row for row in reversed(rows)}.values())[::-1]

    def codes(self) -> set[str]:
        """The offer codes that were used."""
        used = {row.get("offer_code") for rows in self.by_customer.values() for row in rows}
        return {code for code in used if code}


def _colleagues(contacts: pa.Table, people: Sequence[Enrolment]) -> dict[str, str]:
    """Of accounts: every other contact, with the one who is written to."""
    recipient = {one.account_id: one.customer_id for one in people if one.account_id is not None}
    rows = contacts.select(["customer_id", "account_id"]).to_pylist()
    return {
        row["customer_id"]: recipient[row["account_id"]]
        for row in rows
        if row["account_id"] in recipient and row["customer_id"] != recipient[row["account_id"]]
    }


def _by_enrolled(facts: Facts, colleagues: Mapping[str, str]) -> Facts:
    """What was done, by whoever is enrolled for it: what a contact of an account does, the account does."""
    found: Facts = {}
    for customer, rows in facts.items():
        found.setdefault(colleagues.get(customer, customer), []).extend(rows)
    return found


def _whose_opens_count(contacts: pa.Table, rules: Rules) -> frozenset[str]:
    """The customers of whom an open is an act of their own, where they live (seed 002; RULES.md)."""
    places = {name: pc.utf8_upper(contacts[name]) for name in ("country", "phone_country")}
    counts = opens_count(frame_of(pa.table(places)), rules.permission)
    return frozenset(contacts["customer_id"].filter(arrow(counts)).to_pylist())


def _noes(
    workspace: Workspace, folder: SnapshotFolder, playbook: Playbook, people: Sequence[Enrolment], raw: pa.Table
) -> list[No]:
    """Every no told of these enrolments' customers, by each address they have or we wrote to."""
    customer = {one.enrolment_id: one.customer_id for one in people}
    bounced = raw.filter(pc.equal(raw["kind"], UNDELIVERED))["touch_id"].drop_null().unique().to_pylist()
    with workspace.ledger.begin() as conn:
        keys = enrolments.keys_of(conn, customer)
        written = [(one.customer_id, one.touch_id, one.address_key) for one in touches.touches_of(conn, bounced)]
    return noes(
        folder, raw, occupied=[(customer[one], key) for one, own in keys.items() for key in own], written=written,
        brand=playbook.brand, channels=playbook.channels, purposes=workspace.rules.permission.purposes,
    )  # fmt: skip


def _returned(
    conn: Connection, playbook: Playbook, people: Sequence[Enrolment], *, told: _Told, counts: Counter[str],
    now: datetime,
) -> Iterator[tuple[Enrolment, Exit]]:  # fmt: skip
    """Record the events of everybody; yields the active enrolments that are over, each with its exit.

    Two recorders take people in the same order, so that neither waits for the other in a circle.
    """
    ids = [one.enrolment_id for one in people]
    keys = enrolments.keys_of(conn, ids)
    contacted = sends.last_sent(conn, ids)
    said_no = suppressions.standing(conn, {key for own in keys.values() for key in own}, brand=playbook.brand)
    touch_of_code = codes.touches_of(conn, told.codes())
    touch_ids = touches.ids_of(conn, ids)
    suppressed: list[dict[str, Any]] = []
    for one in sorted(people, key=lambda one: one.enrolment_id):
        since, own = unknown_from(playbook, one), keys[one.enrolment_id]
        address = min(((channel, key) for key, channel in own.items()), default=("", None))[1]
        new, facts = events_of(
            told.of(one, own), one, since=since, until=now + _CLOCKS_DIFFER_BY,
            touch_ids=touch_ids.get(one.enrolment_id, ()), touch_of_code=touch_of_code, address_key=address,
        )  # fmt: skip
        counts["events"] += len(events.record(conn, new, stops=stops(playbook), now=now))
        reasons = {said_no[key] for key in own if key in said_no}
        suppressed += [suppressed_event(one, reason, now) for reason in sorted(reasons)]
        if one.state != "active":
            continue
        own_acts = [fact for fact in facts if fact.kind != OPEN or one.customer_id in told.whose_opens_count]
        returned = exit_of(own_acts, playbook, since=since, contacted=one.enrolment_id in contacted)
        found = exit_of_all(reasons, returned)
        if found is not None:
            yield one, found
    measurements.insert_events(conn, suppressed)


def suppressed_event(one: Enrolment, reason: str, now: datetime) -> dict[str, Any]:
    """The measurement event of a person who may not be written to any more: one per customer and reason, for ever."""
    return {
        "event_id": digest(["suppression", one.playbook, one.customer_id, reason])[:32], "run_id": one.run_id,
        "playbook": one.playbook, "subject": one.customer_id, "kind": "suppression", "outcome": reason,
        "reason": "record_outcomes", "occurred_at": now, "rules_version": one.rules_version,
    }  # fmt: skip


def unknown_from(playbook: Playbook, one: Enrolment) -> datetime:
    """From when on a sign of life is news: the source may have been silent for so long when the enrolment was decided,
    and somebody known to be active within that time would not have been dormant."""
    return one.as_of - timedelta(hours=playbook.readiness.stale_after_hours)
