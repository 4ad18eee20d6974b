"""How far the people of one run have come, counted from the ledger."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from reactivation.ledger.tables import enrolments, lists, touches


def enrolled(conn: Connection, run_id: str) -> int:
    """How many enrolments the run began."""
    return int(conn.scalar(select(func.count()).select_from(enrolments).where(enrolments.c.run_id == run_id)) or 0)


def touch_states(conn: Connection, run_id: str) -> dict[str, int]:
    """Touches of the run's enrolments by state."""
    query = (
        select(touches.c.state, func.count().label("n"))
        .join(enrolments, enrolments.c.enrolment_id == touches.c.enrolment_id)
        .where(enrolments.c.run_id == run_id)
        .group_by(touches.c.state)
    )
    return {row.state: row.n for row in conn.execute(query)}


def list_states(conn: Connection, run_id: str) -> dict[str, int]:
    """The run's lists by state."""
    query = select(lists.c.state, func.count().label("n")).where(lists.c.run_id == run_id).group_by(lists.c.state)
    return {row.state: row.n for row in conn.execute(query)}
