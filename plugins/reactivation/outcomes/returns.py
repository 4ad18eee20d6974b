"""Raw facts of a source made into events of the ledger, and into facts that may end an enrolment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from reactivation.contract.digests import digest
from reactivation.contract.tables import CHANNELS
from reactivation.ledger.enrolments import Enrolment
from reactivation.ledger.events import CANCELLED, PURCHASES, Event
from reactivation.outcomes.exits import NOES, UNDELIVERED, Fact

#: Dates of a contact that stand for an act of theirs; some systems keep only these.
CONTACT_DATES = {"last_email_link_clicked": "click", "last_email_opened": "open", "last_seen": "seen"}
_LONGEST_ID = 80


def facts_of(
    raw: Sequence[Mapping[str, Any]], contacts: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """By customer, what they did: rows with event_id, kind, channel, occurred_at and what else is known of them.

    ``raw`` are rows of ``sources.read_events``, ``contacts`` rows of a snapshot's contacts.
    """
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in raw:
        found[row["customer_id"]].append(dict(row))
    for contact in contacts:
        for column, kind in CONTACT_DATES.items():
            at: datetime | None = contact[column]
            if at is not None:
                event_id = f"contacts:{digest([contact['customer_id'], kind, at])[:32]}"
                found[contact["customer_id"]].append(
                    {"event_id": event_id, "occurred_at": at, "kind": kind, "channel": None}
                )
    return found


def events_of(
    rows: Sequence[Mapping[str, Any]], enrolment: Enrolment, *, since: datetime, until: datetime,
    touch_ids: Collection[str], touch_of_code: Mapping[str, str], address_key: str | None,
) -> tuple[list[Event], list[Fact]]:  # fmt: skip
    """What happened after ``since``, as events and as facts. A code of ours that was used is an event apart.

    What shows interest counts until ``until``: of the future nobody can know, and the source will say it again. A no
    counts whenever it was said. ``touch_ids``: the enrolment's own; of another touch it is only kept that it happened.
    """
    events: list[Event] = []
    facts: list[Fact] = []
    for row in rows:
        if not _is_news(row["kind"], row["occurred_at"], since=since, until=until):
            continue
        facts.append(Fact(row["kind"], row["occurred_at"]))
        told = Event(
            _short(row["event_id"]), enrolment.customer_id, address_key, enrolment.enrolment_id,
            row["touch_id"] if row.get("touch_id") in touch_ids else None, row["kind"],
            row["channel"] if row["channel"] in CHANNELS else None, row["occurred_at"], "source",
            row.get("amount"), row.get("currency"), row.get("discount"),
            None if row.get("about") is None else _short(row["about"]),
        )  # fmt: skip
        events.append(told)
        if row.get("offer_code") in touch_of_code:
            redeemed = {
                "event_id": _short(f"redeemed:{row['event_id']}"), "kind": "redeemed", "about": told.event_id,
                "touch_id": touch_of_code[row["offer_code"]],
            }  # fmt: skip
            events.append(Event(**{**vars(told), **redeemed}))
    return events, facts


def purchases_of(rows: Sequence[Mapping[str, Any]], *, until: datetime) -> list[Event]:
    """Purchases and cancellations by ``until`` of people nobody writes to, as events without an enrolment.

    ``rows`` are rows of ``sources.read_events``. They have the ids that ``events_of`` would give them: who is enrolled
    later is not told of them twice.
    """
    return [
        Event(
            _short(row["event_id"]), row["customer_id"], None, None, None, row["kind"], None, row["occurred_at"],
            "source", row["amount"], row["currency"], row["discount"],
            None if row["about"] is None else _short(row["about"]),
        )
        for row in rows
        if row["kind"] in {*PURCHASES, CANCELLED} and row["occurred_at"] <= until
    ]  # fmt: skip


def _is_news(kind: str, at: datetime, *, since: datetime, until: datetime) -> bool:
    if kind in NOES:
        return True
    return at > since and (at <= until or kind == UNDELIVERED)


def _short(event_id: str) -> str:
    """The id itself, or its digest where the source's ids are too long to be kept."""
    return event_id if len(event_id) <= _LONGEST_ID else f"digest:{digest(event_id)}"
