"""A company whose first touches went out, and what its people did since."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from tests.builders import Row, engagement
from tests.ledgers import a_send
from tests.sending import NOW, Ready

from reactivation.ledger.tables import enrolments, events, sends, touches
from reactivation.steps.dispatch import dispatch
from reactivation.steps.outcomes import record_outcomes

LATER = NOW + timedelta(hours=3)
TAG = "customer_reactivation_no_response"


def went_out(ready: Ready) -> Ready:
    """The company after its first touches went out at ``NOW``."""
    dispatch(ready.workspace, NOW)
    ready.say(as_of=LATER)
    return ready


def recorded(ready: Ready, at: datetime = LATER) -> dict[str, int]:
    return record_outcomes(ready.workspace, at)


def customers_of(ready: Ready) -> list[str]:
    return sorted(ready.states())


def recorded_apart(ready: Ready) -> dict[str, int]:
    """Recorded by another process, as it were: with connections of its own."""
    other = Ready(ready.home, ready.url)
    try:
        return recorded(other)
    finally:
        other.close()


def until_the_end(ready: Ready) -> datetime:
    """Nothing more is sent; the last planned touch's window closes."""
    with ready.workspace.ledger.begin() as conn:
        ends = conn.scalars(select(enrolments.c.plan_ends_at)).all()
    end = max(ends)
    ready.say(as_of=end)
    dispatch(ready.workspace, end)
    return end


def all_went_out(ready: Ready) -> datetime:
    """The last planned touch of each was accepted, too, as at the end of a whole sequence; returns when."""
    at = until_the_end(ready) - timedelta(hours=1)
    (run_id,) = [folder.name for folder in (ready.home / "evidence" / "runs").iterdir()]
    plan = [row for row in ready.workspace.run_folder(run_id).read("plan").to_pylist() if row["state"] == "planned"]
    last = {row["enrolment_id"]: row["touch_id"] for row in plan}  # they stand by number
    known = {row.touch_id for row in ready.rows("touches")}
    rows = [
        {name: row[name] for name in row.keys() & set(touches.columns.keys())}
        | {"playbook": "customer_reactivation", "changed_at": at, "reason": None}
        | {"state": "accepted" if row["touch_id"] in last.values() else "expired"}
        for row in plan
        if row["touch_id"] not in known
    ]
    sent = [
        a_send(row["touch_id"], row["touch_id"], "w", address_key=row["address_key"], intended_at=at)
        | {"state": "accepted", "called_at": at, "finished_at": at}
        for row in rows
        if row["state"] == "accepted"
    ]
    with ready.workspace.ledger.begin() as conn:
        conn.execute(insert(touches), rows)
        conn.execute(insert(sends), sent)
    return at


def acts(ready: Ready, customer_id: str, kind: str, at: datetime = LATER - timedelta(hours=1), **more: object) -> Row:
    row = engagement(f"e-{kind}-{customer_id}", customer_id, at, kind, **more)
    ready.add("engagements", row)
    return row


def touch_ids(ready: Ready) -> dict[str, str]:
    """The first touch of each customer."""
    query = select(enrolments.c.customer_id, touches.c.touch_id).join(
        touches, touches.c.enrolment_id == enrolments.c.enrolment_id
    )
    with ready.workspace.ledger.begin() as conn:
        return {row.customer_id: row.touch_id for row in conn.execute(query.where(touches.c.number == 1))}


def events_of(ready: Ready) -> list[Any]:
    with ready.workspace.ledger.begin() as conn:
        return list(conn.execute(select(events).order_by(events.c.event_id)).all())


def everything(ready: Ready) -> tuple[list[Any], ...]:
    """What recording may add to."""
    return (events_of(ready), ready.rows("suppressions"), ready.rows("measurement_events"))
