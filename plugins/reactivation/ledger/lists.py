"""Lists, their items and signers, and what the closing of a list means for its touches.

Items and signers are written once, when a list is opened. A list closes once; who closes it locks it first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, insert, or_, select, update

from reactivation.ledger.enrolments import release_codes
from reactivation.ledger.tables import (
    enrolments,
    item_verdicts,
    list_items,
    list_signers,
    lists,
    offer_codes,
    questions,
    touches,
)  # fmt: skip


@dataclass(frozen=True)
class ListRow:
    """One list as it was opened, and what became of it."""

    list_id: str
    run_id: str
    playbook: str
    kind: str
    channel: str
    touch_number: int
    segment: str
    owner_id: str
    offer_id: str | None
    offer_terms: str | None
    cost: Decimal | None
    currency: str | None
    authors: list[str]
    digest: str
    signing_code: str
    opened_at: datetime
    expires_at: datetime
    state: str
    closed_at: datetime | None
    variant: str | None = None


@dataclass(frozen=True)
class ListItem:
    """One line of a list: a touch, the digest of its bytes, and whether it needs a decision of its own."""

    position: int
    touch_id: str
    customer_id: str
    draft_digest: str
    individual: bool
    review_reasons: tuple[str, ...]


@dataclass(frozen=True)
class ListSigner:
    """One user who may sign a list, and the owner entry and role he signs as."""

    user_id: str
    owner_id: str
    role: str


@dataclass(frozen=True)
class Enrolled:
    """What an enrolment says about who must sign its touches, and how."""

    owner_id: str
    segment: str
    decision: str
    review_reasons: list[str]
    variant: str | None = None


def waiting_drafts(conn: Connection, run_id: str) -> dict[str, str]:
    """The draft digest of each touch that this run drafted and nobody has been asked about, by touch id."""
    query = (
        select(touches.c.touch_id, touches.c.draft_digest)
        .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
        .where(touches.c.draft_run_id == run_id, touches.c.state == "drafted", enrolments.c.state == "active")
    )
    return {row.touch_id: row.draft_digest for row in conn.execute(query)}


def active_enrolments(conn: Connection, playbook: str) -> dict[str, Enrolled]:
    """Who must sign the touches of each active enrolment of a playbook, by enrolment id."""
    query = select(
        enrolments.c.enrolment_id, enrolments.c.owner_id, enrolments.c.segment, enrolments.c.decision,
        enrolments.c.review_reasons, enrolments.c.variant,
    ).where(enrolments.c.playbook == playbook, enrolments.c.state == "active")  # fmt: skip
    return {
        row.enrolment_id: Enrolled(row.owner_id, row.segment, row.decision, row.review_reasons, row.variant)
        for row in conn.execute(query)
    }


def asked_about(conn: Connection, run_id: str) -> set[tuple[str, str]]:
    """Which (touch id, kind of list) of this run's drafts were asked about: an earlier run's list does not count,
    whatever was answered there, since its touch was drafted anew because something held it."""
    query = (
        select(list_items.c.touch_id, lists.c.kind)
        .join(lists, lists.c.list_id == list_items.c.list_id)
        .where(lists.c.run_id == run_id)
    )
    return {(row.touch_id, row.kind) for row in conn.execute(query)}


def insert_list(
    conn: Connection, row: Mapping[str, Any], items: Sequence[ListItem], signers: Sequence[ListSigner]
) -> None:
    """Freeze one list: its row, its items and its signers. Its drafted touches become *listed*."""
    list_id = row["list_id"]
    conn.execute(insert(lists).values(row))
    conn.execute(
        insert(list_items),
        [
            {
                "list_id": list_id, "touch_id": i.touch_id, "position": i.position, "customer_id": i.customer_id,
                "draft_digest": i.draft_digest, "individual": i.individual, "review_reasons": list(i.review_reasons),
            }
            for i in items
        ],
    )  # fmt: skip
    conn.execute(
        insert(list_signers),
        [{"list_id": list_id, "user_id": s.user_id, "owner_id": s.owner_id, "role": s.role} for s in signers],
    )
    _move(conn, list_id, touches.c.state == "drafted", state="listed", reason=None, now=row["opened_at"])


def list_of(conn: Connection, list_id: str, *, lock: bool = False) -> ListRow | None:
    """One list; with ``lock``, nobody else closes it before this transaction ends."""
    query = select(lists).where(lists.c.list_id == list_id)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else ListRow(**row._mapping)


def open_lists(conn: Connection) -> list[ListRow]:
    """Every open list, the one that expires first at the top."""
    query = select(lists).where(lists.c.state == "open").order_by(lists.c.expires_at, lists.c.list_id)
    return [ListRow(**row._mapping) for row in conn.execute(query)]


def expired_lists(conn: Connection, now: datetime) -> list[str]:
    """The lists still open that nobody answered in time."""
    query = select(lists.c.list_id).where(lists.c.state == "open", lists.c.expires_at <= now)
    return list(conn.scalars(query.order_by(lists.c.list_id)))


def items_of(conn: Connection, list_id: str) -> tuple[ListItem, ...]:
    """The items of a list in their order."""
    query = select(*list_items.c).where(list_items.c.list_id == list_id).order_by(list_items.c.position)
    return tuple(
        ListItem(r.position, r.touch_id, r.customer_id, r.draft_digest, r.individual, tuple(r.review_reasons))
        for r in conn.execute(query)
    )


def signers_of(conn: Connection, list_id: str) -> tuple[ListSigner, ...]:
    """Who may sign a list, by user id."""
    columns = (list_signers.c.user_id, list_signers.c.owner_id, list_signers.c.role)
    query = select(*columns).where(list_signers.c.list_id == list_id).order_by(list_signers.c.user_id)
    return tuple(ListSigner(**row._mapping) for row in conn.execute(query))


def close_list(conn: Connection, list_id: str, state: str, reason: str | None, now: datetime) -> None:
    """Close an open list and its question, and move its touches by the verdicts recorded before.

    A touch is signed when every list it needs has signed exactly its bytes; rejected as soon as one list rejects it;
    held when it was not signed, or when its other signature can no longer come. The touches are locked first: two
    lists of one touch that close at the same moment must see each other's verdicts.
    """
    conn.execute(_touch_ids(list_id).order_by(touches.c.touch_id).with_for_update(of=touches))
    conn.execute(
        update(lists).where(lists.c.list_id == list_id, lists.c.state == "open").values(state=state, closed_at=now)
    )
    conn.execute(
        update(questions)
        .where(questions.c.list_id == list_id, questions.c.state == "open")
        .values(state="held" if state == "held" else "answered", closed_at=now)
    )
    unsent = touches.c.state.in_(("planned", "drafted", "listed", "held", "signed"))
    listed = and_(touches.c.state == "listed", touches.c.draft_digest == list_items.c.draft_digest)
    signed_here = _verdict_here(list_id, "signed")
    needs_none = and_(_signed("content"), or_(touches.c.offer_id.is_(None), _signed("offer")))
    rejected_here = and_(unsent, _verdict_here(list_id, "rejected"))
    _move(conn, list_id, rejected_here, state="rejected", reason=reason, now=now)
    rejected = _touch_ids(list_id, touches.c.state == "rejected")
    release_codes(conn, offer_codes.c.touch_id.in_(rejected), now)
    _move(conn, list_id, and_(listed, signed_here, needs_none), state="signed", reason=None, now=now)
    _move(conn, list_id, and_(listed, ~signed_here), state="held", reason=reason or "not_signed", now=now)
    waits_in_vain = and_(listed, signed_here, ~_in_open_list())
    _move(conn, list_id, waits_in_vain, state="held", reason="signature_missing", now=now)


def _move(
    conn: Connection, list_id: str, where: ColumnElement[bool], *, state: str, reason: str | None, now: datetime
) -> None:
    """Put those touches of a list that meet ``where`` (over touches and list_items) into a state."""
    chosen = touches.c.touch_id.in_(_touch_ids(list_id, where))
    conn.execute(update(touches).where(chosen).values(state=state, reason=reason, changed_at=now))


def _touch_ids(list_id: str, *where: ColumnElement[bool]) -> Select[Any]:
    of_list = select(touches.c.touch_id).join(list_items, list_items.c.touch_id == touches.c.touch_id)
    return of_list.where(list_items.c.list_id == list_id, *where)


def _verdict_here(list_id: str, verdict: str) -> ColumnElement[bool]:
    return exists().where(
        item_verdicts.c.list_id == list_id,
        item_verdicts.c.touch_id == touches.c.touch_id,
        item_verdicts.c.verdict == verdict,
    )


def _signed(kind: str) -> ColumnElement[bool]:
    """The touch's present bytes are signed in a list of this kind, of the run that drafted them."""
    item, of = list_items.alias(), lists.alias()
    return (
        exists()
        .where(item.c.touch_id == touches.c.touch_id, item.c.draft_digest == touches.c.draft_digest)
        .where(of.c.list_id == item.c.list_id, of.c.kind == kind, of.c.run_id == touches.c.draft_run_id)
        .where(
            item_verdicts.c.list_id == item.c.list_id,
            item_verdicts.c.touch_id == item.c.touch_id,
            item_verdicts.c.verdict == "signed",
        )
    )


def _in_open_list() -> ColumnElement[bool]:
    item, of = list_items.alias(), lists.alias()
    return exists().where(
        item.c.touch_id == touches.c.touch_id, of.c.list_id == item.c.list_id, of.c.state == "open",
        of.c.run_id == touches.c.draft_run_id,
    )  # fmt: skip
