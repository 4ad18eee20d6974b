"""What the pages about lists need: who had which items on the screen, and counts over the lists that are open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Integer, cast, func, insert, select

from reactivation.ledger.tables import enrolments, list_items, list_signers, list_views, lists, touches


def insert_view(
    conn: Connection, *, view_id: str, list_id: str, user_id: str, touch_ids: Sequence[str], now: datetime
) -> None:
    """Record which items a user had on the screen."""
    conn.execute(
        insert(list_views).values(
            view_id=view_id, list_id=list_id, user_id=user_id, touch_ids=list(touch_ids), viewed_at=now
        )
    )


def views_of(conn: Connection, list_id: str) -> dict[str, frozenset[str]]:
    """The touch ids each user had on the screen, by user id."""
    seen: dict[str, set[str]] = defaultdict(set)
    query = select(list_views.c.user_id, list_views.c.touch_ids).where(list_views.c.list_id == list_id)
    for row in conn.execute(query):
        seen[row.user_id].update(row.touch_ids)
    return {user: frozenset(ids) for user, ids in seen.items()}


def deciding_runs(conn: Connection, list_id: str) -> dict[str, str]:
    """The run whose ``decisions.parquet`` says why each customer of a list was enrolled, by customer id."""
    query = (
        select(list_items.c.customer_id, enrolments.c.run_id)
        .join(touches, touches.c.touch_id == list_items.c.touch_id)
        .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
        .where(list_items.c.list_id == list_id)
    )
    return {row.customer_id: row.run_id for row in conn.execute(query)}


def open_list_sizes(conn: Connection) -> dict[str, tuple[int, int]]:
    """How many items each open list has, and how many of them are individual, by list id."""
    query = (
        select(
            list_items.c.list_id,
            func.count().label("items"),
            func.sum(cast(list_items.c.individual, Integer)).label("individual"),
        )
        .join(lists, lists.c.list_id == list_items.c.list_id)
        .where(lists.c.state == "open")
        .group_by(list_items.c.list_id)
    )
    return {row.list_id: (row.items, row.individual) for row in conn.execute(query)}


def open_list_signers(conn: Connection) -> dict[str, frozenset[str]]:
    """The user ids that may sign each open list, by list id."""
    users: dict[str, set[str]] = defaultdict(set)
    query = (
        select(list_signers.c.list_id, list_signers.c.user_id)
        .join(lists, lists.c.list_id == list_signers.c.list_id)
        .where(lists.c.state == "open")
    )
    for row in conn.execute(query):
        users[row.list_id].add(row.user_id)
    return {list_id: frozenset(named) for list_id, named in users.items()}
