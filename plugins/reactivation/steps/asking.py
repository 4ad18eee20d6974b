"""Asks a source again about a few customers, and takes in what it says: a no first, then what they did.

Used by the dispatcher just before it sends and by the hourly recording of outcomes, so that both act on the same facts
in the same way.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import Connection

from reactivation.contract.tables import TABLES
from reactivation.evidence import SnapshotFolder
from reactivation.ledger import codes, enrolments, events, sends, suppressions, touches
from reactivation.ledger.enrolments import Enrolment
from reactivation.outcomes import Exit, events_of, exit_of, exit_of_no, facts_of, noes
from reactivation.playbooks.model import Playbook
from reactivation.sources import Source, extract, read_events

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: A source a little ahead of us has another clock; one far ahead speaks of what nobody can know.
_CLOCKS_DIFFER_BY = timedelta(minutes=5)


@contextmanager
def asked_again(
    workspace: Workspace, source: Source, customer_ids: Collection[str], now: datetime, *, worker: str
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


def is_stale(source: Source, playbook: Playbook, now: datetime) -> bool:
    """Whether the source speaks of a time too long ago, or still to come, so that nothing is sent on its word."""
    speaks = source.speaks_as_of()
    return not now - timedelta(hours=playbook.readiness.stale_after_hours) <= speaks <= now + _CLOCKS_DIFFER_BY


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
    workspace: Workspace, source: Source, folder: SnapshotFolder, people: Sequence[Enrolment], now: datetime
) -> Counter[str]:
    """Commit what the source now says about the customers of these enrolments, all of one playbook; counts.

    In this order: noes, in a transaction of their own; then events, each once; then the exits of active enrolments.
    """
    counts: Counter[str] = Counter()
    if not people:
        return counts
    playbook = workspace.playbook(people[0].playbook).playbook
    said_no = noes(folder, brand=playbook.brand, channels=playbook.channels)
    counts["suppressions"] = suppressions.commit(workspace.ledger, said_no, actor="record_outcomes", now=now)
    customers = sorted({one.customer_id for one in people})
    raw = read_events(
        source, customer_ids=customers, since=min(_unknown_from(playbook, one) for one in people)
    ).to_pylist()
    contacts = [row for row in folder.read("contacts").to_pylist() if row["customer_id"] in set(customers)]
    told = facts_of(raw, contacts)
    with workspace.ledger.begin() as conn:
        for one, exit_ in _returned(conn, playbook, people, told=told, counts=counts, now=now):
            ended = enrolments.end_enrolment(
                conn, one.enrolment_id, reason=exit_.reason, because=exit_.because, actor="record_outcomes", now=now
            )
            counts[f"exit:{exit_.reason}"] += ended
    return +counts


def _returned(
    conn: Connection, playbook: Playbook, people: Sequence[Enrolment], *, told: dict[str, list[dict[str, Any]]],
    counts: Counter[str], now: datetime,
) -> Iterator[tuple[Enrolment, Exit]]:  # fmt: skip
    """Record the events of everybody; yields the active enrolments that are over, each with its exit."""
    ids = [one.enrolment_id for one in people]
    keys = enrolments.keys_of(conn, ids)
    contacted = sends.last_sent(conn, ids)
    said_no = suppressions.standing(conn, {key for own in keys.values() for key in own}, brand=playbook.brand)
    used = {row["offer_code"] for rows in told.values() for row in rows if row["offer_code"]}
    touch_of_code = codes.touches_of(conn, used)
    touch_ids = touches.ids_of(conn, ids)
    for one in people:
        since = _unknown_from(playbook, one)
        address = min(((channel, key) for key, channel in keys[one.enrolment_id].items()), default=("", None))[1]
        new, facts = events_of(
            told.get(one.customer_id, []), one, since=since, touch_ids=touch_ids.get(one.enrolment_id, ()),
            touch_of_code=touch_of_code, address_key=address,
        )  # fmt: skip
        counts["events"] += len(events.record(conn, new, now=now))
        if one.state != "active":
            continue
        no = next((said_no[key] for key in sorted(keys[one.enrolment_id]) if key in said_no), None)
        found = exit_of_no(no) if no is not None else exit_of(
            facts, playbook, since=since, contacted=one.enrolment_id in contacted
        )  # fmt: skip
        if found is not None:
            yield one, found


def _unknown_from(playbook: Playbook, one: Enrolment) -> datetime:
    """From when on a sign of life is news: the source may have been silent for so long when the enrolment was decided,
    and somebody known to be active within that time would not have been dormant."""
    return one.as_of - timedelta(hours=playbook.readiness.stale_after_hours)
