"""Who was erased, by customer id and by address key: what was taken out once is taken out of every later copy, too."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from reactivation.ledger import audit
from reactivation.ledger.among import among
from reactivation.ledger.bulk import insert_if_new
from reactivation.ledger.occupying import own_keys
from reactivation.ledger.tables import enrolment_keys, enrolments, erased_addresses, erased_customers


@dataclass(frozen=True)
class Erasure:
    """When a customer was erased, by whom, and why."""

    customer_id: str
    reason: str
    erased_by: str
    erased_at: datetime


def record(
    conn: Connection, *, customers: Collection[str], address_keys: Collection[str], reason: str, actor: str,
    now: datetime,
) -> int:  # fmt: skip
    """Record who is erased; returns how many customers and addresses are new. Each is recorded once."""
    how = {"reason": reason, "erased_by": actor, "erased_at": now}
    rows = [(erased_customers, {"customer_id": one}) for one in sorted(customers)]
    rows += [(erased_addresses, {"address_key": one}) for one in sorted(address_keys)]
    new = [subject for table, row in rows for subject in row.values() if insert_if_new(conn, table, row | how)]
    audit.write_many(
        conn, at=now, actor=actor, action="erased", subjects=[(subject, {"reason": reason}) for subject in new]
    )
    return len(new)


def customers(conn: Connection) -> frozenset[str]:
    """The ids of all customers that were erased."""
    return frozenset(conn.scalars(select(erased_customers.c.customer_id)))


def address_keys(conn: Connection) -> frozenset[str]:
    """The keys of all addresses that were erased."""
    return frozenset(conn.scalars(select(erased_addresses.c.address_key)))


def erasure_of(conn: Connection, customer_id: str) -> Erasure | None:
    """The erasure of a customer, or ``None``."""
    found = conn.execute(select(erased_customers).where(erased_customers.c.customer_id == customer_id)).one_or_none()
    return None if found is None else Erasure(**found._mapping)


def occupied_by(conn: Connection, customers: Collection[str], keys: Collection[str]) -> list[str]:
    """The active enrolments of these customers, and those that occupy one of these address keys."""
    of_keys = select(enrolment_keys.c.enrolment_id).where(among(enrolment_keys.c.address_key, keys), own_keys)
    mine = among(enrolments.c.customer_id, customers) | enrolments.c.enrolment_id.in_(of_keys)
    wanted = select(enrolments.c.enrolment_id).where(enrolments.c.state == "active", mine)
    return list(conn.scalars(wanted.order_by(enrolments.c.enrolment_id)))
