"""Replies nobody recognised: while one has no label, nothing is sent to its person.

A hold and a claim of sends never interleave (``suppressions``). The words of a reply are personal, and the only ones
the ledger has: they are read for the page of their question, and taken out by retention and erasure.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import Connection, or_, select, update

from reactivation.ledger import audit
from reactivation.ledger.among import among
from reactivation.ledger.bulk import insert_if_new
from reactivation.ledger.engine import Ledger
from reactivation.ledger.locks import PERMISSION, exclusive
from reactivation.ledger.occupying import own_keys
from reactivation.ledger.tables import enrolment_keys, replies

#: The label of a reply of somebody who was erased: nobody is asked about it.
ERASED = "erased"


@dataclass(frozen=True)
class Reply:
    """One reply. ``words`` are ``None`` once they are gone, ``label`` while it holds."""

    reply_id: str
    address_key: str | None
    customer_id: str | None
    enrolment_id: str | None
    provider: str
    channel: str
    occurred_at: datetime
    words: str | None = field(default=None, repr=False)
    label: str | None = None
    labelled_at: datetime | None = None


def hold(ledger: Ledger, some: Sequence[Reply], *, actor: str, now: datetime) -> int:
    """Commit replies in a transaction of their own; from then on they hold. Returns how many are new."""
    if not some:
        return 0
    with ledger.begin() as conn:
        exclusive(conn, PERMISSION)
        new = [one for one in some if insert_if_new(conn, replies, {**asdict(one), "recorded_at": now})]
        audit.write_many(
            conn, at=now, actor=actor, action="reply_holds",
            subjects=[
                (one.reply_id, {"enrolment_id": one.enrolment_id, "customer_id": one.customer_id,
                                "provider": one.provider, "channel": one.channel, "occurred_at": one.occurred_at})
                for one in new
            ],
        )  # fmt: skip
    return len(new)


def holding(
    conn: Connection, address_keys: Collection[str], customers: Collection[str] = ()
) -> tuple[set[str], set[str]]:
    """Those of the address keys, and of the customers, that an unlabelled reply keeps us from writing to."""
    open_ones = conn.execute(
        select(replies.c.address_key, replies.c.customer_id, replies.c.enrolment_id).where(replies.c.label.is_(None))
    ).all()
    if not open_ones:
        return set(), set()
    own = {row.address_key for row in open_ones} - {None}
    enrolled = {row.enrolment_id for row in open_ones if row.enrolment_id is not None}
    theirs = select(enrolment_keys.c.address_key).where(among(enrolment_keys.c.enrolment_id, enrolled), own_keys)
    people = {row.customer_id for row in open_ones}
    return {*own, *conn.scalars(theirs)}.intersection(address_keys), people.intersection(customers)


def unlabelled(conn: Connection) -> list[Reply]:
    """The replies that hold, oldest first."""
    wanted = _REPLY.where(replies.c.label.is_(None)).order_by(replies.c.occurred_at, replies.c.reply_id)
    return [Reply(**row._mapping) for row in conn.execute(wanted)]


def reply_of(conn: Connection, reply_id: str) -> Reply | None:
    """One reply, with its words."""
    row = conn.execute(_REPLY.where(replies.c.reply_id == reply_id)).one_or_none()
    return None if row is None else Reply(**row._mapping)


def label(conn: Connection, reply_id: str, label: str, *, now: datetime) -> bool:
    """Say what a reply is; it holds no more. False when that was said before."""
    open_one = (replies.c.reply_id == reply_id) & replies.c.label.is_(None)
    return bool(conn.execute(update(replies).where(open_one).values(label=label, labelled_at=now)).rowcount)


def with_words(conn: Connection, *, until: datetime) -> list[Reply]:
    """The replies told until an instant whose words are still there."""
    wanted = _REPLY.where(replies.c.words.is_not(None), replies.c.recorded_at <= until)
    return [Reply(**row._mapping) for row in conn.execute(wanted.order_by(replies.c.reply_id))]


def forget(conn: Connection, reply_ids: Collection[str], *, reason: str, actor: str, now: datetime) -> int:
    """Take out the words of replies; that they were said stays. Returns how many had any."""
    theirs = among(replies.c.reply_id, reply_ids) & replies.c.words.is_not(None)
    gone = sorted(conn.scalars(update(replies).where(theirs).values(words=None).returning(replies.c.reply_id)))
    audit.write_many(
        conn, at=now, actor=actor, action="reply_words_removed", subjects=[(one, {"reason": reason}) for one in gone]
    )
    return len(gone)


def of_people(conn: Connection, customers: Collection[str], address_keys: Collection[str]) -> list[Reply]:
    """The replies of these customers, or from these addresses."""
    theirs = or_(among(replies.c.customer_id, customers), among(replies.c.address_key, address_keys))
    return [Reply(**row._mapping) for row in conn.execute(_REPLY.where(theirs).order_by(replies.c.reply_id))]


_REPLY = select(
    replies.c.reply_id, replies.c.address_key, replies.c.customer_id, replies.c.enrolment_id, replies.c.provider,
    replies.c.channel, replies.c.occurred_at, replies.c.words, replies.c.label, replies.c.labelled_at,
)  # fmt: skip
